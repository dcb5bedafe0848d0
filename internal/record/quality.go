package record

import (
	"fmt"
	"strings"
)

// The states of a quality check.
const (
	CheckPass        = "pass"
	CheckFail        = "fail"
	CheckError       = "error"        // it could not be asked, e.g. its column does not exist
	CheckNotAssessed = "not_assessed" // it was not asked
)

// The levels of a quality check.
const (
	LevelCritical = "critical"
	LevelWarning  = "warning"
	LevelInfo     = "info"
)

// Dimensions are those of data quality, in the order in which they are shown.
var Dimensions = []string{"accuracy", "completeness", "consistency", "timeliness"}

// Quality is plumb.quality/v1: what the checks of a dataset found.
type Quality struct {
	Schema  string                    `json:"schema"` // "plumb.quality/v1"
	Dataset string                    `json:"dataset"`
	Rows    int64                     `json:"rows"`
	Columns int                       `json:"columns"` // how many
	Success bool                      `json:"success"` // no check of level critical or warning failed or could not be asked
	Checks  []QualityCheck            `json:"checks"`  // in the document's order
	Scores  map[string]DimensionScore `json:"scores"`  // by dimension, all of Dimensions
}

// QualityCheck is one check's finding. Counts are null for checks of a whole table or column, Observed is null for checks of rows.
type QualityCheck struct {
	Index             int      `json:"index"`
	ID                string   `json:"id"`
	Kind              string   `json:"kind"`
	Column            string   `json:"column"`
	Columns           []string `json:"columns"`
	Level             string   `json:"level"`
	Dimension         string   `json:"dimension"`
	State             string   `json:"state"`
	Success           bool     `json:"success"`
	Observed          any      `json:"observed"`
	ElementCount      *int64   `json:"element_count"`
	MissingCount      *int64   `json:"missing_count"`
	UnexpectedCount   *int64   `json:"unexpected_count"`
	UnexpectedPercent *float64 `json:"unexpected_percent"` // of the values that are not missing, 0…100 as in Great Expectations
	PartialUnexpected []any    `json:"partial_unexpected"` // at most 20, in row order, only of public columns
	UnexpectedIndex   []int64  `json:"unexpected_index"`   // row ids, at most 20
	Reason            string   `json:"reason"`             // why it fails, could not be asked, or holds without having seen a value
}

// Sound is the least score of a dimension in which no critical check fails.
const Sound = 60

// DimensionScore is 0…100. Score is nil, and State not_assessed, when no check of the dimension saw a value.
type DimensionScore struct {
	Score  *float64 `json:"score"`
	State  string   `json:"state"`  // pass | fail | not_assessed
	Checks int      `json:"checks"` // that count in the score
}

// ScoreMap gives the scores that exist, by dimension.
func (q Quality) ScoreMap() map[string]float64 {
	out := map[string]float64{}
	for name, s := range q.Scores {
		if s.Score != nil {
			out[name] = *s.Score
		}
	}
	return out
}

// Sentence says in plain words what the check found.
func (c QualityCheck) Sentence() string {
	subject := c.Column
	if subject == "" {
		subject = strings.Join(c.Columns, ", ")
	}
	if subject != "" {
		subject = " on " + subject
	}
	out := fmt.Sprintf("%s (%s%s) ", c.ID, c.Kind, subject)
	switch c.State {
	case CheckPass:
		out += "passes"
	case CheckFail:
		out += "fails"
	case CheckError:
		out += "could not be asked"
	default:
		out += "was not assessed"
	}
	if c.Reason != "" {
		out += ": " + c.Reason
	}
	return out
}
