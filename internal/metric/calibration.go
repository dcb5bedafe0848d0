package metric

import "math"

// bins of the calibration error.
const bins = 10

// Bin is rows of neighbouring scores: their weight, and the sums over it of score and of positives (regression: of the label).
type Bin struct {
	Weight, Score, Positive float64
}

// calibrationError is the expected calibration error: over the bins, the gap between scores and positives, as a share of all weight.
func (b *blocks) calibrationError() float64 {
	total := b.sum[0] + b.sum[1]
	if !b.shares || total == 0 {
		return math.NaN()
	}
	gaps := 0.0
	for _, bin := range b.calibrate(total) {
		gaps += math.Abs(bin.Positive - bin.Score)
	}
	return gaps / total
}

// calibrate cuts the rows into ten bins of equal count in ascending order of the score. Without weights a bin has ⌊n/10⌋ rows and the
// last takes the rest; with weights each has a tenth of the weight. Tied rows that an edge divides count in both bins, by share, so that the
// order of rows changes nothing.
func (b *blocks) calibrate(total float64) (out [bins]Bin) {
	size := total / bins
	if b.counted {
		size = math.Floor(size)
	}
	var bin Bin
	at, room := 0, size
	for i := len(b.pos) - 1; i >= 0; i-- {
		pos, score := b.pos[i], b.score[i]
		mass := pos + b.neg[i]
		for at < bins-1 && mass > room { // the edge of the bin divides the block
			hits := pos * (room / mass)
			out[at] = Bin{Weight: bin.Weight + room, Score: bin.Score + room*score, Positive: bin.Positive + hits}
			mass, pos, bin = mass-room, pos-hits, Bin{}
			at, room = at+1, size
		}
		bin.Weight += mass
		bin.Score += mass * score
		bin.Positive += pos
		room -= mass
	}
	out[at] = bin
	return out
}

// Calibration gives the bins that ece is made of, by ascending score, leaving out empty ones; nil when ece does not exist.
func Calibration(s Sample) []Bin {
	b := whole(s)
	if b == nil || s.Task != Binary || !b.shares {
		return nil
	}
	var out []Bin
	for _, bin := range b.calibrate(b.sum[0] + b.sum[1]) {
		if bin.Weight > 0 {
			out = append(out, bin)
		}
	}
	return out
}

// Block is all rows of one score: their weight by class.
type Block struct {
	Score, Positive, Negative float64
}

// Blocks gives the distinct scores of a binary sample in descending order, from which every curve is drawn; nil for a sample that Check refuses.
func Blocks(s Sample) []Block {
	b := whole(s)
	if b == nil || s.Task != Binary {
		return nil
	}
	out := make([]Block, len(b.score))
	for i, score := range b.score {
		out[i] = Block{Score: score, Positive: b.pos[i], Negative: b.neg[i]}
	}
	return out
}

// whole ranks every row once.
func whole(s Sample) *blocks {
	if s.Check() != nil {
		return nil
	}
	k := rows{Sample: s, group: make([]int32, len(s.Label)), groups: 1}.rank()[0]
	b := k.scratch()
	k.fill([]uint16{1}, b)
	return b
}
