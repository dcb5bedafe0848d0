package doc

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const idRule = "small letters, digits and dashes, at most 63, no dash at either end"

var idPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ValidID says whether a name can be an id: of a document, so its file name.
func ValidID(name string) bool { return idPattern.MatchString(name) }

var durationPattern = regexp.MustCompile(`^([0-9]{1,9})(w|d|h|m|s)$`)

var durationUnits = map[string]time.Duration{"w": 7 * 24 * time.Hour, "d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}

// Duration reads a length of time: a whole number and one of w, d, h, m, s, as "28d" or "90m". A day has 24 hours.
func Duration(text string) (time.Duration, error) {
	m := durationPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf(`%q is no duration: a whole number and w, d, h, m or s, as "28d"`, text)
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	unit := durationUnits[m[2]]
	if n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf("%q is longer than 292 years", text)
	}
	return time.Duration(n) * unit, nil
}

var bytesPattern = regexp.MustCompile(`^([0-9]{1,15})(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$`)

var bytesUnits = map[string]int64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

// Bytes reads a size: a whole number and B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (of 1024), as "4GiB".
func Bytes(text string) (int64, error) {
	m := bytesPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf(`%q is no size: a whole number and B, kB, MB, GB, KiB, MiB or GiB, as "4GiB"`, text)
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	unit := bytesUnits[m[2]]
	if n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is more bytes than can be counted", text)
	}
	return n * unit, nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
