package plumb_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumb-ml/plumb/internal/record"
)

// forgeMonitor changes a text in the one monitor's record of a bundle and signs everything again: forge DIR OLD NEW.
func forgeMonitor(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	found, err := filepath.Glob(filepath.Join(dir, "records", "monitors", "*", "*", "*.toml"))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%d records of monitors", len(found))
	}
	data, err := os.ReadFile(found[0])
	ts.Check(err)
	if !bytes.Contains(data, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", found[0], args[1])
	}
	data = bytes.Replace(data, []byte(args[1]), []byte(args[2]), 1)
	sum := sha256.Sum256(data)
	base := filepath.Base(found[0])
	to := filepath.Join(filepath.Dir(found[0]), base[:len("20060102T150405Z-")]+hex.EncodeToString(sum[:])[:12]+".toml")
	ts.Check(os.Remove(found[0]))
	ts.Check(os.WriteFile(to, data, 0o644))
	table, err := os.ReadFile(filepath.Join(dir, "bundle.json"))
	ts.Check(err)
	var b record.Bundle
	ts.Check(json.Unmarshal(table, &b))
	was, err := filepath.Rel(dir, found[0])
	ts.Check(err)
	now, err := filepath.Rel(dir, to)
	ts.Check(err)
	at := slices.IndexFunc(b.Members, func(m record.Member) bool { return m.Name == filepath.ToSlash(was) })
	b.Members[at] = record.Member{Name: filepath.ToSlash(now), Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
	table, err = json.MarshalIndent(b, "", "  ")
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, "bundle.json"), append(table, '\n'), 0o644))
}
