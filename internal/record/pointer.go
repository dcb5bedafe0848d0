package record

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/tomlio"
)

var (
	sumPattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	oidPattern  = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	typePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*$`)
)

// Check says whether the pointer can be followed: 64 hex digits, a size, a media type and, when there is one, a Git object id. It comes from
// files that anyone may have written, and becomes a path.
func (p Pointer) Check() error {
	switch {
	case !sumPattern.MatchString(p.SHA256):
		return fmt.Errorf("pointer: sha256 %q is not 64 lower-case hex digits", p.SHA256)
	case p.Bytes < 0:
		return fmt.Errorf("pointer: %d is not a number of bytes", p.Bytes)
	case p.Type != "" && !typePattern.MatchString(p.Type):
		return fmt.Errorf("pointer: %q is not a media type", p.Type)
	case p.Name != "" && !isFileName(p.Name):
		return fmt.Errorf("pointer: %.100q is no file name", p.Name)
	case p.OID != "" && !oidPattern.MatchString(p.OID):
		return fmt.Errorf("pointer: %q is not a Git object id", p.OID)
	}
	return nil
}

// isFileName says whether a name can stand in any folder and show on one line.
func isFileName(name string) bool {
	return len(name) <= 255 && name != "." && name != ".." && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || !unicode.IsPrint(r) })
}

// IsZero says that there is no pointer.
func (p Pointer) IsZero() bool { return p == Pointer{} }

// MarshalTOML writes the pointer as an inline table on one line.
func (p Pointer) MarshalTOML() ([]byte, error) {
	if p.IsZero() {
		return []byte("{}"), nil
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	parts := []string{fmt.Sprintf(`sha256 = "%s"`, p.SHA256), fmt.Sprintf("bytes = %d", p.Bytes), fmt.Sprintf(`type = "%s"`, p.Type)}
	if p.Rows != 0 {
		parts = append(parts, fmt.Sprintf("rows = %d", p.Rows))
	}
	if p.Name != "" {
		parts = append(parts, "name = "+tomlio.Quote(p.Name))
	}
	if p.OID != "" {
		parts = append(parts, fmt.Sprintf(`oid = "%s"`, p.OID))
	}
	return []byte("{ " + strings.Join(parts, ", ") + " }"), nil
}
