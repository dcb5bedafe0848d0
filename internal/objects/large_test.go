package objects

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/plumb-ml/plumb/internal/parts"
	"github.com/plumb-ml/plumb/internal/store/storetest"
)

// tapped opens a store's address, and counts what is sent to it.
func tapped(t *testing.T, address string) (b *Bucket, sent func() int64) {
	t.Helper()
	address, traffic := storetest.Tap(t, address)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b, err = Open(t.Context(), Place{Scheme: u.Scheme, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/"), Query: u.Query()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, traffic.Sent.Load
}

const testBytes = 2*parts.Bytes + 1000 // three parts

// testObject is noise with a name of its own, and its parts.
func testObject(seed uint64) (Object, []parts.Part) {
	data := make([]byte, testBytes)
	_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(data) // never fails
	var cut []parts.Part
	for some := range slices.Chunk(data, parts.Bytes) {
		cut = append(cut, parts.Part{Index: len(cut), Data: some, SHA256: sha256.Sum256(some)})
	}
	return Object{Name: fmt.Sprintf("large/%d", seed), Bytes: testBytes, Type: "text/plain", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}, cut
}

// checkPut writes an object, of which some parts of partSize have to be sent, and reads it again.
func checkPut(t *testing.T, b *Bucket, sent func() int64, o Object, missing ...int64) {
	t.Helper()
	before, want := sent(), int64(0)
	for _, n := range missing {
		want += n
	}
	if err := b.Put(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if n := sent() - before; n < want || n > want+64<<10 {
		t.Errorf("%d bytes were sent, not %d", n, want)
	}
	r, err := b.Get(t.Context(), o.Name, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	src, _ := o.Open()
	data, _ := io.ReadAll(src)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes are there of %d, or others: %v", len(got), len(data), err)
	}
	attrs, err := b.bucket.Attributes(t.Context(), o.Name)
	if err != nil || attrs.ContentType != o.Type {
		t.Errorf("%+v, %v", attrs, err)
	}
}

const first, last = parts.Bytes, 1000 // sizes of parts

// What lies uncommitted under an object's name is believed block by block.
func TestBlocksThatAreThere(t *testing.T) {
	b, sent := tapped(t, storetest.StartAzure(t))
	azure := b.large.(*blocks)
	stage := func(blob *blockblob.Client, id string, data []byte) {
		t.Helper()
		if _, err := blob.StageBlock(context.Background(), id, parts.Part{Data: data}.Body(func() {}), nil); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(0)
	for name, c := range map[string]struct {
		begin func(blob *blockblob.Client, p []parts.Part)
		sent  []int64
	}{
		"none": {func(*blockblob.Client, []parts.Part) {}, []int64{first, first, last}},
		"some": {func(blob *blockblob.Client, p []parts.Part) {
			stage(blob, blockID(p[0]), p[0].Data)
			stage(blob, blockID(p[2]), p[2].Data)
		}, []int64{first}},
		"all": {func(blob *blockblob.Client, p []parts.Part) {
			for _, p := range p {
				stage(blob, blockID(p), p.Data)
			}
		}, nil},
		"one cut": {func(blob *blockblob.Client, p []parts.Part) {
			stage(blob, blockID(p[0]), p[0].Data)
			stage(blob, blockID(p[1]), p[1].Data[:1000])
		}, []int64{first, last}},
		"of other bytes": {func(blob *blockblob.Client, p []parts.Part) {
			other := p[0]
			other.SHA256[0]++
			stage(blob, blockID(other), p[0].Data)
			stage(blob, blockID(p[1]), p[1].Data)
		}, []int64{first, last}},
		"of the client's own upload": {func(blob *blockblob.Client, p []parts.Part) {
			stage(blob, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("u"), 64)), p[0].Data)
		}, []int64{first, first, last}},
		"there already, to be mended": {func(blob *blockblob.Client, p []parts.Part) {
			for _, p := range p {
				stage(blob, blockID(p), bytes.Repeat([]byte("x"), len(p.Data)))
			}
			if _, err := blob.CommitBlockList(context.Background(), []string{blockID(p[0]), blockID(p[1]), blockID(p[2])}, nil); err != nil {
				t.Fatal(err)
			}
		}, []int64{first, first, last}},
	} {
		seed++
		t.Run(name, func(t *testing.T) {
			o, cut := testObject(seed)
			c.begin(azure.container.NewBlockBlobClient(azure.prefix+o.Name), cut)
			checkPut(t, b, sent, o, c.sent...)
		})
	}
	o, _ := testObject(99)
	stage(azure.container.NewBlockBlobClient(azure.prefix+o.Name), "AAAA", []byte("block of a program whose ids are not as long"))
	if err := b.Put(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another program's unfinished upload") {
		t.Error(err)
	}
	o, cut := testObject(100)
	blob := azure.container.NewBlockBlobClient(azure.prefix + o.Name)
	stage(blob, blockID(cut[0]), cut[0].Data)
	if err := b.Delete(t.Context(), o.Name); err != nil || len(arrived(t.Context(), blob)) > 0 {
		t.Errorf("after Delete: %v, %v", arrived(t.Context(), blob), err)
	}
	if _, err := b.Stat(t.Context(), o.Name); !isAbsent(err) {
		t.Error(err)
	}
}

// What lies in the folder of an object's parts is believed part by part, and goes.
func TestPartsToCompose(t *testing.T) {
	b, sent := tapped(t, storetest.StartGoogle(t))
	google := b.large.(*composed)
	lay := func(o Object, p parts.Part, data []byte) {
		t.Helper()
		name := strings.TrimPrefix(google.folder(o.Name), google.prefix) + fmt.Sprintf("%04d-%x", p.Index, p.SHA256)
		if err := b.bucket.WriteAll(context.Background(), name, data, nil); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(0)
	for name, c := range map[string]struct {
		begin func(o Object, p []parts.Part)
		sent  []int64
	}{
		"none": {func(Object, []parts.Part) {}, []int64{first, first, last}},
		"some": {func(o Object, p []parts.Part) { lay(o, p[0], p[0].Data); lay(o, p[2], p[2].Data) }, []int64{first}},
		"all": {func(o Object, p []parts.Part) {
			for _, p := range p {
				lay(o, p, p.Data)
			}
		}, nil},
		"one cut":    {func(o Object, p []parts.Part) { lay(o, p[0], p[0].Data); lay(o, p[1], p[1].Data[:1000]) }, []int64{first, last}},
		"one spoilt": {func(o Object, p []parts.Part) { lay(o, p[0], bytes.Repeat([]byte("x"), parts.Bytes)) }, []int64{first, first, last}},
		"elsewhere":  {func(o Object, p []parts.Part) { o.Name += "-longer"; lay(o, p[0], p[0].Data) }, []int64{first, first, last}},
	} {
		seed++
		t.Run(name, func(t *testing.T) {
			o, cut := testObject(seed)
			c.begin(o, cut)
			checkPut(t, b, sent, o, c.sent...)
		})
	}
	later := time.Now().Add(time.Hour)
	left, err := b.Unfinished(t.Context(), later)
	if err != nil || len(left) != 1 || !strings.HasSuffix(left[0].Name, "-longer") || left[0].Bytes != first {
		t.Fatalf("%+v, %v", left, err)
	}
	for range 2 {
		if err := b.Abort(t.Context(), left[0]); err != nil {
			t.Error(err)
		}
	}
	if left, err := b.Unfinished(t.Context(), later); err != nil || len(left) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

// More parts than Google composes at once go in two rounds.
func TestComposeInTwoRounds(t *testing.T) {
	b, _ := tapped(t, storetest.StartGoogle(t))
	o, _ := testObject(1)
	c := &composing{b.large.(*composed), rivals{in: b.bucket, object: o}, parts.Whole{Bytes: o.Bytes, Size: 200 << 10, Open: o.Open}, time.Minute}
	if n := c.whole.Count(); n < 2*composeOf {
		t.Fatal(n)
	}
	if err := c.try(t.Context(), nil, func() {}); err != nil {
		t.Fatal(err)
	}
	got, err := b.bucket.ReadAll(t.Context(), o.Name)
	src, _ := o.Open()
	if data, _ := io.ReadAll(src); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if left, err := b.Unfinished(t.Context(), time.Now().Add(time.Hour)); err != nil || len(left) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}
