package gitdb

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func all(string) bool { return true }

func TestTags(t *testing.T) {
	dir, r := repository(t)
	head, _, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	tag := Tag{Name: "m#production#1", Commit: head, Author: Identity{"Ann <b>", "ann@example.org"}, Time: time.Unix(1709287200, 0).UTC(), Message: "one\n\nrecord: x\n"}
	if err := r.WriteTags(context.Background(), []Tag{tag}); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteTags(context.Background(), []Tag{tag}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	other := tag
	other.Message = "two\n"
	if err := r.WriteTags(context.Background(), []Tag{other}); !errors.Is(err, ErrMoved) {
		t.Errorf("another of that name: %v", err)
	}
	want := "object " + head + "\ntype commit\ntag m#production#1\ntagger Ann b <ann@example.org> 1709287200 +0000\n\none\n\nrecord: x"
	if got := strings.TrimSpace(gitRun(t, dir, "cat-file", "-p", "m#production#1")); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	fsck(t, dir)

	gitRun(t, dir, "tag", "plain")
	gitRun(t, dir, "tag", "-a", "-m", "of a tree", "tree", "HEAD^{tree}")
	gitRun(t, dir, "tag", "-a", "-m", "by git", "v1.0.0")
	gitRun(t, dir, "tag", "-a", "-m", "of a tag", "nested", "v1.0.0")
	gitRun(t, dir, "pack-refs", "--all")
	tags, err := r.Tags(all)
	if err != nil || len(tags) != 2 || tags[0].Name != "m#production#1" || tags[0].Author.Name != "Ann b" || !tags[0].Time.Equal(tag.Time) ||
		tags[0].Message != tag.Message || tags[1].Message != "by git\n" {
		t.Errorf("%v %+v", err, tags)
	}
	for _, name := range []string{"", "-x", "a..b", "a b", "../x", "a\nb", ".git/x"} {
		if _, err := r.TagID(Tag{Name: name, Commit: head}); err == nil {
			t.Errorf("%q is the name of a tag", name)
		}
	}
}

func TestPushTags(t *testing.T) {
	dir, r := repository(t)
	bare := t.TempDir()
	gitRun(t, bare, "init", "-q", "--bare")
	gitRun(t, dir, "remote", "add", "origin", bare)
	head, _, _ := r.Head()
	tag := Tag{Name: "m@v1.0.0", Commit: head, Author: Identity{"Ann", "ann@example.org"}, Time: time.Unix(1709287200, 0), Message: "one\n"}
	if err := r.WriteTags(context.Background(), []Tag{tag}); err != nil {
		t.Fatal(err)
	}
	if err := r.PushTags(context.Background(), []string{"m@v1.0.0"}); err != nil {
		t.Fatal(err)
	}
	id, _ := r.TagID(tag)
	here, remote, asked, err := r.TagIDs(context.Background())
	if err != nil || !asked || here["m@v1.0.0"] != id || remote["m@v1.0.0"] != id {
		t.Errorf("%v %v %v, want %s", here, remote, err, id)
	}
	gitRun(t, dir, "remote", "set-url", "origin", "/nowhere")
	if _, remote, asked, err = r.TagIDs(context.Background()); err != nil || asked || remote != nil {
		t.Errorf("no remote: %v %v %v", remote, asked, err)
	}
}
