package value

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

var labels = [4]string{"right alarm (tp)", "false alarm (fp)", "missed (fn)", "rightly quiet (tn)"}

// Report is plumb.value/v1 for one confusion matrix. Without one it is refused: accuracy or AUC alone do not say which errors are made, and
// the errors are what costs.
func (m *Money) Report(c *Counts) record.Value {
	out := record.Value{Schema: "plumb.value/v1", Currency: m.currency, Period: m.period, Lines: []record.ValueLine{}, BreakEven: map[string]record.BreakEven{}}
	if c == nil {
		out.Refused = "value needs a confusion matrix: how many right and false alarms, missed and rightly quiet cases"
		return out
	}
	total, ok := m.PerPeriod(c.TP, c.FP, c.FN, c.TN)
	hours, hoursOK := m.HoursPerPeriod(c.TP, c.FP, c.FN, c.TN)
	if !ok && !hoursOK {
		out.Refused = "the confusion matrix has no cases"
		return out
	}
	if ok {
		out.Lines, out.Value = m.lines(&m.money, *c, total, m.currency), &total
		m.spread(&out, *c)
	} else {
		out.Reason = "the design card states no money, only hours"
	}
	if hoursOK {
		h := &record.Hours{Lines: m.lines(&m.hours, *c, hours, "hours"), Value: &hours}
		h.Low, h.High, _ = m.bounds(&m.hours, *c)
		out.Hours = h
	}
	return out
}

// lines shows the arithmetic: what a case is worth, times how often it happens, summed.
func (m *Money) lines(r *rates, c Counts, total float64, unit string) []record.ValueLine {
	cells, n := c.cells(), c.TP+c.FP+c.FN+c.TN
	var out []record.ValueLine
	sum := ""
	for i, stated := range r.stated {
		if !stated {
			continue
		}
		worth := r.worth[i]
		formula := r.expr[i].String()
		if given := m.given(r.expr[i].Columns()); given != "" {
			formula += " with " + given
		}
		part := worth * cells[i] / n * m.population
		out = append(out,
			record.ValueLine{Label: fmt.Sprintf("%s: %s a case", labels[i], unit), Formula: formula, Value: &worth},
			record.ValueLine{Label: fmt.Sprintf("%s: %s a %s", labels[i], unit, m.period),
				Formula: m.times(worth, cells[i], n), Value: &part})
		sum = plus(sum, part)
	}
	return append(out, record.ValueLine{Label: fmt.Sprintf("%s a %s", unit, m.period), Formula: sum, Value: &total})
}

// plus writes a number behind a sum.
func plus(sum string, v float64) string {
	switch {
	case sum == "":
		return short(v)
	case v < 0:
		return sum + " - " + short(-v)
	}
	return sum + " + " + short(v)
}

// times is a worth times how often it happens a period.
func (m *Money) times(worth, count, n float64) string {
	if n == m.population { // the counts are of one period already
		return short(worth) + " × " + short(count)
	}
	return fmt.Sprintf("%s × %s / %s × %s", short(worth), short(count), short(n), short(m.population))
}

// given names the modes that an expression was worked out with.
func (m *Money) given(names []string) string {
	used := map[string]bool{}
	for _, name := range names {
		used[name] = true
	}
	var out []string
	for _, a := range m.assumptions {
		if used[a.name] {
			out = append(out, a.name+" = "+short(a.mode))
		}
	}
	return strings.Join(out, ", ")
}

// short prints a number to six significant digits without an exponent where that is readable.
func short(v float64) string {
	if a := math.Abs(v); a >= 1e6 && a < 1e15 {
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
