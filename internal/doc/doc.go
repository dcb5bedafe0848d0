// Package doc is what people write: one file of this package a kind of document, each a struct, its decoding and its checks.
//
// It reads documents from any fs.FS, so that a working tree, a commit and a test archive are the same to it. It never runs anything.
// A Set is all documents of a project at one moment, cross-checked.
//
// The struct tags are the reference: `toml` names a key, `default` and `enum` say what it may be, `about` explains it in the JSON Schema.
package doc

import (
	"io/fs"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// SchemaVersion is the version of every document that this program reads and writes.
const SchemaVersion = 1

// Tasks are the kinds of question.
var Tasks = []string{"binary", "multiclass", "regression"}

// Set is every document of one tree, by id. Decoded values hold their defaults.
type Set struct {
	Project     *Project // nil where there is no plumb.toml
	Design      *Design  // nil where there is no design.toml
	Datasets    map[string]*Dataset
	Locks       map[string]*Lock // by dataset id
	Features    map[string]*Feature
	Models      map[string]*Model
	Experiments map[string]*Experiment // `extends` resolved
	Monitors    map[string]*Monitor
	Problems    problem.List
	Files       []string // every document's path, sorted

	fsys    fs.FS
	sources map[string][]byte
	papers  map[string]*tomlio.Positions // by path
}

// Head is what every document starts with.
type Head struct {
	Schema int    `toml:"schema" about:"the version of this document's format: 1"`
	ID     string `toml:"-"` // the file's name
	Path   string `toml:"-"` // of the file, slash-separated, from the project's root
}

func (h *Head) head() *Head { return h }

// At gives the place of a key in a document, or of the file where it has no such key, and whether it has; for what is checked outside this package.
func (s *Set) At(file string, key ...string) (problem.Pos, bool) {
	pos := s.papers[file]
	if pos == nil || !pos.Has(key...) {
		return problem.Pos{File: file}, false
	}
	return pos.At(key...), true
}

// Source gives the text of a document as problems count it, to be shown beside them; nil for a file that was not read.
func (s *Set) Source(file string) []byte { return s.sources[file] }
