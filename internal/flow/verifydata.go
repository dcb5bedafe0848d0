package flow

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// Pinned data that Git does not carry are blobs like those that records name, under the name that a lock gives them: who can write the store could put other rows under
// every number. The store's copy is looked at whatever lies in the working folder, as it is what everybody else reads. Rules of retention never take it (a lock keeps
// its data for good), so one that is gone is a loss, unless somebody forgot it. It is an error where what serves now, a record of CI, which has had the bytes, or the
// documents at hand were made of it. What remains are runs of a person whose lock never was on the intent branch and who never sent the rows: a warning, since an
// ordinary `plumb push` of a later day ends there and nothing rests on them.

// dataUse is a record that was made of one content of a dataset.
type dataUse struct {
	path, commit   string
	dataset, model string // of a snapshot; of a run, whose model asks its question of a dataset
}

// pinnedFile is where a blob of pinned data belongs.
type pinnedFile struct {
	doc.LockFile
	lock    string // path of the lock, from the project's root
	commit  string // that has it; "" when the documents at hand pin it too
	content string
	needed  bool // see above
}

// usesData takes note of what a record that others see was made of, once for each commit.
func (v *verifying) usesData(p string, r any) {
	var content string
	var use dataUse
	switch r := r.(type) {
	case *record.Snapshot:
		content, use = r.Content, dataUse{path: p, commit: r.Code.Commit, dataset: r.Dataset}
	case *record.Run:
		content, _ = r.Inputs["dataset"].(string)
		use = dataUse{path: p, commit: r.Code.Commit, model: r.Model}
	}
	if _, off := v.off[p]; off || content == "" || v.view.Private(p) {
		return
	}
	if headerOf(r).Actor == record.ActorCI {
		v.ofCI[content] = true
	}
	if !slices.ContainsFunc(v.madeOfData[content], func(had dataUse) bool { return had.commit == use.commit && had.dataset == use.dataset }) {
		v.madeOfData[content] = append(v.madeOfData[content], use)
	}
}

// namesData names the blobs of pinned data, as far as the commits are here whose locks say which they are.
func (v *verifying) namesData() {
	here, err := v.p.Working()
	if err != nil {
		here = nil
	}
	for _, content := range keys(v.madeOfData) {
		uses := v.madeOfData[content]
		for _, use := range uses {
			if t, _ := v.treeOf(use.commit); t != nil && v.namesLock(t, use, content) {
				break
			}
		}
		if here == nil {
			continue
		}
		for _, id := range keys(here.Docs.Locks) {
			if here.Docs.Locks[id].Content == content {
				use := uses[0]
				use.dataset = id
				v.namesLock(here, use, content)
			}
		}
	}
}

// namesLock names the files of a lock that its commit does not carry, and says whether the tree has the lock.
func (v *verifying) namesLock(t *Tree, use dataUse, content string) bool {
	id := use.dataset
	if m := t.Docs.Models[use.model]; id == "" && m != nil {
		id = m.Question.Dataset
	}
	lock := t.Docs.Locks[id]
	if lock == nil || lock.Content != content {
		return false
	}
	for _, f := range lock.Files {
		if oid, err := v.p.Repo.Lookup(t.Commit, path.Join(v.p.Prefix, f.Path)); t.Commit != "" && err == nil && oid != "" {
			continue
		}
		pointer := record.Pointer{SHA256: f.SHA256, Bytes: f.Bytes, Type: typeBytes, Rows: f.Rows}
		if pointer.Check() != nil {
			continue // no lock that plumb wrote
		}
		b := v.blobs[f.SHA256]
		if b == nil {
			b = &namedBlob{Pointer: pointer, public: true, by: []naming{{use.path, classData}}}
			v.blobs[f.SHA256] = b
		}
		if b.data == nil {
			b.data = &pinnedFile{LockFile: f, lock: "datasets/" + id + ".lock.toml", content: content, needed: v.ofCI[content] || v.serves(content)}
		}
		if b.data.commit = t.Commit; t.Working {
			b.data.commit, b.data.needed = "", true
		}
	}
	return true
}

// dataHere says whether this machine has a pinned file: in the working folder, or as it was read before.
func (v *verifying) dataHere(ctx context.Context, b *namedBlob) bool {
	if root, err := os.OpenRoot(v.p.Root); err == nil {
		defer root.Close()
		if state, err := stateOf(root, b.data.LockFile); err == nil && state == "there" {
			return true
		}
	}
	if !v.p.Store.Has(ctx, b.Pointer) {
		return false
	}
	r, err := v.p.Store.Open(ctx, b.Pointer)
	if err != nil {
		return false
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err == nil
}

// readData reads pinned data from the Git store of a project that has moved. It may be large, so it is never held.
func (v *verifying) readData(ctx context.Context, from store.Store, b *namedBlob) error {
	v.out.Checked.Stored++
	wrong, err := store.Spoilt(ctx, from, []record.Pointer{b.Pointer}, nil)
	if err != nil {
		return err
	}
	v.out.Checked.Blobs++
	v.out.Checked.Bytes += b.Bytes
	if b.state = blobGood; wrong[b.SHA256] != nil {
		v.readHere(ctx, b)
		v.badBlob(b, wrong[b.SHA256])
	}
	return nil
}

// onlyHere says whether this machine is all that there is, and has the file.
func (v *verifying) onlyHere(ctx context.Context, b *namedBlob) bool {
	_, shared := v.p.Repo.Remote()
	return b.data != nil && !shared && v.p.Store.String() == "git" && v.dataHere(ctx, b)
}

// badData tells of pinned data that the store does not have right.
func (v *verifying) badData(b *namedBlob, what string, gone bool) {
	report, hint := v.finding, blobHint(b, gone)
	if gone && !b.data.needed {
		report = v.warning
	}
	if b.data.commit != "" {
		hint += fmt.Sprintf("; the commit at hand pins other data, so `git checkout %.10s` first", b.data.commit)
	}
	v.told[b.data.content] = true
	report(record.RuleBlob, b.by[0].path, hint, "its data %s, which %s pins: %s", b.data.Path, b.data.lock, what)
}
