package gitdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const tagRefs = "refs/tags/"

// Tag is an annotated tag of a commit: an object of its own, with an author, a time and a message.
type Tag struct {
	Name    string // without refs/tags/
	Commit  string
	Author  Identity
	Time    time.Time // to the second
	Message string
}

// TagRef is the full name of the ref of a tag.
func TagRef(name string) string { return tagRefs + name }

// Tags lists the annotated tags of commits whose names keep lets through, by name. Plain tags, tags of other objects and tags without an author are left out:
// they say nothing about who and when.
func (r *Repo) Tags(keep func(name string) bool) ([]Tag, error) {
	refs, err := r.Refs(tagRefs)
	if err != nil {
		return nil, err
	}
	var tags []Tag
	for _, ref := range refs {
		name := strings.TrimPrefix(ref.Name, tagRefs)
		if !keep(name) {
			continue
		}
		tag, ok, err := r.tag(ref.OID)
		if err != nil {
			return nil, fmt.Errorf("reading tag %s: %w", name, err)
		}
		if tag.Name = name; ok {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

func (r *Repo) tag(oid string) (Tag, bool, error) {
	found, data, err := r.object(oid, maxCommit)
	if err != nil || found != tagObject {
		return Tag{}, false, err
	}
	head, message, _ := strings.Cut(string(data), "\n\n")
	for _, signed := range []string{"-----BEGIN PGP SIGNATURE-----", "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SIGNED MESSAGE-----"} {
		message, _, _ = strings.Cut(message, signed)
	}
	t := Tag{Message: message}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "object":
			t.Commit = value
		case "type":
			if value != string(commitObject) {
				return Tag{}, false, nil
			}
		case "tagger":
			t.Author, t.Time = parseSignature(value)
		}
	}
	return t, t.Time.Unix() > 0 && r.format.is(t.Commit), nil
}

// TagID is the object id that a tag has when it is written: two who write the same tag write one object.
func (r *Repo) TagID(t Tag) (string, error) {
	data, err := r.encodeTag(t)
	return r.format.sum(tagObject, data), err
}

func (r *Repo) encodeTag(t Tag) ([]byte, error) {
	if err := checkRefName(tagRefs + t.Name); err != nil || strings.HasPrefix(t.Name, "-") {
		return nil, fmt.Errorf("%q is not the name of a tag", t.Name)
	}
	if !r.format.is(t.Commit) {
		return nil, fmt.Errorf("tag %s: %q is not a commit", t.Name, t.Commit)
	}
	return fmt.Appendf(nil, "object %s\ntype commit\ntag %s\ntagger %s\n\n%s", t.Commit, t.Name, signature(t.Author, t.Time), t.Message), nil
}

// WriteTags makes tags in this repository. One that is there already stays as it is when it is the same; another of that name is ErrMoved.
func (r *Repo) WriteTags(ctx context.Context, tags []Tag) error {
	err := r.Write(ctx, func(w *Writer) error {
		for _, t := range tags {
			data, err := r.encodeTag(t)
			if err == nil {
				_, err = w.put(tagObject, data)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range tags {
		oid, err := r.TagID(t)
		if err != nil {
			return err
		}
		err = r.Swap(ctx, tagRefs+t.Name, "", oid)
		if now, refErr := r.Ref(tagRefs + t.Name); errors.Is(err, ErrMoved) && refErr == nil && now == oid {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TagIDs lists the object ids of this repository's tags and, where there is a remote, of the remote's, by name. asked is false when the remote did not answer.
func (r *Repo) TagIDs(ctx context.Context) (here, remote map[string]string, asked bool, err error) {
	refs, err := r.Refs(tagRefs)
	if err != nil {
		return nil, nil, false, err
	}
	here = map[string]string{}
	for _, ref := range refs {
		here[strings.TrimPrefix(ref.Name, tagRefs)] = ref.OID
	}
	listed, err := r.ListRemote(ctx, tagRefs)
	if errors.Is(err, ErrNoRemote) {
		return here, nil, true, nil
	}
	if err != nil {
		return here, nil, false, nil // asked says so: what is here is an answer too
	}
	remote = map[string]string{}
	for name, oid := range listed {
		remote[strings.TrimPrefix(name, tagRefs)] = oid
	}
	return here, remote, true, nil
}

// PushTags sends tags of this repository to the remote. Without a remote there is nothing to send.
func (r *Repo) PushTags(ctx context.Context, names []string) error {
	if _, ok := r.Remote(); !ok {
		return nil
	}
	var specs []string
	for _, name := range names {
		specs = append(specs, tagRefs+name+":"+tagRefs+name)
	}
	for batch := range slices.Chunk(specs, 100) {
		if err := r.Push(ctx, batch...); err != nil {
			return err
		}
	}
	return nil
}
