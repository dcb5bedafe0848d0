package record

import (
	"fmt"
	"math"
	"regexp"
	"unicode/utf8"
)

// Detail is the JSON blob beside a run record: what a run's page shows that is too much for the record. A number that does not exist is
// left out. Curves and bins are those of the test part.
type Detail struct {
	Schema      string             `json:"schema"` // "plumb.detail/v1"
	Task        string             `json:"task"`
	Classes     []string           `json:"classes,omitempty"`   // multiclass, in the order of Matrix
	Threshold   *float64           `json:"threshold,omitempty"` // binary
	Test        PartDetail         `json:"test"`
	Valid       PartDetail         `json:"valid"`
	Repeats     []RepeatDetail     `json:"repeats,omitempty"`   // of every seed, the first included; none with one seed, or when seeds made no difference
	PerClass    []ClassDetail      `json:"per_class,omitempty"` // multiclass, in the order of Classes
	Slices      []SliceDetail      `json:"slices,omitempty"`
	ROC         []CurvePoint       `json:"roc,omitempty"`         // x: share of negatives, y: share of positives at or above a score
	PR          []CurvePoint       `json:"pr,omitempty"`          // x: recall, y: precision
	Calibration []CalibrationBin   `json:"calibration,omitempty"` // binary: the bins of ece; multiclass: likewise, of whether the answer is right over the score of the answered class; regression: mean answer against mean label
	Histogram   []HistogramBin     `json:"histogram,omitempty"`   // binary: of scores, by class; regression: of errors
	Importance  map[string]float64 `json:"importance,omitempty"`  // by feature; the learner's own measure
	Reported    []ReportedCurve    `json:"reported,omitempty"`    // what a person's program said of its learning; decides nothing
}

// PartDetail is what was measured on one part.
type PartDetail struct {
	Rows      int                `json:"rows"`
	Groups    int                `json:"groups"` // rows that move together count once
	Metrics   map[string]float64 `json:"metrics"`
	Absent    map[string]string  `json:"absent,omitempty"`      // metric → why it does not exist
	ZeroLabel int                `json:"zero_labels,omitempty"` // regression: rows that mape leaves out
	Confusion *Confusion         `json:"confusion,omitempty"`   // binary, at Threshold
	Matrix    [][]float64        `json:"matrix,omitempty"`      // multiclass: weight by [actual class][answered class]
}

// Confusion is the weight of the rows in each cell; without weights their number.
type Confusion struct {
	TP float64 `json:"tp"`
	FP float64 `json:"fp"`
	FN float64 `json:"fn"`
	TN float64 `json:"tn"`
}

// RepeatDetail is what the model of one seed reached.
type RepeatDetail struct {
	Seed      int64              `json:"seed"`
	Threshold *float64           `json:"threshold,omitempty"` // binary
	Test      map[string]float64 `json:"test"`
	Valid     map[string]float64 `json:"valid"`
}

// OverSeeds gives mean and standard deviation of a test metric over seeds; ok is false with fewer than two, and when some seed lacks it.
func OverSeeds(seeds []RepeatDetail, name string) (mean, sd float64, ok bool) {
	for _, s := range seeds {
		v, has := s.Test[name]
		if !has {
			return 0, 0, false
		}
		mean += v / float64(len(seeds))
	}
	for _, s := range seeds {
		sd += (s.Test[name] - mean) * (s.Test[name] - mean)
	}
	n := float64(len(seeds))
	return mean, math.Sqrt(sd / (n - 1)), n > 1
}

// ClassDetail is how the test rows of one class fare: their weight, that of the rows answered with it, and what follows. A number that does not exist
// is left out.
type ClassDetail struct {
	Class     string   `json:"class"`
	Rows      float64  `json:"rows"`
	Answered  float64  `json:"answered"`
	Precision *float64 `json:"precision,omitempty"`
	Recall    *float64 `json:"recall,omitempty"`
	F1        *float64 `json:"f1,omitempty"`
	AUC       *float64 `json:"auc,omitempty"` // against the rest
}

// SliceDetail is the test rows where Column has Value.
type SliceDetail struct {
	Column  string             `json:"column"`
	Value   string             `json:"value"`
	Rows    int                `json:"rows"`
	Metrics map[string]float64 `json:"metrics"`
}

// CurvePoint is one point of a curve and the score at which it lies; the first point of a ROC curve has none.
type CurvePoint struct {
	X  float64  `json:"x"`
	Y  float64  `json:"y"`
	At *float64 `json:"at,omitempty"`
}

// CalibrationBin compares what was answered with what came. Low and High are Wilson's 95 % interval of a share, by rows.
type CalibrationBin struct {
	Rows   float64  `json:"rows"` // weight; an edge may divide tied rows
	Answer float64  `json:"answer"`
	Actual float64  `json:"actual"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
}

// HistogramBin counts weight with From ≤ value < To, in the last bin also To.
type HistogramBin struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Negative float64 `json:"negative"` // regression: all
	Positive float64 `json:"positive"`
}

// The most curves of a run, and points of one.
const (
	MaxReportedCurves = 32
	MaxReportedPoints = 200
)

// ReportedCurve is a number that a person's program wrote down step by step.
type ReportedCurve struct {
	Name   string          `json:"name"`
	Split  string          `json:"split,omitempty"`
	Points []ReportedPoint `json:"points"`
}

// ReportedPoint is one value of a curve.
type ReportedPoint struct {
	Step  float64 `json:"step"`
	Value float64 `json:"value"`
}

// reportedName has no count: a counted class of all letters takes a tenth of the program's start to build.
var reportedName = regexp.MustCompile(`^[\pL\pN][\pL\pN _.:@/%()-]*$`)

const maxReportedName = 64

func isReportedName(text string) bool {
	return utf8.RuneCountInString(text) <= maxReportedName && reportedName.MatchString(text)
}

// Check says whether a curve can be kept and shown: short plain names, and not too many points.
func (c ReportedCurve) Check() error {
	switch {
	case !isReportedName(c.Name) || c.Split != "" && !isReportedName(c.Split):
		return fmt.Errorf("curve %.80q of %.80q: names are up to 64 letters, digits, spaces and _.:@/%%()-", c.Name, c.Split)
	case len(c.Points) == 0 || len(c.Points) > MaxReportedPoints:
		return fmt.Errorf("curve %q has %d points, and at most %d are kept", c.Name, len(c.Points), MaxReportedPoints)
	}
	return nil
}
