package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store/storetest"
)

const partSize = 8 << 20 // of package objects

// rawS3 sees and does with uploads what plumb does not.
type rawS3 struct {
	t *testing.T
	*s3.Client
}

// uploads gives the ids of what is unfinished in the bucket.
func (c rawS3) uploads() []string {
	c.t.Helper()
	all, err := c.ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: aws.String("bucket")})
	if err != nil {
		c.t.Fatal(err)
	}
	var ids []string
	for _, u := range all.Uploads {
		ids = append(ids, *u.UploadId)
	}
	return ids
}

func (c rawS3) parts(key, id string) int {
	c.t.Helper()
	all, err := c.ListParts(context.Background(), &s3.ListPartsInput{Bucket: aws.String("bucket"), Key: &key, UploadId: &id})
	if err != nil {
		c.t.Fatal(err)
	}
	return len(all.Parts)
}

// begin leaves an unfinished upload with parts; nil for one that does not arrive.
func (c rawS3) begin(key string, algorithm types.ChecksumAlgorithm, parts ...[]byte) string {
	c.t.Helper()
	begun, err := c.CreateMultipartUpload(context.Background(), &s3.CreateMultipartUploadInput{Bucket: aws.String("bucket"), Key: &key, ChecksumAlgorithm: algorithm})
	if err != nil {
		c.t.Fatal(err)
	}
	for i, data := range parts {
		if data == nil {
			continue
		}
		in := &s3.UploadPartInput{Bucket: aws.String("bucket"), Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader(data), ChecksumAlgorithm: algorithm}
		if algorithm == types.ChecksumAlgorithmSha256 {
			sum := sha256.Sum256(data)
			in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
		}
		if _, err := c.UploadPart(context.Background(), in, func(o *s3.Options) {
			if algorithm != types.ChecksumAlgorithmCrc32 {
				o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			}
		}); err != nil {
			c.t.Fatal(err)
		}
	}
	return *begun.UploadId
}

// partsSent counts the parts that pass a proxy, and their bytes.
type partsSent struct {
	parts, bytes atomic.Int64
	each         func(n int64) // told after each one has arrived
}

func (p *partsSent) count(a *http.Response) error {
	if a.Request.Method == http.MethodPut && a.Request.URL.Query().Has("partNumber") && a.StatusCode == http.StatusOK {
		p.bytes.Add(a.Request.ContentLength)
		if n := p.parts.Add(1); p.each != nil {
			p.each(n)
		}
	}
	return nil
}

// checkNothingLeft sees to it that no upload stays behind.
func checkNothingLeft(t *testing.T, s Store) {
	t.Helper()
	uploader, ok := s.(Uploader)
	if !ok {
		return
	}
	if left, err := uploader.Unfinished(t.Context(), time.Now().Add(time.Hour)); err != nil || len(left) > 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
}

func checkWhole(t *testing.T, s Store, p record.Pointer) {
	t.Helper()
	r, err := s.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil { // verified as it is read
		t.Error(err)
	}
}

// On S3 it shows to the part: a process is killed when four of ten have arrived, and the next one, with another copy of the repository, sends only what is missing.
func TestResumedUpload(t *testing.T) {
	const parts, kill, size = 10, 4, 10 * partSize
	server := storetest.StartS3(t)
	raw := rawS3{t, server.Client()}
	enough := make(chan struct{})
	first := &partsSent{each: func(n int64) {
		if n == kill {
			close(enough)
		}
	}}
	second := &partsSent{}
	dir, other := t.TempDir(), t.TempDir()
	git(t, dir, "init", "-q")
	git(t, other, "init", "-q")
	cmd, said := startChild(t, dir, fmt.Sprintf("push %s 7 %d", between(t, server, nil, first.count), size))
	select {
	case <-enough:
	case <-time.After(30 * time.Second):
		t.Fatalf("only %d parts have arrived\n%s", first.parts.Load(), said)
	}
	_ = cmd.Process.Kill()
	if cmd.Wait() == nil {
		t.Fatal("it was not killed")
	}
	p := Blob{Data: noise(7, size), Type: "text/plain"}.pointer()
	ids := raw.uploads()
	if len(ids) != 1 {
		t.Fatalf("%d unfinished uploads after the kill", len(ids))
	}
	time.Sleep(200 * time.Millisecond) // what was on its way
	there := raw.parts(fanned(p.SHA256), ids[0])
	again, said := startChild(t, other, fmt.Sprintf("push %s 7 %d", between(t, server, nil, second.count), size))
	if err := again.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("killed with %d of %d parts there; the next process sent %d parts, %d MB of %d", there, parts, second.parts.Load(), second.bytes.Load()/1e6, size/1_000_000)
	if want := parts - there; there < kill || second.parts.Load() != int64(want) || second.bytes.Load() != int64(want*partSize) {
		t.Errorf("%d parts were there, then %d were sent, %d bytes", there, second.parts.Load(), second.bytes.Load())
	}
	reader, _ := inRepository(t, server.URL(""), Options{})
	checkWhole(t, reader, p)
	if left := raw.uploads(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// What lies under the id of an unfinished upload is believed part by part.
func TestPartsThatAreThere(t *testing.T) {
	server := storetest.StartS3(t)
	raw := rawS3{t, server.Client()}
	const size = 2*partSize + 1000 // three parts
	const sha, crc = types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmCrc32
	other := noise(99, partSize)
	seed := 200
	for name, c := range map[string]struct {
		begin func(key string, parts [][]byte)
		sent  int64
	}{
		"some":                   {func(key string, p [][]byte) { raw.begin(key, sha, p[0], nil, p[2]) }, 1},
		"all":                    {func(key string, p [][]byte) { raw.begin(key, sha, p...) }, 0},
		"none":                   {func(key string, _ [][]byte) { raw.begin(key, sha) }, 3},
		"known by MD5":           {func(key string, p [][]byte) { raw.begin(key, "", p[0], other, p[2]) }, 1},
		"one spoilt":             {func(key string, p [][]byte) { raw.begin(key, sha, p[0], other, p[2]) }, 1},
		"another's content":      {func(key string, _ [][]byte) { raw.begin(key, sha, other, other, other[:1000]) }, 3},
		"another checksum":       {func(key string, p [][]byte) { raw.begin(key, crc, p...) }, 3},
		"cut otherwise":          {func(key string, p [][]byte) { raw.begin(key, sha, p[0][:5<<20], p[1]) }, 3},
		"too many":               {func(key string, p [][]byte) { raw.begin(key, sha, p[0], p[1], p[2], p[2]) }, 3},
		"an older one that fits": {func(key string, p [][]byte) { raw.begin(key, sha, p[0]); raw.begin(key, crc, p...) }, 2},
		"cut on the server's disk": {func(key string, p [][]byte) {
			id := raw.begin(key, sha, p...)
			found, _ := filepath.Glob(filepath.Join(server.Dir, ".sgwtmp", "multipart", "*", id, "2"))
			if len(found) != 1 || os.Truncate(found[0], partSize-1) != nil {
				t.Fatalf("no part to cut: %v", found)
			}
		}, 3},
	} {
		seed++
		t.Run(name, func(t *testing.T) {
			data := noise(seed, size)
			sum := Blob{Data: data}.pointer().SHA256
			parts := [][]byte{data[:partSize], data[partSize : 2*partSize], data[2*partSize:]}
			c.begin(fanned(sum), parts)
			raw.begin(fanned(sum)+"-longer", sha, parts[0]) // of another key
			passed := &partsSent{}
			top, last := 0, 0
			var mu sync.Mutex
			s, _ := inRepository(t, between(t, server, nil, passed.count), Options{Update: func(done, total int, _ string) {
				mu.Lock()
				defer mu.Unlock()
				last, top = done, total
			}})
			p := put(t, s, string(data))
			if sent, err := s.Push(t.Context(), named(p...)); err != nil || sent != (Sent{1, size, 0}) {
				t.Fatalf("Push: %+v, %v", sent, err)
			}
			if passed.parts.Load() != c.sent || last != top || top != size/1_000_000 {
				t.Errorf("%d parts were sent, not %d; progress ends with %d of %d MB", passed.parts.Load(), c.sent, last, top)
			}
			reader, _ := inRepository(t, server.URL(""), Options{})
			checkWhole(t, reader, p[0])
			left := raw.uploads()
			if len(left) != 1 {
				t.Errorf("left: %v", left)
			}
			for _, id := range left {
				_, err := raw.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String("bucket"), Key: aws.String(fanned(sum) + "-longer"), UploadId: &id})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Servers that know or allow less get a whole upload.
func TestUploadsThatCantBeResumed(t *testing.T) {
	server := storetest.StartS3(t)
	raw := rawS3{t, server.Client()}
	const size = 2*partSize + 1000
	seed := 300
	for name, c := range map[string]struct {
		meddle func(r *http.Request) (status int, code string)
		sent   int64
	}{
		"no permission to list uploads": {func(r *http.Request) (int, string) {
			return 403 * given(r.Method == http.MethodGet && r.URL.Query().Has("uploads")), "AccessDenied"
		}, 3},
		"no list of uploads": {func(r *http.Request) (int, string) {
			return 501 * given(r.Method == http.MethodGet && r.URL.Query().Has("uploads")), "NotImplemented"
		}, 3},
		"no list of parts": {func(r *http.Request) (int, string) {
			return 501 * given(r.Method == http.MethodGet && r.URL.Query().Has("uploadId")), "NotImplemented"
		}, 3},
		"no SHA-256": {func(r *http.Request) (int, string) {
			return 400 * given(strings.EqualFold(r.Header.Get("X-Amz-Checksum-Algorithm"), "SHA256") || r.Header.Get("X-Amz-Checksum-Sha256") != ""), "InvalidArgument"
		}, 3},
		"no SHA-256 of parts": {func(r *http.Request) (int, string) {
			return 400 * given(r.Header.Get("X-Amz-Checksum-Sha256") != ""), "InvalidArgument"
		}, 3},
		"nothing to abort": {func(r *http.Request) (int, string) { return 403 * given(r.Method == http.MethodDelete), "AccessDenied" }, 2},
	} {
		seed++
		t.Run(name, func(t *testing.T) {
			data := noise(seed, size)
			passed := &partsSent{}
			s, _ := inRepository(t, between(t, server, func(w http.ResponseWriter, r *http.Request) bool {
				status, code := c.meddle(r)
				return status != 0 && refuseXML(w, status, code)
			}, passed.count), Options{})
			p := put(t, s, string(data))
			raw.begin(fanned(p[0].SHA256), types.ChecksumAlgorithmSha256, data[:partSize])
			if _, err := s.Push(t.Context(), named(p...)); err != nil {
				t.Fatal(err)
			}
			if passed.parts.Load() != c.sent {
				t.Errorf("%d parts were sent, not %d", passed.parts.Load(), c.sent)
			}
			reader, _ := inRepository(t, server.URL(""), Options{})
			checkWhole(t, reader, p[0])
		})
	}
}

// A service may take longer to make one object of the parts than it may take for anything else.
func TestSlowToComplete(t *testing.T) {
	server := storetest.StartS3(t)
	begun := atomic.Int64{}
	s, _ := inRepository(t, between(t, server, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploads") {
			begun.Add(1)
		} else if r.Method == http.MethodPost {
			time.Sleep(1500 * time.Millisecond)
		}
		return false
	}, nil), Options{Patience: 700 * time.Millisecond})
	p := put(t, s, string(noise(502, partSize+1)))
	if _, err := s.Push(t.Context(), named(p...)); err != nil || begun.Load() != 1 {
		t.Errorf("%v, %d uploads", err, begun.Load())
	}
}

func given(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
