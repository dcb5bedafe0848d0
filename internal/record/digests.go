package record

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/plumb-ml/plumb/internal/digest"
)

// significant is how many digits of a result take part in its digest.
const significant = 10

// Digest gives the digest of the inputs without `digest`: the key under which a run is found again.
func (in Inputs) Digest() (string, error) {
	rest := maps.Clone(in)
	delete(rest, "digest")
	sum, err := digest.Of(map[string]any(rest))
	if err != nil {
		return "", fmt.Errorf("digesting inputs: %w", err)
	}
	return sum, nil
}

// SetDigest rounds the result's numbers to 10 significant digits and fills in its digest, so that anyone can compute it from what is stored.
// A number that is NaN or infinite is refused: leave it out instead.
func (r *Result) SetDigest() error {
	r.Metrics, r.Valid = rounded(r.Metrics), rounded(r.Valid)
	sum, err := r.digest()
	if err != nil {
		return err
	}
	r.Digest = sum
	return nil
}

func (r *Result) digest() (string, error) {
	rest := map[string]any{"metrics": rounded(r.Metrics), "valid": rounded(r.Valid), "predictions": r.Predictions}
	if r.Model != "" {
		rest["model"] = r.Model
	}
	sum, err := digest.Of(rest)
	if err != nil {
		return "", fmt.Errorf("digesting result: %w", err)
	}
	return sum, nil
}

// rounded gives a copy with numbers of 10 significant digits, negative zero as zero.
func rounded(metrics map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(metrics))
	for name, value := range metrics {
		text := strconv.FormatFloat(value, 'e', significant-1, 64)
		value, _ = strconv.ParseFloat(text, 64) // what FormatFloat wrote, NaN and Inf too
		if value == 0 {
			value = 0 // drops the sign
		}
		out[name] = value
	}
	return out
}

// PredictionsDigest is the logical digest of row_id and the scores, those of further seeds too, in the order of the evaluation: the dataset digest,
// applied to those columns.
func (e Evaluation) PredictionsDigest() (string, error) {
	if err := e.check(); err != nil {
		return "", fmt.Errorf("digesting predictions: %w", err)
	}
	var ids digest.Column
	for _, id := range e.RowID {
		ids.Int64(id)
	}
	columns := []any{[]any{"row_id", "int64", ids.Sum()}}
	add := func(names []string, scores [][]float64) {
		for c, name := range names {
			var column digest.Column
			for _, score := range scores[c] {
				column.Float64(score)
			}
			columns = append(columns, []any{name, "float64", column.Sum()})
		}
	}
	add(e.scoreNames(), e.Scores)
	for i, scores := range e.Repeats {
		add(e.repeatNames(i+2), scores)
	}
	return digest.Of(append(columns, len(e.RowID)))
}
