package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/plumb-ml/plumb/internal/record"
)

// The most that a commit's message says.
const (
	longestSubject = 110
	mostSubjects   = 20
)

// told is the order in which kinds of records are told of: what was found before what it was found from.
var told = []string{record.KindMonitor, record.KindComparison, record.KindStage, record.KindVersion, record.KindDecision, record.KindRun, record.KindSnapshot}

// message says what a commit adds, so that the branch's log tells the story: what each record is about where that fits on a line, else how many there are
// of each kind, and below it what each is about.
func message(files []File) string {
	var subjects []string
	for _, kind := range told {
		for _, f := range files {
			if p, err := record.ParsePath(f.Path); err == nil && p.Kind == kind && len(subjects) <= mostSubjects {
				subjects = append(subjects, subject(f))
			}
		}
	}
	if line := strings.Join(subjects, "; "); line != "" && len(subjects) == len(files) && len(line) <= longestSubject {
		return line + "\n"
	}
	if len(subjects) > mostSubjects {
		subjects = append(subjects[:mostSubjects], fmt.Sprintf("and %d more", len(files)-mostSubjects))
	}
	return count(files) + "\n\n" + strings.Join(subjects, "\n") + "\n"
}

// subject is what a record is about, on one line.
func subject(f File) string {
	text := ""
	if r, err := record.Decode(f.Path, f.Data); err == nil {
		text = record.Subject(r)
	}
	if text == "" {
		text = f.Path
	}
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, text)
	if runes := []rune(text); len(runes) > longestSubject {
		text = string(runes[:longestSubject-1]) + "…"
	}
	return text
}

// count is "add 2 runs, 1 snapshot".
func count(files []File) string {
	counts := map[string]int{}
	for _, f := range files {
		folder, _, _ := strings.Cut(f.Path, "/")
		counts[folder]++
	}
	var parts []string
	for _, folder := range slices.Sorted(maps.Keys(counts)) {
		name := folder
		if counts[folder] == 1 {
			name = strings.TrimSuffix(folder, "s")
		}
		parts = append(parts, fmt.Sprintf("%d %s", counts[folder], name))
	}
	return "add " + strings.Join(parts, ", ")
}
