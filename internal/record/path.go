package record

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Path is a record's place in the ledger, taken apart.
type Path struct {
	Kind   string   // of the record; also kinds that this program does not decode yet
	Names  []string // the folders between the kind's and the month's or the file: experiment, dataset, model, stage …
	Month  string   // "2001-06"; "" for numbered records
	ID     string   // "20010630T120000Z-0123456789ab"; "" for numbered records
	Number int      // 1, 2, …; 0 for records with an id
}

// folder says how the records of one kind are laid out.
type folder struct {
	kind     string
	names    int
	numbered bool
}

// folders is the table of the package comment.
var folders = map[string]folder{
	"runs":        {KindRun, 1, false},
	"snapshots":   {KindSnapshot, 1, false},
	"comparisons": {KindComparison, 1, false},
	"versions":    {KindVersion, 1, true},
	"stages":      {KindStage, 2, true},
	"rollouts":    {"rollout", 2, true},
	"monitors":    {KindMonitor, 1, false},
	"decisions":   {KindDecision, 1, false},
}

const idTime = "20060102T150405Z"

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	idPattern     = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}$`)
	numberPattern = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)
)

// ParsePath takes a record's path apart and checks it against the layout of the ledger.
func ParsePath(path string) (Path, error) {
	parts := strings.Split(path, "/")
	f, ok := folders[parts[0]]
	if !ok {
		return Path{}, fmt.Errorf("%q is not in a folder that this program knows: %w", path, ErrNewer)
	}
	file, isTOML := strings.CutSuffix(parts[len(parts)-1], ".toml")
	want := f.names + 3 // kind, names, month, file
	if f.numbered {
		want--
	}
	if len(parts) != want || !isTOML {
		return Path{}, fmt.Errorf("%q is not the path of a %s record", path, f.kind)
	}
	p := Path{Kind: f.kind, Names: parts[1 : 1+f.names]}
	for _, name := range p.Names {
		if !namePattern.MatchString(name) {
			return Path{}, fmt.Errorf("%q: %q is not a name", path, name)
		}
	}
	if f.numbered {
		if !numberPattern.MatchString(file) {
			return Path{}, fmt.Errorf("%q: %q is not a number from 1", path, file)
		}
		p.Number, _ = strconv.Atoi(file) // nine digits at most
		return p, nil
	}
	p.Month, p.ID = parts[1+f.names], file
	return p, p.checkID(path)
}

// IsID says whether text is the id of a record: "20010630T120000Z-0123456789ab".
func IsID(text string) bool { return idPattern.MatchString(text) }

// Made is when a record was made, to the second; false for numbered records, whose paths don't say.
func (p Path) Made() (time.Time, bool) {
	if len(p.ID) < len(idTime) {
		return time.Time{}, false
	}
	made, err := time.Parse(idTime, p.ID[:len(idTime)])
	return made, err == nil
}

func (p Path) checkID(path string) error {
	if !idPattern.MatchString(p.ID) {
		return fmt.Errorf("%q: %q is not a record id", path, p.ID)
	}
	made, err := time.Parse(idTime, p.ID[:len(idTime)])
	if err != nil {
		return fmt.Errorf("%q: %q has no time", path, p.ID)
	}
	if p.Month != made.Format("2006-01") {
		return fmt.Errorf("%q: the id is not of month %s", path, p.Month)
	}
	return nil
}

// IsNumbered says whether a path is that of a record with a number, which its bytes do not make: a version or a stage.
func IsNumbered(path string) bool {
	p, err := ParsePath(path)
	return err == nil && p.Number > 0
}

// IsName says whether a text can be a name in a record's path.
func IsName(text string) bool { return namePattern.MatchString(text) }

// ErrMisplaced says that a file has other bytes than its name says.
var ErrMisplaced = errors.New("does not hold the bytes that it is named by")

// CheckPath says whether data may stand at path: the path is one of the ledger's and, where the file is named by its bytes, it is by these.
func CheckPath(path string, data []byte) error {
	p, err := ParsePath(path)
	if err != nil || p.ID == "" {
		return err
	}
	if got := shortSum(data); !strings.HasSuffix(p.ID, got) {
		return fmt.Errorf("%q %w (they are %s)", path, ErrMisplaced, got)
	}
	return nil
}

// newID names a record by its time and its bytes.
func newID(made time.Time, data []byte) string {
	return made.UTC().Format(idTime) + "-" + shortSum(data)
}

// Sum is the SHA-256 of bytes, in hex.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func shortSum(data []byte) string { return Sum(data)[:12] }
