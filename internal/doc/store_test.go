package doc_test

import (
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
)

func TestParseStoreURL(t *testing.T) {
	for text, want := range map[string]string{
		"": "git", "git": "git", "file:///srv/blobs": "file:///srv/blobs", "file://blobs": "file://blobs",
		"s3://bucket": "s3://bucket", "s3://bucket/team/a/?region=eu-west-1": "s3://bucket/team/a?region=eu-west-1",
		"s3://bucket?prefix=team/a/&endpoint=http://127.0.0.1:7070&use_path_style=true": "s3://bucket/team/a?endpoint=http%3A%2F%2F127.0.0.1%3A7070&use_path_style=true",
		"gs://my_bucket/x": "gs://my_bucket/x", "azblob://data?storage_account=acc": "azblob://data?storage_account=acc",
		"oci://ghcr.io/owner/repo": "oci://ghcr.io/owner/repo", "oci://127.0.0.1:5000/blobs": "oci://127.0.0.1:5000/blobs",
	} {
		if got, err := doc.ParseStoreURL(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"s3", "S3://bucket", "http://x", "s3://", "s3:///x", "s3://b", "s3://bucket/../other", "s3://bucket/a//b", "s3://bucket/%2e%2e/x", "s3://bucket/a?b=c", "s3://bucket#x",
		"s3://bucket?region=a&region=b", "file://", "oci://ghcr.io", "oci://ghcr.io/Owner/x", "oci:///x", "oci://ghcr.io/x?y=z", "gs://bucket?access_id=-", "gs://buck et", "git://x",
		"s3://bucket?endpoint=ftp://x", "s3://bucket/\x00",
	} {
		if got, err := doc.ParseStoreURL(text); err == nil {
			t.Errorf("%s gave %s", text, got)
		}
	}
}

// What could be a secret is refused and not repeated, neither in the message nor in the hint.
func TestStoreURLWithSecrets(t *testing.T) {
	for _, text := range []string{
		"s3://key:hunter2@bucket", "s3://hunter2@bucket", "s3://bucket?secret_key=hunter2", "azblob://data?sig=hunter2", "oci://me:hunter2@ghcr.io/x", "gs://bucket?key=hunter2#hunter2",
		"s3://bucket?endpoint=https://me:hunter2@example.org", "s3://bucket?endpoint=https://example.org/?token=hunter2", "s3://a:hunter2%zz@bucket", "http://me:hunter2@x", "hunter:hunter2",
	} {
		_, err := doc.ParseStoreURL(text)
		if err == nil || strings.Contains(err.Error()+problem.Hint(err), "hunter2") || problem.Exit(err) != problem.ExitWrong {
			t.Errorf("%s: %v (%s)", text, err, problem.Hint(err))
		}
	}
}

func TestKeep(t *testing.T) {
	k := doc.Keep{Evaluations: "90d", Models: doc.Forever}
	if d, ends := k.For("evaluations"); !ends || d.Hours() != 90*24 {
		t.Errorf("evaluations: %v %v", d, ends)
	}
	for _, class := range []string{"models", "logs", "profile"} {
		if d, ends := k.For(class); ends {
			t.Errorf("%s: %v", class, d)
		}
	}
}
