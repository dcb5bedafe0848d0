package plumb_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// misbehave does one thing that a trainer should not, and gives the predictions as they are then. Everything is bounded, so that a test that fails
// leaves the machine alone.
func misbehave(misdeed string, lines []string) ([]string, error) {
	name, arg, _ := strings.Cut(misdeed, "=")
	out := os.Getenv("PLUMB_OUT")
	model := filepath.Join(out, "model")
	switch name {
	case "crash":
		return nil, errors.New("ValueError: could not convert string to float: 'x'")
	case "flood":
		block := bytes.Repeat([]byte(strings.Repeat("all work and no play ", 3)+"\n"), 1<<10)
		for range 1 << 30 / len(block) {
			os.Stdout.Write(block)
		}
	case "hang":
		time.Sleep(time.Minute)
	case "forks":
		for range 1000 {
			c := exec.Command("sleep", "30")
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := c.Start(); err != nil {
				return nil, err
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Second)
	case "memory":
		var kept [][]byte
		for range 64 { // 512 MiB
			b := make([]byte, 8<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		fmt.Println(len(kept))
	case "no-model":
		return lines, os.Remove(filepath.Join(model, "weights.json"))
	case "misses":
		return lines[2:], nil
	case "doubles":
		return append(lines, lines[0]), nil
	case "invents":
		return append(lines, "999999,0.5"), nil
	case "nan":
		lines[3] = strings.Split(lines[3], ",")[0] + ",NaN"
	case "beyond":
		lines[3] = strings.Split(lines[3], ",")[0] + ",1.5"
	case "labels":
		text, err := os.ReadFile(arg)
		if err != nil {
			return nil, err
		}
		fmt.Printf("found %d bytes of labels\n", len(text))
	case "secret":
		return lines, tellSecret(arg)
	case "outlives":
		c := exec.Command("sh", "-c", "sleep 1; while :; do echo row_id,score > "+filepath.Join(out, "predictions.csv")+"; sleep 0.1; done")
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return lines, c.Start()
	case "link":
		return lines, os.Symlink("/etc/passwd", filepath.Join(model, "more"))
	case "pipe":
		return lines, syscall.Mkfifo(filepath.Join(model, "more"), 0o644)
	case "many":
		for i := range 11_000 {
			if err := os.WriteFile(filepath.Join(model, fmt.Sprint(i)), nil, 0o644); err != nil {
				return nil, err
			}
		}
	case "noise": // a log and curves that try to do something where they are shown
		fmt.Print("\x1b[2J\x1b]0;title\a::error::from the program\n##[set-output name=x]y\n\xff\xfe\x00\n::endgroup::\n::stop-commands::x\n")
		curves := `{"step":1,"name":"::error::x","value":1}` + "\n" + `{"step":1,"name":"a\u001b[31m","value":1}` + "\nnonsense\n" + `{"step":1,"name":"loss","value":NaN}` + "\n" +
			`{"step":1,"name":"<script>","value":1}` + "\n" + strings.Repeat(`{"step":1,"name":"loss","value":1,"split":"train"}`+"\n", 100_000)
		return lines, os.WriteFile(filepath.Join(out, "metrics.jsonl"), []byte(curves), 0o644)
	case "environment":
		for _, e := range os.Environ() {
			fmt.Println("env", e)
		}
		return lines, filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error { fmt.Println("file", path); return err })
	case "kill":
		return lines, errors.Join(syscall.Kill(os.Getppid(), syscall.SIGKILL))
	default:
		return nil, fmt.Errorf("there is no misdeed %s", name)
	}
	return lines, nil
}

// tellSecret prints MY_TOKEN in many ways, or writes it where it would be published.
func tellSecret(how string) error {
	secret := os.Getenv("MY_TOKEN")
	if secret == "" {
		return errors.New("there is no MY_TOKEN")
	}
	out := os.Getenv("PLUMB_OUT")
	switch how {
	case "print":
		fmt.Println("token:", secret)
		fmt.Println("base64:", base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("user:"+secret)), base64.URLEncoding.EncodeToString([]byte("x"+secret)))
		fmt.Println("hex:", hex.EncodeToString([]byte(secret)))
		fmt.Fprintln(os.Stderr, "error:", secret)
		for i := 0; i < len(secret); i += 5 {
			fmt.Println(secret[i:min(i+5, len(secret))])
		}
	case "fail":
		return errors.New("can't log in with " + secret)
	case "model":
		return os.WriteFile(filepath.Join(out, "model", "config.ini"), []byte("token = "+secret+"\n"), 0o644)
	case "name":
		return os.WriteFile(filepath.Join(out, "model", secret), nil, 0o644)
	case "curve":
		return os.WriteFile(filepath.Join(out, "metrics.jsonl"), []byte(`{"step":1,"name":"`+secret+`","value":1}`+"\n"), 0o644)
	}
	return nil
}
