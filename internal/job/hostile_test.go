//go:build linux

package job

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets this test's own binary be the program that is run: it needs no interpreter, and each misdeed is a few lines here.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "hostile" {
		misdeeds[os.Args[2]](os.Args[3:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// init, unlike main, runs on the process's first thread. When that ends and others go on, the process looks like a zombie.
func init() {
	if len(os.Args) > 3 && os.Args[2] == "eat-behind-a-zombie" {
		go func() {
			eat(os.Args[3:])
			os.Exit(0)
		}()
		time.Sleep(50 * time.Millisecond)
		syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	}
}

// misdeeds are what programs do wrong, on purpose or not. Each is bounded, so that a test that fails leaves the machine alone.
var misdeeds = map[string]func(args []string){
	"print": func(args []string) { fmt.Println(strings.Join(args, " ")) },
	"env": func([]string) {
		for _, e := range os.Environ() {
			fmt.Println(e)
		}
	},
	"exit": func(args []string) { n, _ := strconv.Atoi(args[0]); fmt.Println("going"); os.Exit(n) },
	"flood": func(args []string) {
		n, _ := strconv.Atoi(args[0])
		line := append(bytes.Repeat([]byte("x"), 1023), '\n')
		w := bufio.NewWriterSize(os.Stdout, 1<<16)
		fmt.Fprintln(w, "the first line")
		for range n << 10 {
			w.Write(line)
		}
		fmt.Fprintln(w, "the last line")
		w.Flush()
	},
	"sleep": func(args []string) { d, _ := time.ParseDuration(args[0]); time.Sleep(d) },
	"fork": func(args []string) {
		n, _ := strconv.Atoi(args[0])
		for range n {
			c := exec.Command("sleep", "30")
			if c.Start() != nil {
				break
			}
		}
		time.Sleep(30 * time.Second)
	},
	"eat": func(args []string) { eat(args) },
	"daemon": func(args []string) { // a child in a session of its own, whose parent goes away
		c := exec.Command(os.Args[0], "hostile", "outlive", args[0])
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := c.Start(); err != nil {
			fmt.Println(err)
		}
		time.Sleep(200 * time.Millisecond)
		if len(args) > 1 {
			time.Sleep(20 * time.Second)
		}
	},
	"outlive": func(args []string) {
		for i := range 200 {
			os.WriteFile(args[0], []byte(strconv.Itoa(i)), 0o644)
			time.Sleep(50 * time.Millisecond)
		}
	},
	"kill-parent": func([]string) {
		fmt.Println("parent:", syscall.Kill(os.Getppid(), syscall.SIGKILL))
		fmt.Println("group:", syscall.Kill(-os.Getppid(), syscall.SIGKILL))
		time.Sleep(300 * time.Millisecond)
	},
	"read": func(args []string) {
		for _, path := range args {
			_, err := os.ReadFile(path)
			if info, e := os.Stat(path); e == nil && info.IsDir() {
				_, err = os.ReadDir(path)
			}
			fmt.Printf("%s: %v\n", path, err)
		}
	},
	"write": func(args []string) {
		for _, path := range args {
			fmt.Printf("%s: %v\n", path, os.WriteFile(path, []byte("x"), 0o644))
		}
	},
	"fill": func(args []string) { // disk, in many files
		n, _ := strconv.Atoi(args[1])
		for i := range n {
			if err := os.WriteFile(filepath.Join(args[0], strconv.Itoa(i)), bytes.Repeat([]byte("x"), 1<<20), 0o644); err != nil {
				fmt.Println(err)
				break
			}
		}
		time.Sleep(10 * time.Second)
	},
	"one-file": func(args []string) {
		f, err := os.Create(args[0])
		if err != nil {
			panic(err)
		}
		for range 64 {
			if _, err := f.Write(make([]byte, 1<<20)); err != nil {
				panic(err)
			}
		}
	},
	"many-files": func(args []string) {
		n, _ := strconv.Atoi(args[1])
		for i := range n {
			f, err := os.Create(filepath.Join(args[0], strconv.Itoa(i)))
			if err != nil {
				fmt.Println(err)
				break
			}
			f.Close()
		}
		time.Sleep(10 * time.Second)
	},
	"deep": func(args []string) {
		os.Chdir(args[0])
		for range 300 {
			if os.Mkdir("d", 0o755) != nil || os.Chdir("d") != nil {
				break
			}
		}
		time.Sleep(10 * time.Second)
	},
	"split-secret": func(args []string) {
		for _, c := range os.Getenv("MY_TOKEN") {
			fmt.Printf("%c\n", c)
			time.Sleep(20 * time.Millisecond)
		}
	},
	"bomb": func(args []string) { // each starts two more, for five seconds at most
		until, _ := strconv.ParseInt(args[0], 10, 64)
		for range 2 {
			if time.Now().UnixMilli() < until {
				c := exec.Command(os.Args[0], os.Args[1:]...)
				c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
				c.Start()
			}
		}
		time.Sleep(4 * time.Second)
	},
	"fence": func([]string) { // what a supervisor does
		runtime.LockOSThread()
		f := enclose()
		inside := exec.Command("sleep", "20")
		inside.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := inside.Start(); err != nil {
			panic(err)
		}
		if f.holds {
			f.kill()
		}
		fmt.Println(f.holds, inside.Wait())
	},
	"files": func([]string) {
		entries, _ := os.ReadDir("/proc/self/fd")
		for _, e := range entries {
			to, _ := os.Readlink("/proc/self/fd/" + e.Name())
			fmt.Printf("fd %s: %s\n", e.Name(), to)
		}
	},
	"start-a-job": func([]string) { // as plumb does, to be killed
		r, err := NewRoom()
		if err != nil {
			panic(err)
		}
		self, _ := os.Executable()
		fmt.Println(r.dir)
		r.Run(context.Background(), Spec{Argv: []string{self, "hostile", "daemon", filepath.Join(r.Out(), "beat"), "stay"}, Env: r.Environment(os.Environ(), nil)})
	},
	"closed": func([]string) { // output that nobody can see ends nothing
		os.Stdout.Close()
		os.Stderr.Close()
		time.Sleep(200 * time.Millisecond)
	},
	"segfault": func([]string) { syscall.Kill(os.Getpid(), syscall.SIGSEGV) },
	"worker": func(args []string) { // answers each row with the sum of its numbers, or as badly as it is told
		in := bufio.NewReaderSize(os.Stdin, 1<<20)
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			var q question
			if err := json.Unmarshal(line, &q); err != nil {
				fmt.Printf("{\"error\":%q}\n", err.Error())
				continue
			}
			switch args[0] {
			case "well":
				fmt.Fprintln(os.Stderr, "thinking about", len(q.Rows))
				var scores []float64
				for _, row := range q.Rows {
					sum := 0.0
					for _, v := range row {
						f, _ := v.(float64)
						sum += f
					}
					scores = append(scores, sum)
				}
				text, _ := json.Marshal(map[string]any{"scores": scores})
				fmt.Println(string(text))
			case "gone":
				os.Exit(4)
			case "silent":
				time.Sleep(30 * time.Second)
			case "endless":
				for range 80 {
					os.Stdout.Write(bytes.Repeat([]byte("x"), 1<<20))
				}
				fmt.Println()
			default:
				fmt.Println(args[0])
			}
		}
	},
}

// eat takes memory step by step, to a bound.
func eat(args []string) {
	n, _ := strconv.Atoi(args[0])
	var kept [][]byte
	for range n {
		b := make([]byte, 8<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
		time.Sleep(5 * time.Millisecond)
	}
	fmt.Println(len(kept))
	time.Sleep(10 * time.Second)
}
