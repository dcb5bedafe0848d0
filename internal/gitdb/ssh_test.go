package gitdb

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// A remote behind a real sshd, with the key in an agent and nowhere else.
func TestSSH(t *testing.T) {
	at := startSSH(t)
	for _, program := range []bool{true, false} {
		t.Run(fmt.Sprintf("git program %v", program), func(t *testing.T) {
			dir, r := repository(t)
			bare := filepath.Join(t.TempDir(), "bare.git")
			gitRun(t, dir, "init", "-q", "--bare", "-b", "main", bare)
			gitRun(t, dir, "remote", "add", "origin", at.address+bare)
			if !program {
				r.program = ""
			}
			r.SetToken("secret-token", "") // not for ssh
			ctx := context.Background()
			const ref = "refs/heads/plumb/ledger"
			one := must[string](t)(r.Update(ctx, "refs/plumb/private", adding(File{Path: "x", Data: []byte("1")})))
			if err := r.Push(ctx, one+":"+ref); err != nil {
				t.Fatal(err)
			}
			mirror := must[*Mirror](t)(r.Mirror(ctx))
			if err := mirror.FetchTip(ctx, ref, Limits{1 << 20, 1 << 20}); err != nil {
				t.Fatal(err)
			}
			var two string
			err := mirror.Write(ctx, func(w *Writer) (err error) {
				two, err = adding(File{Path: "y", Data: []byte("2")})(w, one)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := mirror.Push(ctx, two+":"+ref); err != nil {
				t.Fatal(err)
			}
			if refs, err := r.ListRemote(ctx, ref); err != nil || refs[ref] != two {
				t.Errorf("the remote has %v, %v", refs, err)
			}
			fsck(t, bare)

			t.Setenv("SSH_AUTH_SOCK", "")
			if err := r.Push(ctx, one+":refs/heads/x"); err == nil || program && !strings.Contains(problem.Hint(err), "ssh-add -l") {
				t.Errorf("without the agent: %v (%s)", err, problem.Hint(err))
			}
		})
	}
}

// sshServer is an sshd that takes one key.
type sshServer struct {
	address string // "ssh://user@host:port"
}

func startSSH(t *testing.T) sshServer {
	t.Helper()
	sshd := tool(t, "sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd")
	for _, name := range []string{"ssh-keygen", "ssh-agent", "ssh-add", "ssh"} {
		tool(t, name)
	}
	top := t.TempDir()
	for _, key := range []string{"host", "user"} {
		run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(top, key))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	if os.Geteuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) // where a root's sshd puts its unprivileged half
	}
	config := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/user.pub\nPidFile none\nUsePAM no\nStrictModes no\n"+
		"PasswordAuthentication no\nPermitRootLogin prohibit-password\n", port, top, top)
	write(t, top, "sshd_config", config)
	server := exec.Command(sshd, "-D", "-e", "-f", filepath.Join(top, "sshd_config"))
	var said strings.Builder
	server.Stderr = &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	host := fmt.Sprintf("127.0.0.1:%d", port)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", host)
		if err == nil {
			connection.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("sshd does not start: %s", said.String())
		}
	}
	hostKey, err := os.ReadFile(filepath.Join(top, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, top, "known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s", port, hostKey))
	startAgent(t, filepath.Join(top, "user"))
	if err := os.Remove(filepath.Join(top, "user")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", "ssh -F none -o BatchMode=yes -o UserKnownHostsFile="+filepath.Join(top, "known_hosts"))
	t.Setenv("SSH_KNOWN_HOSTS", filepath.Join(top, "known_hosts")) // for go-git
	t.Setenv("GIT_ALLOW_PROTOCOL", "ssh")
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return sshServer{"ssh://" + who.Username + "@" + host}
}

// startAgent starts an ssh agent that holds a key.
func startAgent(t *testing.T, key string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // short: it is part of a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.Process.Kill(); _ = agent.Wait() })
	t.Setenv("SSH_AUTH_SOCK", socket)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the ssh agent does not start")
		}
	}
	run(t, "ssh-add", "-q", key)
}

// tool finds a program, in the usual folders too. A skip looks like a pass: PLUMB_REQUIRE makes it a failure.
func tool(t *testing.T, name string, elsewhere ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, path := range elsewhere {
		if _, err := os.Stat(path); err == nil && filepath.Base(path) == name {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("PLUMB_REQUIRE"), ","), name) {
		t.Fatalf("%s is required and not there", name)
	}
	t.Skipf("there is no %s", name)
	return ""
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
