package store

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// child does one thing in a process of its own, which a test may kill: STORE_CHILD is "push URL SEED BYTES" or "pack NOW", in the repository it is started in.
func child(words string) error {
	fields := strings.Fields(words)
	repo, err := gitdb.Open(".")
	if err != nil {
		return err
	}
	defer repo.Close()
	ctx := context.Background()
	if fields[0] == "pack" {
		now, err := time.Parse(time.RFC3339, fields[1])
		if err != nil {
			return err
		}
		s, err := Open(repo, "git", Options{Now: now})
		if err != nil {
			return err
		}
		_, err = s.(Packer).Pack(ctx, false)
		return err
	}
	s, err := Open(repo, fields[1], Options{})
	if err != nil {
		return err
	}
	seed, _ := strconv.Atoi(fields[2]) // as the test writes it
	size, _ := strconv.Atoi(fields[3])
	pointers, err := s.Put(ctx, []Blob{{Data: noise(seed, size), Type: "text/plain"}})
	if err != nil {
		return err
	}
	_, err = s.Push(ctx, named(pointers...))
	return err
}

// noise is bytes that follow from a seed.
func noise(seed, size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(data) // never fails
	return data
}

func startChild(t *testing.T, dir, words string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &said, &said
	cmd.Env = append(os.Environ(), "STORE_CHILD="+words)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &said
}
