package storetest

import (
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

const googleServer = "STORAGE_EMULATOR_HOST"

var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// Tap gives another address of a store whose server is on this machine, and counts the bytes that clients send by it.
func Tap(t testing.TB, url string) (tapped string, sent *atomic.Int64) {
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
	sent = new(atomic.Int64)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go forward(client, server, sent)
		}
	}()
	return strings.ReplaceAll(url, server, l.Addr().String()), sent
}

func forward(client net.Conn, server string, sent *atomic.Int64) {
	defer client.Close()
	up, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(up, io.TeeReader(client, counter{sent}))
		_ = up.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, up)
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
