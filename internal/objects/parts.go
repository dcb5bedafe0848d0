package objects

import (
	"context"
	"crypto/md5" //nolint:gosec // by which S3 knows a part where it keeps no better checksum
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/plumb-ml/plumb/internal/parts"
)

// send sends the parts that are not there.
func (s *sending) send(ctx context.Context, up upload, alive func()) ([]types.CompletedPart, error) {
	done := make([]types.CompletedPart, s.whole.Count())
	err := s.whole.Send(ctx, alive, func(ctx context.Context, p parts.Part) (err error) {
		done[p.Index], err = s.arrive(ctx, up, p, alive)
		return err
	})
	return done, err
}

// arrive sends a part, unless it is there.
func (s *sending) arrive(ctx context.Context, up upload, part parts.Part, alive func()) (types.CompletedPart, error) {
	p := types.CompletedPart{PartNumber: aws.Int32(int32(part.Index + 1)), ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(part.SHA256[:]))}
	there, ok := up.there[*p.PartNumber]
	if ok && holds(there, part) {
		p.ETag = there.ETag
	} else {
		in := &s3.UploadPartInput{Bucket: &s.bucket, Key: &s.key, UploadId: &up.id, PartNumber: p.PartNumber, Body: part.Body(alive)}
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
func holds(there types.Part, ours parts.Part) bool {
	if aws.ToInt64(there.Size) != int64(len(ours.Data)) {
		return false
	}
	if there.ChecksumSHA256 != nil {
		return *there.ChecksumSHA256 == base64.StdEncoding.EncodeToString(ours.SHA256[:])
	}
	sum := md5.Sum(ours.Data) //nolint:gosec // as above
	return strings.Trim(aws.ToString(there.ETag), `"`) == hex.EncodeToString(sum[:])
}

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
