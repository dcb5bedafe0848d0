package evaluate

import (
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
)

// Points of a curve and bins of a histogram. A screen shows no more.
const (
	maxPoints = 200
	maxBins   = 30
)

// curves draws ROC and precision against recall from the blocks of equal score, highest first.
func curves(blocks []metric.Block) (roc, pr []record.CurvePoint) {
	var positives, negatives float64
	for _, b := range blocks {
		positives, negatives = positives+b.Positive, negatives+b.Negative
	}
	if positives == 0 || negatives == 0 {
		return nil, nil
	}
	var hits, alarms float64
	roc = append(roc, record.CurvePoint{})
	for _, b := range blocks {
		if b.Positive+b.Negative == 0 {
			continue
		}
		hits, alarms = hits+b.Positive, alarms+b.Negative
		at := b.Score
		roc = append(roc, record.CurvePoint{X: alarms / negatives, Y: hits / positives, At: &at})
		pr = append(pr, record.CurvePoint{X: hits / positives, Y: hits / (hits + alarms), At: &at})
	}
	return thin(roc, func(a, b record.CurvePoint) float64 { return math.Abs(b.X-a.X) + math.Abs(b.Y-a.Y) }),
		thin(pr, func(a, b record.CurvePoint) float64 { return math.Abs(b.X - a.X) })
}

// thin keeps at most maxPoints points, spread evenly along the curve's length, the first and the last among them. Simplifying by
// deviation (Douglas–Peucker) keeps the shape with fewer points but makes a smooth curve look like a drawn one.
func thin(points []record.CurvePoint, length func(a, b record.CurvePoint) float64) []record.CurvePoint {
	whole := 0.0
	for i := 1; i < len(points); i++ {
		whole += length(points[i-1], points[i])
	}
	var out []record.CurvePoint
	done, next := 0.0, 0.0
	for i, p := range points {
		if i > 0 {
			done += length(points[i-1], p)
		}
		last := i == len(points)-1
		if len(points) > maxPoints && !last && (done < next || len(out) >= maxPoints-1) {
			continue
		}
		for whole > 0 && next <= done {
			next += whole / (maxPoints - 2)
		}
		out = append(out, shortPoint(p))
	}
	return out
}

func shortPoint(p record.CurvePoint) record.CurvePoint {
	p.X, p.Y = short(p.X), short(p.Y)
	if p.At != nil {
		at := short(*p.At)
		p.At = &at
	}
	return p
}

// calibration compares answered with actual shares in the bins that ece is made of.
func calibration(s metric.Sample) []record.CalibrationBin {
	var out []record.CalibrationBin
	for _, b := range metric.Calibration(s) {
		share := b.Positive / b.Weight
		bin := record.CalibrationBin{Rows: short(b.Weight), Answer: short(b.Score / b.Weight), Actual: short(share)}
		if s.Weight == nil { // weighted rows are no count of independent trials
			low, high := stat.Wilson(int(math.Round(b.Positive)), int(math.Round(b.Weight)))
			low, high = short(low), short(high)
			bin.Low, bin.High = &low, &high
		}
		out = append(out, bin)
	}
	return out
}

// agreement compares mean answer with mean label of a regression in ten bins of equal count by answer.
func agreement(s metric.Sample) []record.CalibrationBin {
	order := make([]int, len(s.Label))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := s.Scores[0][a], s.Scores[0][b]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	const bins = 10
	var out []record.CalibrationBin
	for bin := range bins {
		var weight, answer, actual float64
		for _, i := range order[bin*len(order)/bins : (bin+1)*len(order)/bins] {
			w := weightOf(s, i)
			weight, answer, actual = weight+w, answer+w*s.Scores[0][i], actual+w*s.Label[i]
		}
		if weight > 0 {
			out = append(out, record.CalibrationBin{Rows: short(weight), Answer: short(answer / weight), Actual: short(actual / weight)})
		}
	}
	return out
}

// histogram counts values in bins of equal width: twenty over [0, 1] for shares, else up to maxBins from the least to the greatest.
func histogram(values []float64, s metric.Sample) []record.HistogramBin {
	if len(values) == 0 {
		return nil
	}
	from, to, bins := slices.Min(values), slices.Max(values), maxBins
	if s.Task == metric.Binary && from >= 0 && to <= 1 {
		from, to, bins = 0, 1, 20
	}
	width := to/float64(bins) - from/float64(bins) // divided first: the range of two finite numbers may overflow
	if width == 0 {
		bins = 1
	}
	out := make([]record.HistogramBin, bins)
	for b := range out {
		out[b] = record.HistogramBin{From: short(from + float64(b)*width), To: short(from + float64(b+1)*width)}
	}
	for i, v := range values {
		b := 0
		if width > 0 {
			b = min(max(int(v/width-from/width), 0), bins-1)
		}
		if s.Task == metric.Binary && s.Label[i] > 0.5 {
			out[b].Positive += weightOf(s, i)
		} else {
			out[b].Negative += weightOf(s, i)
		}
	}
	return out
}
