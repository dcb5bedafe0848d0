package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/store/storetest"
)

// between puts a proxy before an S3 server. meddle answers a request itself and says so, or leaves it to the server.
func between(t *testing.T, server storetest.S3, meddle func(w http.ResponseWriter, r *http.Request) bool, change func(*http.Response) error) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + server.Port})
	proxy.ModifyResponse = change
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if meddle == nil || !meddle(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	return storetest.S3URL(strings.TrimPrefix(front.URL, "http://"), "bucket")
}

func refuseXML(w http.ResponseWriter, status int, code string) bool {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<?xml version=\"1.0\"?><Error><Code>"+code+"</Code><Message>"+code+"</Message></Error>")
	return true
}

// What a server or the network may do to a push and to a read, and what is said then.
func TestTroubleWithAService(t *testing.T) {
	server := storetest.StartS3(t)
	ctx := context.Background()
	good, _ := inRepository(t, server.URL(""), Options{})
	kept := put(t, good, "kept", strings.Repeat("large", 1<<20))
	if _, err := good.Push(ctx, named(kept...)); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	isWrite := func(r *http.Request) bool { return r.Method == http.MethodPut || r.Method == http.MethodPost }
	for name, c := range map[string]struct {
		meddle     func(w http.ResponseWriter, r *http.Request) bool
		change     func(*http.Response) error
		push, get  string // what the errors say; "" for none
		permission bool
		patience   time.Duration
	}{
		"read only": {meddle: func(w http.ResponseWriter, r *http.Request) bool {
			return isWrite(r) && refuseXML(w, 403, "AccessDenied")
		},
			push: "a test's blob .* is not in s3://bucket, and may not be written", permission: true},
		"clock": {meddle: func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method != http.MethodHead && refuseXML(w, 403, "RequestTimeTooSkewed") || r.Method == http.MethodHead && refuseXML(w, 403, "")
		}, push: "this machine's clock is wrong", get: "this machine's clock is wrong", permission: true},
		"no bucket": {meddle: func(w http.ResponseWriter, r *http.Request) bool { return refuseXML(w, 404, "NoSuchBucket") },
			push: "there is no such bucket", get: "there is no such bucket", permission: true},
		"busy": {meddle: func(w http.ResponseWriter, r *http.Request) bool {
			return n.Add(1)%3 == 1 && refuseXML(w, 503, "SlowDown")
		}},
		"a page for everything": {meddle: func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>please log in</html>")
			return true
		}, push: "it said yes and does not have", get: "bytes, .* are recorded|longer than"},
		"hangs": {meddle: func(_ http.ResponseWriter, r *http.Request) bool { return hang(r) },
			push: "no answer for 300ms", get: "no answer for 300ms", patience: 300 * time.Millisecond},
		"cuts downloads": {change: func(a *http.Response) error {
			if a.Request.Method == http.MethodGet && a.ContentLength > 100 && n.Add(1)%3 != 0 {
				a.Body = struct {
					io.Reader
					io.Closer
				}{io.MultiReader(io.LimitReader(a.Body, a.ContentLength/2), brokenReader{}), a.Body}
			}
			return nil
		}},
		"flips a bit": {change: func(a *http.Response) error {
			if a.Request.Method == http.MethodGet && a.ContentLength > 0 && a.Header.Get("Content-Type") == "text/plain" {
				data, err := io.ReadAll(a.Body)
				data[0] ^= 1
				a.Body = io.NopCloser(bytes.NewReader(data))
				return err
			}
			return nil
		}, get: "holds other bytes|not those that were written"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := inRepository(t, between(t, server, c.meddle, c.change), Options{Patience: cmp.Or(c.patience, 5*time.Second)})
			fresh := put(t, s, "fresh for "+name)
			start := time.Now()
			_, err := s.Push(ctx, named(fresh...))
			expect(t, "Push", err, c.push)
			if c.permission != errors.Is(err, fs.ErrPermission) {
				t.Errorf("Push: %v is a refusal: %v", err, !c.permission)
			}
			for i, p := range kept {
				data, err := s.Get(ctx, p)
				expect(t, "Get", err, c.get)
				if c.get == "" && int64(len(data)) != kept[i].Bytes {
					t.Errorf("Get: %d bytes", len(data))
				}
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// hang keeps a request until the client gives up, which a server sees only after it has read the body.
func hang(r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the line broke") }

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

func expect(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "" && (err == nil || !matches(want, err.Error()) || problem.Hint(err) == ""):
		t.Errorf("%s: %v (hint %q), want %q", what, err, problem.Hint(err), want)
	}
}

// Nobody listens, and there is no such host: it is said in seconds, and what this machine has is still read.
func TestNoNetwork(t *testing.T) {
	for name, value := range (storetest.S3{}).Env() {
		t.Setenv(name, value)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, url := range []string{storetest.S3URL(l.Addr().String(), "bucket"), storetest.S3URL("no-such-host.invalid", "bucket"), "oci://" + l.Addr().String() + "/team/blobs"} {
		s, _ := inRepository(t, url, Options{Patience: 5 * time.Second})
		p := put(t, s, "mine")
		if data, err := s.Get(t.Context(), p[0]); err != nil || string(data) != "mine" {
			t.Errorf("%s: what is here: %q, %v", url, data, err)
		}
		_, err := s.Push(t.Context(), named(p...))
		expect(t, url, err, "can't be reached")
		p[0].SHA256 = strings.Repeat("0", 64)
		_, err = s.Get(t.Context(), p[0])
		expect(t, url, err, "can't be reached")
	}
}

// A cancelled push ends at once.
func TestCancelledPush(t *testing.T) {
	server := storetest.StartS3(t)
	ctx, cancel := context.WithCancel(context.Background())
	s, _ := inRepository(t, between(t, server, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			cancel()
			return hang(r)
		}
		return false
	}, nil), Options{})
	start := time.Now()
	_, err := s.Push(ctx, named(put(t, s, "x")...))
	if !errors.Is(err, context.Canceled) || time.Since(start) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// A disk that is full leaves no half blob, and says so.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may mount a small file system")
	}
	small := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(small, 0o777); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small).CombinedOutput(); err != nil {
		t.Skipf("no small file system to be had: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", small).Run() })
	s, _ := inRepository(t, "file://"+small, Options{})
	p := put(t, s, "fits")
	_, err := s.Put(t.Context(), []Blob{{Data: bytes.Repeat([]byte("x"), 4<<20), Type: "text/plain"}})
	expect(t, "Put", err, "no space left on device")
	if data, err := s.Get(t.Context(), p[0]); err != nil || string(data) != "fits" {
		t.Errorf("what was there: %q, %v", data, err)
	}
	checkList(t, s, p)
}
