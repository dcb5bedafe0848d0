package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/plumb-ml/plumb/internal/store/storetest"
)

// What was begun is dropped when it is old, and with its blob. What is not a blob of ours stays.
func TestUnfinishedUploads(t *testing.T) {
	server := storetest.StartS3(t)
	raw := rawS3{t, server.Client()}
	ctx := t.Context()
	data := noise(500, partSize+1000)
	p := Blob{Data: data}.pointer()
	first := raw.begin("mine/"+fanned(p.SHA256), types.ChecksumAlgorithmSha256, data[:partSize])
	raw.begin("mine/README", types.ChecksumAlgorithmSha256, data[:partSize])
	raw.begin(fanned(p.SHA256), types.ChecksumAlgorithmSha256, data[:partSize])
	s, _ := inRepository(t, server.URL("mine"), Options{})
	uploader := s.(Uploader)
	if young, err := uploader.Unfinished(ctx, time.Now().Add(-Grace)); err != nil || len(young) != 0 {
		t.Errorf("none is old: %v, %v", young, err)
	}
	found, err := uploader.Unfinished(ctx, time.Now().Add(time.Hour))
	if err != nil || len(found) != 1 || found[0].SHA256 != p.SHA256 || found[0].Bytes != partSize || time.Since(found[0].Started) > time.Hour {
		t.Fatalf("%+v, %v", found, err)
	}
	for range 2 {
		if err := uploader.Abandon(ctx, found); err != nil {
			t.Error(err)
		}
	}
	second := raw.begin("mine/"+fanned(p.SHA256), types.ChecksumAlgorithmSha256, data[:partSize])
	if err := s.Remove(ctx, []string{p.SHA256}, time.Time{}); err != nil {
		t.Error(err)
	}
	if left := raw.uploads(); len(left) != 2 || slices.Contains(left, first) || slices.Contains(left, second) {
		t.Errorf("left: %v", left)
	}
}

// A file that is another than the one that was pinned leaves no upload behind; a push that is called off leaves one, to go on.
func TestUploadsLeftBehind(t *testing.T) {
	server := storetest.StartS3(t)
	raw := rawS3{t, server.Client()}
	data := noise(501, 4*partSize)
	p := Blob{Data: data}.pointer()
	s, dir := inRepository(t, server.URL(""), Options{})
	n := Named{Pointer: p, File: filepath.Join(dir, "file"), What: "file"}
	spoilt := bytes.Clone(data)
	spoilt[len(spoilt)-1] ^= 1
	if err := os.WriteFile(n.File, spoilt, 0o666); err != nil {
		t.Fatal(err)
	}
	if sent, err := s.Push(t.Context(), []Named{n}); err == nil || len(raw.uploads()) != 0 {
		t.Errorf("other bytes: %+v, %v, left: %v", sent, err, raw.uploads())
	}
	ctx, cancel := context.WithCancel(t.Context())
	passed := &partsSent{each: func(int64) { cancel() }}
	slow, _ := inRepository(t, between(t, server, nil, passed.count), Options{})
	put(t, slow, string(data))
	if sent, err := slow.Push(ctx, named(p)); !errors.Is(err, context.Canceled) || len(raw.uploads()) != 1 {
		t.Errorf("called off: %+v, %v, left: %v", sent, err, raw.uploads())
	}
	before := passed.parts.Load()
	if _, err := slow.Push(t.Context(), named(p)); err != nil || passed.parts.Load()-before > 3 || len(raw.uploads()) != 0 {
		t.Errorf("once more: %v, %d parts after %d, left: %v", err, passed.parts.Load(), before, raw.uploads())
	}
}
