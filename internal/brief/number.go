package brief

import (
	"math"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Absent stands where a number does not exist. Zero is a number.
const Absent = "–"

const (
	minus       = "−"
	maxDecimals = 6
)

// shares are metrics that live between −1 and 1 and are read to three decimals.
var shares = map[string]bool{
	"auc": true, "average_precision": true, "log_loss": true, "brier": true, "ece": true, "accuracy": true, "balanced_accuracy": true, "f1": true,
	"precision": true, "recall": true, "specificity": true, "mcc": true, "ks_score": true, "macro_f1": true, "weighted_f1": true, "macro_auc_ovr": true,
	"mape": true, "smape": true, "r2": true, "coverage_90": true,
}

// labels are how people write the metrics whose names are not words.
var labels = map[string]string{
	"auc": "AUC", "average_precision": "average precision", "log_loss": "log loss", "brier": "Brier score", "ece": "ECE", "balanced_accuracy": "balanced accuracy",
	"f1": "F1", "mcc": "MCC", "lift_10": "lift in top 10\u00a0%", "ks_score": "KS", "macro_f1": "macro F1", "weighted_f1": "weighted F1", "macro_auc_ovr": "macro AUC",
	"rmse": "RMSE", "mae": "MAE", "medae": "median AE", "mape": "MAPE", "smape": "sMAPE", "r2": "R²", "mase": "MASE", "coverage_90": "coverage of 90\u00a0%",
	"latency_p50_ms": "latency p50 (ms)", "latency_p95_ms": "latency p95 (ms)", "latency_p99_ms": "latency p99 (ms)", "throughput_rps": "throughput (1/s)",
	"model_bytes": "model size (bytes)", "train_seconds": "training time (s)",
}

// Label is a metric's name as people write it. A name that plumb does not know stays as it is.
func Label(name string) string {
	if l, ok := labels[name]; ok {
		return l
	}
	return name
}

// Number gives v to so many decimals, with thousands parted by commas and a real minus sign; not finite is Absent.
func Number(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Absent
	}
	if math.Abs(v) >= 1e15 {
		return strings.Replace(strconv.FormatFloat(v, 'e', 3, 64), "-", minus, 1)
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, found := strings.Cut(text, ".")
	whole = commas(whole)
	if found {
		whole += "." + fraction
	}
	if v < 0 && strings.Trim(text, "0.") != "" {
		return minus + whole
	}
	return whole
}

// Signed is Number with its sign, also of what is positive; a difference of nothing has none.
func Signed(v float64, decimals int) string {
	text := Number(v, decimals)
	if v > 0 && strings.Trim(text, "0.,") != "" && text != Absent {
		return "+" + text
	}
	return text
}

// Count gives a number of things.
func Count[T int | int64](n T) string { return Number(float64(n), 0) }

// About gives a number of things to two significant digits: it is an estimate.
func About(n int) string {
	if n < 100 {
		return Count(n)
	}
	scale := math.Pow(10, math.Floor(math.Log10(float64(n)))-1)
	return Number(math.Round(float64(n)/scale)*scale, 0)
}

// Value gives a metric's value where it stands alone: three decimals for what lies between −1 and 1, else four significant digits.
func Value(name string, v float64) string { return Number(v, alone(name, v)) }

func alone(name string, v float64) int {
	if shares[name] {
		return 3
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return 0
	}
	return significant(v, 4)
}

// significant is how many decimals show v to so many significant digits.
func significant(v float64, digits int) int {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return clamp(digits-1-int(math.Floor(math.Log10(math.Abs(v)))), 0, maxDecimals)
}

// rough gives four significant digits without zeros at the end.
func rough(v float64) string {
	text := Number(v, significant(v, 4))
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// decimals is how exactly a row's numbers are shown: as exactly as the interval's half width, to one digit, but never so that a number that is not
// zero, or that differs from another, reads as if it were.
func decimals(m record.MetricDifference) int {
	least := 0
	if shares[m.Name] {
		least = 3
	} else if m.Base != nil || m.Head != nil {
		least = min(significant(larger(m.Base, m.Head), 4), 4)
	}
	d := least
	if m.Low != nil && m.High != nil && *m.High > *m.Low {
		d = max(d, significant((*m.High-*m.Low)/2, 1))
	}
	for _, v := range []*float64{m.Difference, m.Low, m.High} {
		for v != nil && *v != 0 && d < maxDecimals && math.Abs(*v) < 0.5*math.Pow(10, -float64(d)) {
			d++
		}
	}
	return d
}

func larger(a, b *float64) float64 {
	v := 0.0
	for _, p := range []*float64{a, b} {
		if p != nil && math.Abs(*p) > v {
			v = math.Abs(*p)
		}
	}
	return v
}

// Money gives an amount in a currency: "$2,800", "CHF 2,800"; cents only below a hundred.
func Money(currency string, v float64) string { return amount(currency, v, "") }

// SignedMoney is Money with its sign.
func SignedMoney(currency string, v float64) string { return amount(currency, v, "+") }

func amount(currency string, v float64, plus string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Absent
	}
	places := 0
	if math.Abs(v) < 100 && v != math.Trunc(v) {
		places = 2
	}
	text := strings.TrimPrefix(Number(v, places), minus)
	sign := ""
	switch {
	case strings.Trim(text, "0.") == "":
	case v < 0:
		sign = minus
	default:
		sign = plus
	}
	if symbol, ok := map[string]string{"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}[currency]; ok {
		return sign + symbol + text
	}
	return strings.TrimSpace(currency + " " + sign + text)
}

// Score gives a score of 100, to a tenth where it is not whole, and rounds none up to 100.
func Score(v float64) string {
	if v == math.Trunc(v) {
		return Number(v, 0)
	}
	return Number(math.Floor(v*10)/10, 1)
}

// Seconds gives a duration as people say it.
func Seconds(s float64) string {
	switch {
	case math.IsNaN(s) || s < 0:
		return Absent
	case s < 0.0005:
		return "0 s"
	case s < 1:
		return Number(s*1000, 0) + " ms"
	case s < 100:
		return Number(s, 1) + " s"
	case s < 6000:
		return Number(s/60, 1) + " min"
	}
	return Number(s/3600, 1) + " h"
}

// Bytes gives a size in powers of 1,000.
func Bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 1000 && u < len(units)-1 {
		v, u = v/1000, u+1
	}
	if u == 0 {
		return Count(n) + " B"
	}
	return Number(v, significant(v, 3)) + " " + units[u]
}

func commas(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func clamp(v, low, high int) int { return min(max(v, low), high) }

// Exact is a number that a person wrote, as short as it was written.
func Exact(v float64) string { return shortest(v) }
