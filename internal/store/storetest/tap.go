package storetest

import (
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const googleServer = "STORAGE_EMULATOR_HOST"

var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// Traffic is what clients have sent by a tap.
type Traffic struct {
	Sent  atomic.Int64 // bytes
	Limit atomic.Int64 // of Sent: then nothing passes until it is raised; 0 for none
}

// Tap gives another address of a store whose server is on this machine.
func Tap(t testing.TB, url string) (tapped string, traffic *Traffic) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	server := address.FindString(url)
	if server == "" { // Google's library is told by the environment
		server = os.Getenv(googleServer)
		t.Setenv(googleServer, l.Addr().String())
	}
	traffic = new(Traffic)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go forward(client, server, traffic)
		}
	}()
	return strings.ReplaceAll(url, server, l.Addr().String()), traffic
}

func forward(client net.Conn, server string, traffic *Traffic) {
	defer client.Close()
	up, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(up, io.TeeReader(client, traffic))
		_ = up.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, up)
}

// Write counts what passes, and holds it up.
func (t *Traffic) Write(p []byte) (int, error) {
	t.Sent.Add(int64(len(p)))
	for limit := t.Limit.Load(); limit > 0 && t.Sent.Load() >= limit; limit = t.Limit.Load() {
		time.Sleep(time.Millisecond)
	}
	return len(p), nil
}
