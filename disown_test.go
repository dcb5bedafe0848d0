package plumb_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumb-ml/plumb/internal/record"
)

// disown writes a decision that disowns a record, as somebody does who goes around the program: disown DIR PATH [SHA256 [TIME]]. DIR is a checked out ledger, where
// the hash is by default that of the record's bytes, or a bundle.
func disown(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	d := record.Decision{Header: record.Header{Time: time.Now().Add(-time.Minute), Actor: record.ActorHuman, By: record.By{Who: "mallory@example.org"}}, Choice: record.Disowned,
		Reason: "not good for us", Record: args[1]}
	if len(args) > 3 {
		at, err := time.Parse(time.RFC3339, args[3])
		ts.Check(err)
		d.Time = at
	}
	if len(args) > 2 && args[2] != "" {
		d.SHA256 = args[2]
	} else {
		data, err := os.ReadFile(filepath.Join(dir, args[1]))
		ts.Check(err)
		sum := sha256.Sum256(data)
		d.SHA256 = hex.EncodeToString(sum[:])
	}
	path, data, err := record.Encode(&d)
	ts.Check(err)
	table, err := os.ReadFile(filepath.Join(dir, "bundle.json"))
	if !errors.Is(err, fs.ErrNotExist) {
		ts.Check(err)
		var b record.Bundle
		ts.Check(json.Unmarshal(table, &b))
		path = "records/" + path
		sum := sha256.Sum256(data)
		b.Members = append(b.Members, record.Member{Name: path, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
		table, err = json.MarshalIndent(b, "", "  ")
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, "bundle.json"), append(table, '\n'), 0o644))
	}
	ts.Check(os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, path), data, 0o644))
	ts.Setenv("DECISION", path)
}
