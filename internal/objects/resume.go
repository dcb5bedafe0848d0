package objects

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/plumb-ml/plumb/internal/parts"
	"github.com/plumb-ml/plumb/internal/retry"
)

// sending is one large object on its way to S3, over all tries. A try takes up an unfinished upload of the very key, whoever began it: a part whose size and
// checksum are those of our bytes at its place is kept, any other is sent.
// Several may be at one key at once, and even at one upload, since its name follows from its bytes: who comes second finds his upload gone and the object
// there. So others' uploads are aborted only when the object is there.
type sending struct {
	*multipart
	rivals
	key     string
	whole   parts.Whole
	plain   bool         // the service takes no SHA-256 of parts
	refused []string     // uploads that the service would not go on with
	used    []Unfinished // in this and earlier tries
	hidden  bool         // the service does not list uploads, or not to us: nobody else can go on with ours
}

// upload is the one that a try uses.
type upload struct {
	Unfinished
	sums  bool                 // parts go with their SHA-256, and are known by it
	there map[int32]types.Part // what had arrived before
	fresh bool
}

const abortTime = 10 * time.Second

var errNotThere = errors.New("the parts were taken, and the object is not there")

func (m *multipart) put(ctx context.Context, b *Bucket, o Object) error {
	s := &sending{multipart: m, rivals: rivals{in: b.bucket, object: o}, key: m.prefix + o.Name, whole: wholeOf(o, maxParts)}
	s.plain = s.client.Options().RequestChecksumCalculation == aws.RequestChecksumCalculationWhenRequired
	err := b.try(ctx, func(ctx context.Context, alive func()) error {
		if won, err := s.won(ctx); err != nil {
			return err
		} else if won {
			s.clear(ctx, s.used)
			return nil
		}
		return s.try(ctx, alive, b.patience)
	})
	if err != nil && s.hidden {
		s.clear(ctx, s.used)
	}
	return err
}

// try sends what is missing.
func (s *sending) try(ctx context.Context, alive func(), patience time.Duration) error {
	found, err := s.unfinished(ctx, s.key)
	if err != nil {
		found = slices.Clone(s.used)
		s.hidden = isRefused(err) || isForbidden(err)
	}
	found = slices.DeleteFunc(found, func(u Unfinished) bool { return u.key != s.key })
	up, err := s.choose(ctx, found)
	if err != nil {
		return err
	}
	s.used = append(s.used, up.Unfinished)
	sent, err := s.send(ctx, up, alive)
	if err == nil {
		done := beat(alive, patience)
		err = s.complete(ctx, up, sent)
		done()
	}
	var own retry.Final
	switch {
	case err == nil:
		s.clear(ctx, slices.DeleteFunc(append(found, s.used...), func(u Unfinished) bool { return u.id == up.id }))
		return nil
	case errors.As(err, &own): // our bytes are not what they are called
		s.clear(ctx, []Unfinished{up.Unfinished})
		return err
	case isGone(err):
		if won, lookErr := s.won(ctx); lookErr == nil && won {
			s.clear(ctx, s.used) // a part that came late may have brought it back
			return nil
		}
	}
	if isRefused(err) {
		s.refused = append(s.refused, up.id)
		s.plain = s.plain || up.fresh && !isGone(err)
	}
	return err
}

// isRefused says that the service would answer the same at another try: to this upload, or to the checksums.
func isRefused(err error) bool {
	switch status(err) {
	case http.StatusBadRequest:
		return !strings.Contains(err.Error(), "RequestTimeout") // of a connection that was slow
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

// choose takes up the newest unfinished upload that fits, or begins one.
func (s *sending) choose(ctx context.Context, found []Unfinished) (upload, error) {
	for _, u := range found {
		if up, ok := s.fits(ctx, u); ok {
			return up, nil
		}
	}
	in := &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: &s.key, ContentType: aws.String(mediaType(s.object)), ServerSideEncryption: s.encryption}
	if s.kmsKey != "" {
		in.SSEKMSKeyId = &s.kmsKey
	}
	if !s.plain {
		in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256
	}
	out, err := s.client.CreateMultipartUpload(ctx, in, checksums(!s.plain))
	if err != nil {
		s.plain = s.plain || isRefused(err) // and once more
		return upload{}, err
	}
	return upload{Unfinished: Unfinished{key: s.key, s3Upload: s3Upload{id: aws.ToString(out.UploadId), algorithm: in.ChecksumAlgorithm}}, sums: !s.plain, fresh: true}, nil
}

// fits says whether an upload has parts, cut as ours are and with checksums that we can give.
func (s *sending) fits(ctx context.Context, u Unfinished) (upload, bool) {
	if slices.Contains(s.refused, u.id) {
		return upload{}, false
	}
	there, err := s.parts(ctx, &u)
	sums := u.algorithm == types.ChecksumAlgorithmSha256
	if err != nil || len(there) == 0 || sums && s.plain || !sums && u.algorithm != "" && !u.whole {
		return upload{}, false
	}
	for n, p := range there {
		if n < 1 || int(n) > s.whole.Count() || aws.ToInt64(p.Size) != s.whole.SizeOf(int(n-1)) {
			return upload{}, false
		}
	}
	return upload{Unfinished: u, sums: sums, there: there}, true
}

// complete makes the object of the parts, and waits until it is there: a service may say yes to who comes second while it still works for the first.
func (s *sending) complete(ctx context.Context, up upload, sent []types.CompletedPart) error {
	_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &s.bucket, Key: &s.key, UploadId: &up.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: sent}}, checksums(up.sums))
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if now, err := s.look(ctx); err != nil || now.bytes == s.object.Bytes {
			return err
		}
		if n == retry.Attempts {
			return errNotThere
		}
		if err := retry.Pause(ctx, n); err != nil {
			return err
		}
	}
}

// clear aborts what nobody needs, as far as the service lets us: the bucket's own rule and `store gc` come later.
func (s *sending) clear(ctx context.Context, useless []Unfinished) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer done()
	for _, u := range useless {
		_ = s.abort(ctx, u)
	}
}

// checksums keeps the client from adding a checksum of its own where the service takes none.
func checksums(wanted bool) func(*s3.Options) {
	return func(o *s3.Options) {
		if !wanted {
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		}
	}
}
