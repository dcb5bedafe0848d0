// Package tomlio is the one door to TOML: strict reading of what people write with every problem at its place, reading and writing of the program's own
// records, and edits that keep a person's comments.
//
// It knows the language, not the documents: which keys there are comes from the struct that is decoded into. It stores nothing.
//
// Two libraries stand behind it. pelletier's parser reads, because it is bounded and positions everything; BurntSushi's encoder writes, because its order is
// stable. BurntSushi is never given foreign bytes: 40 kB of nested inline tables cost it 10 s and 4 GB (BurntSushi/toml#496).
package tomlio

import (
	"bytes"
	"errors"
	"fmt"

	burnt "github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2"
	"github.com/plumb-ml/plumb/internal/problem"
)

// The limits of a file. A file beyond them is refused before it is parsed.
const (
	MaxDocument = 64 << 10 // bytes of what a person writes
	MaxLock     = 8 << 20  // bytes of what the program writes
	MaxNesting  = 32       // brackets, inline tables and dotted keys together
)

// Decode reads a person's document into the struct that into points to and puts everything that is wrong on the list: syntax, unknown keys, wrong types, values
// that are not one of those allowed. It reads on after each of them. What could be read is set; what is absent has the default of its struct tag.
//
// Struct tags: `toml:"name"`, `default:"text"`, `enum:"one|two"`; `toml:"-"` is left alone and embedded structs are flattened.
func Decode(file string, src []byte, into any, list *problem.List) *Positions {
	return decode(file, src, into, limited{list, MaxDocument})
}

// DecodeLock is Decode for files that the program writes, which may be as large as MaxLock.
func DecodeLock(file string, src []byte, into any, list *problem.List) *Positions {
	return decode(file, src, into, limited{list, MaxLock})
}

type limited struct {
	list *problem.List
	max  int
}

func decode(file string, src []byte, into any, lim limited) *Positions {
	p := &Positions{file: file, root: newTable(0)}
	if len(src) > lim.max {
		lim.list.Errorf(problem.Pos{File: file}, "size", "the file is larger than %d KiB, which is all that is allowed", lim.max>>10)
		p.refused = true
		return p
	}
	if bytes.IndexByte(src, 0) >= 0 {
		lim.list.Errorf(problem.Pos{File: file}, "encoding", "this is not text: it has a null byte")
		p.refused = true
		return p
	}
	p.src = bytes.TrimPrefix(src, []byte("\ufeff"))
	p.index()
	p.src = checkEncoding(p, lim.list)
	if off, deep := tooDeep(p.src); deep {
		lim.list.Errorf(p.pos(off), "nesting", "brackets, inline tables and dotted keys are nested more than %d deep here", MaxNesting)
		p.refused = true
		return p
	}
	checkDialect(p, lim.list)
	b := &builder{pos: p, list: lim.list}
	b.build()
	d := decoder{pos: p, list: lim.list}
	d.document(into)
	return p
}

// Unmarshal reads bytes that the program wrote, such as a record, into the struct that into points to. Unknown keys are left alone, so that an older program reads
// a newer one's records. Size and nesting are bounded first: a ledger is a branch, and branches can be pushed to.
func Unmarshal(src []byte, into any) error {
	if len(src) > MaxLock {
		return fmt.Errorf("reading TOML: %d bytes, %d allowed", len(src), MaxLock)
	}
	if _, deep := tooDeep(src); deep {
		return fmt.Errorf("reading TOML: nested more than %d deep", MaxNesting)
	}
	err := toml.Unmarshal(src, into)
	var at *toml.DecodeError
	if errors.As(err, &at) {
		line, col := at.Position()
		return fmt.Errorf("reading TOML at %d:%d: %w", line, col, err)
	}
	return err
}

// Marshal writes v as TOML: fields in the struct's order, map keys sorted, tables not indented.
func Marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := burnt.NewEncoder(&out)
	enc.Indent = ""
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("writing TOML: %w", err)
	}
	return out.Bytes(), nil
}
