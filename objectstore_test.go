package plumb_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/plumb-ml/plumb/internal/store/storetest"
)

// TestObjectStorage takes a project from the Git store to a real S3 server: what was pushed before is still read, what is pushed after needs credentials that may write,
// and nothing secret is printed.
func TestObjectStorage(t *testing.T) {
	server := storetest.StartS3(t)
	dir := sampleProject(t)
	bare := filepath.Join(t.TempDir(), "bare.git")
	git(t, ".", "init", "-q", "--bare", "-b", "main", bare)
	git(t, dir, "remote", "add", "origin", bare)
	git(t, dir, "push", "-q", "origin", "main")
	must := func(want string, args ...string) string {
		t.Helper()
		exit, out, errs := call(dir, args...)
		if exit != 0 || !regexp.MustCompile(want).MatchString(out) {
			t.Fatalf("plumb %s: exit %d\n%s%s", strings.Join(args, " "), exit, out, errs)
		}
		return out
	}
	refuse := func(want string, args ...string) {
		t.Helper()
		exit, out, errs := call(dir, args...)
		if exit == 0 || !regexp.MustCompile(want).MatchString(errs) || strings.Contains(out+errs, "plumbplumb") {
			t.Errorf("plumb %s: exit %d, want %q\n%s%s", strings.Join(args, " "), exit, want, out, errs)
		}
	}
	must("2 records|1 record", "push")
	settings := "schema = 1\nname = \"toy\"\n[store]\nurl = \"" + server.URL("team/toy") + "\"\n"
	if err := os.WriteFile(filepath.Join(dir, "plumb.toml"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-qam", "object storage")

	must(`cannot say|same|Open`, "diff", "baseline", "baseline") // blobs in the Git store
	must("run ", "run", "--set", "l2=3")                         // needs no network
	must("push|run", "push", "--dry-run")
	t.Run("credentials", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "other")
		refuse(`the secret does not belong to the key.*\nhint: give both of one pair: AWS_ACCESS_KEY_ID`, "push")
		t.Setenv("AWS_ACCESS_KEY_ID", "nobody")
		refuse(`it does not know these credentials`, "push")
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		refuse(`there are no credentials.*\nhint: give them: AWS_ACCESS_KEY_ID`, "push")
	})
	must("recorded 1 record on plumb/ledger", "push")
	must("recorded 0 records", "push")
	all, _ := filepath.Glob(filepath.Join(server.Dir, "team/toy/??/*"))
	if len(all) != 8 { // three of the new run, and what older records name and this store lacked
		t.Errorf("objects: %v", all)
	}
	for _, object := range all[:5] {
		if err := os.Remove(object); err != nil {
			t.Fatal(err)
		}
	}
	if exit, out, _ := call(dir, "store", "ls"); exit != 1 || strings.Count(out, "✗ missing") != 5 {
		t.Errorf("five objects are gone: exit %d\n%s", exit, out)
	}
	must(`would copy \d+ blobs .* from git to s3://bucket/team/toy`, "store", "copy", "git", "--dry-run")
	must(`copied \d+ blobs .* from git to s3://bucket/team/toy`, "store", "copy", "git")
	must(`copied 0 blobs`, "store", "copy", "git")
	must("recorded 0 records", "push") // brings back what Git never had
	must(`every blob was read`, "store", "ls", "--verify")
	must("would remove 0 of", "store", "gc")
	must("evaluations are kept for 90d", "store", "gc", "--now", "2099-01-01T00:00:00Z")
	must("only the Git store has refs to pack", "store", "pack")

	// A spoilt object is found, and a machine that has it mends it.
	objects, _ := filepath.Glob(filepath.Join(server.Dir, "team/toy/??/*"))
	if err := os.WriteFile(objects[0], []byte("spoilt"), 0o644); err != nil {
		t.Fatal(err)
	}
	if exit, out, _ := call(dir, "store", "ls", "--verify"); exit != 1 || !strings.Contains(out, "blob "+filepath.Base(objects[0])) {
		t.Errorf("a spoilt object: exit %d\n%s", exit, out)
	}
	must("1 were wrong there and were replaced", "store", "copy", "git", "--verify")
	must(`every blob was read`, "store", "ls", "--verify")

	// Retention, on object storage: what a run of long ago left goes when the service has had it for long enough, too.
	refuse("is in the future", "store", "gc", "--now", "2099-01-01T00:00:00Z", "--apply")
	must("run ", "run", "--set", "l2=4", "--now", "2024-04-01T00:00:00Z")
	must("recorded 1 record", "push")
	must("removed 0 of", "store", "gc", "--apply")
	age(t, filepath.Join(server.Dir, "team", "toy"))
	must(`removed 1 of \d+ blobs(.|\n)*recorded decisions/expired/`, "store", "gc", "--apply")
	must("removed 0 of", "store", "gc", "--apply")
	must(`every blob was read`, "store", "ls", "--verify")

	// An upload that was stopped.
	client, key := server.Client(), "team/toy/ab/ab"+strings.Repeat("0", 62)
	for _, k := range []string{key, "team/toy/others"} {
		begun, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("bucket"), Key: &k})
		if err == nil {
			_, err = client.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: aws.String("bucket"), Key: &k, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part")})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out := must("would remove 0 of", "store", "gc"); strings.Contains(out, "unfinished") {
		t.Errorf("a young upload: %s", out)
	}
	must(`would drop 1 unfinished upload \(4 B\) that nobody went on with for 7 days; --apply does it`, "store", "gc", "--now", "2099-01-01T00:00:00Z")
	must(`"unfinished":\[{"sha256":"ab0.*"bytes":4`, "store", "gc", "--now", "2099-01-01T00:00:00Z", "--json")
	age(t, server.Dir)
	must(`dropped 1 unfinished upload \(4 B\)`, "store", "gc", "--apply")
	must(`"unfinished":\[\]`, "store", "gc", "--now", "2099-01-01T00:00:00Z", "--json")

	// Another project in the same place: nobody may collect there.
	if err := os.WriteFile(filepath.Join(server.Dir, "team/toy/.plumb/projects/other-12345678"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	refuse("is also the store of other-12345678", "store", "gc", "--apply")
}

// age makes everything below a folder a year old.
func age(t *testing.T, dir string) {
	t.Helper()
	old := time.Now().AddDate(-1, 0, 0)
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
}
