package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// The limits of a bundle; a project's [limits] may lower or raise the first two.
const (
	maxMembers     = 2000
	maxBundleBytes = 200 << 20
	maxTableBytes  = 1 << 20 // bundle.json
	maxResultBytes = 8 << 20 // result.json
	maxRecordBytes = 1 << 20
)

// WriteBundle leaves what was measured in dir, which must be empty or new: bundle.json, result.json, records and blobs.
func (m *Measured) WriteBundle(dir, program string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return problem.Wrongf("name another folder with --bundle, or empty it", "%s is not empty", dir)
	}
	table := record.Bundle{Schema: "plumb.bundle/v1", Event: m.Event.Name, Repository: m.Event.Repository, Base: m.Event.Base, Head: m.Event.Head,
		PullRequest: m.Event.PullRequest, Program: program, Members: []record.Member{}}
	result, err := json.MarshalIndent(m.Result, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	members := map[string][]byte{"result.json": append(result, '\n')}
	for _, r := range m.Records {
		path, data, err := record.Encode(r)
		if err != nil {
			return fmt.Errorf("writing a record: %w", err)
		}
		members["records/"+path] = data
	}
	for _, b := range m.Blobs {
		members["blobs/"+record.Sum(b.Data)] = b.Data
	}
	for _, name := range keys(members) {
		data := members[name]
		if err := writeMember(filepath.Join(dir, filepath.FromSlash(name)), data); err != nil {
			return fmt.Errorf("writing the bundle: %w", err)
		}
		table.Members = append(table.Members, record.Member{Name: name, Bytes: int64(len(data)), SHA256: record.Sum(data)})
	}
	data, err := encodeTable(table)
	if err != nil {
		return err
	}
	return writeMember(filepath.Join(dir, "bundle.json"), data) // last: a folder without it is no bundle
}

func encodeTable(t record.Bundle) ([]byte, error) {
	data, err := json.MarshalIndent(t, "", "  ")
	return append(data, '\n'), err
}

func writeMember(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// received is a bundle whose table, names, sizes and digests are right. What its members say is still anyone's word.
type received struct {
	table   record.Bundle
	result  record.CI
	records map[string]any // by ledger path
	blobs   map[string][]byte
}

var memberName = regexp.MustCompile(`^(result\.json|records/(runs|snapshots|comparisons|monitors)/[a-z0-9-]{1,64}/[0-9]{4}-[0-9]{2}/[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}\.toml|blobs/[0-9a-f]{64})$`)

// readBundle reads a bundle as hostile input. Any difference between the folder and its table is an error.
func readBundle(dir, program string, limits doc.Limits) (*received, error) {
	if !filepath.IsAbs(dir) {
		var err error
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("opening the bundle: %.200q is no folder", dir), err)
	}
	root, err := os.OpenRoot(dir) // no name in it can lead outside
	if err != nil {
		return nil, fmt.Errorf("opening the bundle: %w", err)
	}
	defer root.Close()
	b := &received{records: map[string]any{}, blobs: map[string][]byte{}}
	table, err := readRegular(root, "bundle.json", maxTableBytes)
	if err != nil {
		return nil, err
	}
	if err := strictJSON(table, &b.table); err != nil {
		return nil, fmt.Errorf("reading bundle.json: %w", err)
	}
	if again, err := encodeTable(b.table); err != nil || !bytes.Equal(again, table) {
		return nil, errors.New("bundle.json is not as plumb writes it")
	}
	if b.table.Schema != "plumb.bundle/v1" || b.table.Program != program {
		return nil, fmt.Errorf("the bundle was made by %.100q, and this is %q: measure and publish with the same version", b.table.Program, program)
	}
	if err := b.checkFolder(root, limits); err != nil {
		return nil, err
	}
	for _, m := range b.table.Members {
		if err := b.readMember(root, m); err != nil {
			return nil, fmt.Errorf("member %s: %w", m.Name, err)
		}
	}
	if b.result.Schema == "" {
		return nil, errors.New("the bundle has no result.json")
	}
	return b, nil
}

// checkFolder compares the files there are with the members that the table lists.
func (b *received) checkFolder(root *os.Root, limits doc.Limits) error {
	most, size := int64(maxMembers), int64(maxBundleBytes)
	if limits.BundleMembers > 0 {
		most = int64(limits.BundleMembers)
	}
	if limits.BundleBytes != "" {
		n, err := doc.Bytes(limits.BundleBytes)
		if err != nil {
			return fmt.Errorf("limit bundle_bytes: %w", err)
		}
		size = n
	}
	if n := int64(len(b.table.Members)); n > most {
		return fmt.Errorf("%d members, and at most %d are allowed", n, most)
	}
	listed, folders := map[string]bool{"bundle.json": true}, map[string]bool{".": true}
	var total int64
	for _, m := range b.table.Members {
		if !memberName.MatchString(m.Name) || listed[m.Name] || m.Bytes < 0 || m.Bytes > min(size, mostBytes(m.Name)) {
			return fmt.Errorf("member name or size not allowed: %.120q, %d bytes", m.Name, m.Bytes)
		}
		listed[m.Name] = true
		for up := path.Dir(m.Name); !folders[up]; up = path.Dir(up) {
			folders[up] = true
		}
		if total += m.Bytes; total > size {
			return fmt.Errorf("over %d bytes in all", size)
		}
	}
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && folders[name]:
			return nil
		case d.IsDir():
			return fmt.Errorf("folder %.120q holds no member", name)
		case !d.Type().IsRegular():
			return fmt.Errorf("%.120q is no regular file", name)
		case !listed[name]:
			return fmt.Errorf("%.120q is not in the bundle's table", name)
		}
		return nil
	})
}

// mostBytes is how large a member of this name may be, whatever the whole may be.
func mostBytes(name string) int64 {
	switch kind, _, _ := strings.Cut(name, "/"); kind {
	case "result.json":
		return maxResultBytes
	case "records":
		return maxRecordBytes
	}
	return math.MaxInt64
}

func (b *received) readMember(root *os.Root, m record.Member) error {
	data, err := readRegular(root, m.Name, m.Bytes)
	if err != nil {
		return err
	}
	if int64(len(data)) != m.Bytes || record.Sum(data) != m.SHA256 {
		return errors.New("its bytes are not those that the table lists")
	}
	switch kind, rest, _ := strings.Cut(m.Name, "/"); kind {
	case "result.json":
		return strictJSON(data, &b.result)
	case "blobs":
		if rest != m.SHA256 {
			return errors.New("a blob is named by its digest")
		}
		b.blobs[rest] = data
	default:
		r, err := record.Decode(rest, data)
		if err != nil {
			return err
		}
		if path, again, err := record.Encode(r); err != nil || path != rest || !bytes.Equal(again, data) {
			return errors.New("it is not as plumb writes it")
		}
		b.records[rest] = r
	}
	return nil
}

// readRegular reads a file that is no link, no device and not larger than it may be. It asks the open file, which can't be changed for another
// one in between, and opens without waiting for somebody at the other end of a pipe.
func readRegular(root *os.Root, name string, most int64) ([]byte, error) {
	place := filepath.FromSlash(name)
	before, err := root.Lstat(place)
	if err != nil {
		return nil, err
	}
	f, err := root.OpenFile(place, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || !os.SameFile(before, info) || info.Size() > most {
		return nil, fmt.Errorf("%.120q is no regular file of at most %d bytes", name, most)
	}
	return io.ReadAll(io.LimitReader(f, most+1))
}

func strictJSON(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the value")
	}
	return nil
}

// blob fetches what a pointer of the bundle names, from the bundle.
func (b *received) blob(p record.Pointer) ([]byte, error) {
	data, ok := b.blobs[p.SHA256]
	if !ok || int64(len(data)) != p.Bytes {
		return nil, fmt.Errorf("blob %.64s of %d bytes is not in the bundle", p.SHA256, p.Bytes)
	}
	return data, nil
}
