package objects

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// multipart is S3's own uploads in parts, below gocloud.dev, whose writer begins a new one each time. What has arrived stays with the service under the id of
// the upload until that is completed or aborted.
type multipart struct {
	client     *s3.Client
	bucket     string
	prefix     string // of keys; "" or with a slash at its end
	encryption types.ServerSideEncryption
	kmsKey     string
}

func newMultipart(client *s3.Client, at Place) *multipart {
	m := &multipart{client: client, bucket: at.Bucket, prefix: at.prefix(), kmsKey: at.Query.Get("kmskeyid")}
	for _, known := range m.encryption.Values() {
		if strings.EqualFold(string(known), at.Query.Get("ssetype")) {
			m.encryption = known
		}
	}
	return m
}

// s3Upload is what S3 knows an upload by, beside its key.
type s3Upload struct {
	id        string
	algorithm types.ChecksumAlgorithm // of the parts' checksums; "" for none, or where the service does not say
	whole     bool                    // that the service takes the checksum of the whole itself, and asks for none of parts
}

// unfinished lists the uploads of keys that start with a prefix, the newest first.
func (m *multipart) unfinished(ctx context.Context, prefix string) ([]Unfinished, error) {
	pages := s3.NewListMultipartUploadsPaginator(m.client, &s3.ListMultipartUploadsInput{Bucket: &m.bucket, Prefix: &prefix},
		func(o *s3.ListMultipartUploadsPaginatorOptions) { o.StopOnDuplicateToken = true })
	var out []Unfinished
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, u := range page.Uploads {
			key := aws.ToString(u.Key)
			name, ours := strings.CutPrefix(key, m.prefix)
			if ours && strings.HasPrefix(key, prefix) { // not every service that speaks S3 filters
				out = append(out, Unfinished{name, aws.ToTime(u.Initiated), -1, key,
					s3Upload{aws.ToString(u.UploadId), named(u.ChecksumAlgorithm), u.ChecksumType == types.ChecksumTypeFullObject}})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Unfinished) int { return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.id, b.id)) })
	return out, nil
}

// named leaves out what some services write for "none".
func named(a types.ChecksumAlgorithm) types.ChecksumAlgorithm {
	if a == "null" {
		return ""
	}
	return a
}

// parts lists what has arrived of an upload, and fills in by which checksum it is known.
func (m *multipart) parts(ctx context.Context, u *Unfinished) (map[int32]types.Part, error) {
	pages := s3.NewListPartsPaginator(m.client, &s3.ListPartsInput{Bucket: &m.bucket, Key: &u.key, UploadId: &u.id},
		func(o *s3.ListPartsPaginatorOptions) { o.StopOnDuplicateToken = true })
	out := map[int32]types.Part{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		if a := named(page.ChecksumAlgorithm); a != "" {
			u.algorithm, u.whole = a, page.ChecksumType == types.ChecksumTypeFullObject
		}
		for _, p := range page.Parts {
			out[aws.ToInt32(p.PartNumber)] = p
		}
	}
	return out, nil
}

// abort gives an upload up; one that is gone is a success.
func (m *multipart) abort(ctx context.Context, u Unfinished) error {
	_, err := m.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &m.bucket, Key: &u.key, UploadId: &u.id})
	if isGone(err) {
		return nil
	}
	return err
}

// isGone says that an upload was completed or aborted by somebody else.
func isGone(err error) bool {
	return status(err) == http.StatusNotFound && strings.Contains(err.Error(), "NoSuchUpload")
}

// left gives the uploads that were begun before a moment, and what has arrived of them.
func (m *multipart) left(ctx context.Context, before time.Time, alive func()) ([]Unfinished, error) {
	all, err := m.unfinished(ctx, m.prefix)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(all, func(u Unfinished) bool { return !u.Started.Before(before) })
	for i := range out {
		alive()
		arrived, err := m.parts(ctx, &out[i])
		if err != nil {
			continue // it ended meanwhile, or may not be looked into
		}
		out[i].Bytes = 0
		for _, p := range arrived {
			out[i].Bytes += aws.ToInt64(p.Size)
		}
	}
	return out, nil
}

func (m *multipart) erase(ctx context.Context, name string) {
	key := m.prefix + name
	found, _ := m.unfinished(ctx, key)
	for _, u := range found {
		if u.key == key {
			_ = m.abort(ctx, u)
		}
	}
}
