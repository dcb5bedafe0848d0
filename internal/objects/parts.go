package objects

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // by which S3 knows a part where it keeps no better checksum
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (s *sending) count() int { return int((s.object.Bytes + s.size - 1) / s.size) }

// bytesOf is the size of a part, counted from 0.
func (s *sending) bytesOf(i int) int64 { return min(s.size, s.object.Bytes-int64(i)*s.size) }

// send reads the object once, from its first byte, and sends the parts that are not there, some at a time. It ends well only after the source has said that it
// was whole.
func (s *sending) send(ctx context.Context, up upload, alive func()) ([]types.CompletedPart, error) {
	src, err := s.object.Open()
	if err != nil {
		return nil, final{err}
	}
	defer src.Close()
	// After a failure no more parts are begun, and those on their way arrive: they are of use to the next try, and one that comes after its upload was aborted
	// brings it back on some services.
	begin, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make([]types.CompletedPart, s.count())
	free := make(chan []byte, partsAtOnce)
	for range partsAtOnce {
		free <- nil
	}
	var all sync.WaitGroup
	for i := range done {
		data := <-free
		if begin.Err() != nil {
			break
		}
		alive()
		if data, err = s.read(src, i, data); err != nil {
			stop(final{err})
			break
		}
		sum := sha256.Sum256(data)
		p := types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:]))}
		all.Go(func() {
			var err error
			if done[i], err = s.arrive(ctx, up, p, &told{bytes.NewReader(data), alive}); err != nil {
				stop(err)
			}
			free <- data
		})
	}
	all.Wait()
	return done, context.Cause(begin)
}

// read gives the bytes of a part, and with the last one makes sure that they are all.
func (s *sending) read(src io.Reader, i int, data []byte) ([]byte, error) {
	size := s.bytesOf(i)
	if data == nil {
		data = make([]byte, size)
	}
	data = data[:size]
	if _, err := io.ReadFull(src, data); err != nil {
		return nil, fmt.Errorf("reading what is sent: %w", err)
	}
	if i+1 < s.count() {
		return data, nil
	}
	if n, err := io.ReadFull(src, make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		if n > 0 {
			err = fmt.Errorf("there are more than %d bytes", s.object.Bytes)
		}
		return nil, fmt.Errorf("reading what is sent: %w", err)
	}
	return data, nil
}

// arrive sends a part, unless it is there.
func (s *sending) arrive(ctx context.Context, up upload, p types.CompletedPart, body *told) (types.CompletedPart, error) {
	there, ok := up.there[*p.PartNumber]
	if ok && holds(there, p, body) {
		p.ETag = there.ETag
	} else {
		in := &s3.UploadPartInput{Bucket: &s.bucket, Key: &s.key, UploadId: &up.id, PartNumber: p.PartNumber, Body: body}
		if up.sums {
			in.ChecksumSHA256 = p.ChecksumSHA256
		}
		out, err := s.client.UploadPart(ctx, in, checksums(up.sums))
		if err != nil {
			return p, err
		}
		p.ETag = out.ETag
	}
	if !up.sums {
		p.ChecksumSHA256 = nil
	}
	return p, nil
}

// holds says whether a part that has arrived is ours, by the best checksum that the service keeps. An ETag is the MD5 of the part, but with some ways of
// encryption it is nothing that we could know; the part is sent again then.
func holds(there types.Part, ours types.CompletedPart, body *told) bool {
	if aws.ToInt64(there.Size) != body.data.Size() {
		return false
	}
	if there.ChecksumSHA256 != nil {
		return *there.ChecksumSHA256 == *ours.ChecksumSHA256
	}
	sum := md5.New() //nolint:gosec // as above
	_, _ = io.Copy(sum, io.NewSectionReader(body.data, 0, body.data.Size()))
	return strings.Trim(aws.ToString(there.ETag), `"`) == hex.EncodeToString(sum.Sum(nil))
}

// told is a part on its way, which tells when there is progress. It hides what else a bytes.Reader can, as that would go past Read.
type told struct {
	data  *bytes.Reader
	alive func()
}

// Read reads.
func (t *told) Read(p []byte) (int, error) {
	t.alive()
	return t.data.Read(p)
}

// Seek seeks: a part is read several times, to sign it and at another try.
func (t *told) Seek(offset int64, whence int) (int64, error) { return t.data.Seek(offset, whence) }

// slowest is how many times the patience with a request a service may take to make one object of many parts. It sends nothing meanwhile.
const slowest = 20

// beat tells of life until it is called off, or for that long.
func beat(alive func(), patience time.Duration) (done func()) {
	ctx, done := context.WithTimeout(context.Background(), slowest*patience)
	go func() {
		tick := time.NewTicker(patience / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				alive()
			}
		}
	}()
	return done
}
