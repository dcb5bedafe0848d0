package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
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

// 16 processes write one blob of several parts at the same time: one whole blob is there.
func TestRacingWriters(t *testing.T) {
	const writers, size = 16, 12 << 20
	for name, start := range shared {
		t.Run(name, func(t *testing.T) {
			url := start(t)
			var all sync.WaitGroup
			for range writers {
				dir := t.TempDir()
				git(t, dir, "init", "-q")
				cmd, said := startChild(t, dir, fmt.Sprintf("push %s 1 %d", url, size))
				all.Go(func() {
					if err := cmd.Wait(); err != nil {
						t.Errorf("a writer: %v\n%s", err, said)
					}
				})
			}
			all.Wait()
			reader, _ := inRepository(t, url, Options{})
			p := Blob{Data: noise(1, size), Type: "text/plain"}.pointer()
			checkList(t, reader, []record.Pointer{p})
			if data, err := reader.Get(t.Context(), p); err != nil || len(data) != size {
				t.Errorf("Get: %d bytes, %v", len(data), err)
			}
		})
	}
}

// Uploads are killed at any moment: a reader sees a whole blob or none, and the next try brings it.
func TestKilledUploads(t *testing.T) {
	const size = 24 << 20
	kills := 4
	if testing.Short() {
		kills = 2
	}
	for name, start := range shared {
		t.Run(name, func(t *testing.T) {
			url := start(t)
			reader, _ := inRepository(t, url, Options{})
			halfway := 0
			for seed := range kills {
				dir := t.TempDir()
				git(t, dir, "init", "-q")
				words := fmt.Sprintf("push %s %d %d", url, 100+seed, size)
				cmd, _ := startChild(t, dir, words)
				time.Sleep(time.Duration(150+rand.IntN(250)) * time.Millisecond)
				_ = cmd.Process.Kill()
				killed := cmd.Wait() != nil
				p := Blob{Data: noise(100+seed, size), Type: "text/plain"}.pointer()
				data, err := reader.Get(t.Context(), p)
				switch {
				case err == nil && len(data) == size:
				case errors.Is(err, ErrNotFound):
					if killed {
						halfway++
					}
				default:
					t.Errorf("after a kill: %d bytes, %v", len(data), err)
				}
				again, said := startChild(t, dir, words)
				if err := again.Wait(); err != nil {
					t.Fatalf("the next try: %v\n%s", err, said)
				}
				if data, err := reader.Get(t.Context(), p); err != nil || len(data) != size {
					t.Errorf("after the next try: %d bytes, %v", len(data), err)
				}
			}
			t.Logf("%d of %d were killed before the blob was there", halfway, kills)
		})
	}
}
