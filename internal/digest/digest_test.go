package digest

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// RFC 8785 §3.2.2 and §3.2.4: the sample object and the bytes it becomes.
func TestCanonicalRFC8785Sample(t *testing.T) {
	const in = `{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
		"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`
	const want = "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b33302c342e352c" +
		"302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
	var v any
	if err := json.Unmarshal([]byte(in), &v); err != nil {
		t.Fatal(err)
	}
	got, err := Canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(got) != want {
		t.Errorf("got %s", got)
	}
}

// RFC 8785 §3.2.3: keys are ordered by UTF-16 code units.
func TestCanonicalKeyOrder(t *testing.T) {
	v := map[string]string{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
		"\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}
	got, err := Canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, name := range []string{"Carriage Return", "One", "Control", "Latin Small", "Euro Sign", "Emoji", "Hebrew"} {
		i := strings.Index(string(got), name)
		if i < at {
			t.Errorf("%s is out of order in %s", name, got)
		}
		at = i
	}
}

// RFC 8785 appendix B: IEEE 754 bits and how they print.
func TestCanonicalNumbers(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0", 0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992", 0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001", 0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555554: "333333333.33333325", 0x41b3de4355555555: "333333333.3333333", 0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343", 0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := Canonical(math.Float64frombits(bits))
		if err != nil || string(got) != want {
			t.Errorf("%016x: got %s, %v, want %s", bits, got, err, want)
		}
	}
}

func TestCanonicalValues(t *testing.T) {
	type word string
	loop := map[string]any{}
	loop["a"] = loop
	for _, c := range []struct {
		in   any
		want string // starting with "!": the error
	}{
		{nil, "null"}, {map[string]any(nil), "{}"}, {[]string(nil), "[]"}, {word("x"), `"x"`}, {[2]int{1, 2}, "[1,2]"},
		{map[word]float32{"b": 0.5, "a": 1}, `{"a":1,"b":0.5}`}, {int64(1) << 53, "9007199254740992"}, {1.0, "1"}, {"</script>&\u2028", "\"</script>&\u2028\""},
		{time.Date(2001, 6, 30, 14, 0, 0, 0, time.FixedZone("", 7200)), `"2001-06-30T12:00:00Z"`},
		{time.Date(2001, 6, 30, 12, 0, 0, 120_000_000, time.UTC), `"2001-06-30T12:00:00.12Z"`},
		{json.Number("1e2"), "100"}, {new(3), "3"}, {(*int)(nil), "null"},
		{int64(1)<<53 + 1, "!2^53"}, {uint64(math.MaxUint64), "!2^53"}, {math.NaN(), "!NaN"}, {math.Inf(-1), "!Inf"}, {"\xff", "!UTF-8"},
		{map[int]int{1: 1}, "!keys of type int"}, {struct{ A int }{1}, "!has no digest"}, {loop, "!nested too deeply"},
		{map[string]any{"a": []any{1, math.NaN()}}, "!a: [1]: NaN"}, {func() {}, "!has no digest"}, {json.Number("x"), "!not a number"},
	} {
		got, err := Canonical(c.in)
		wantErr, isErr := strings.CutPrefix(c.want, "!")
		switch {
		case isErr && (err == nil || !strings.Contains(err.Error(), wantErr)):
			t.Errorf("%v: got %s, %v, want error %q", c.in, got, err, wantErr)
		case !isErr && (err != nil || string(got) != c.want):
			t.Errorf("%v: got %s, %v, want %s", c.in, got, err, c.want)
		}
	}
}

// The expected digests are those of sha256sum over the bytes written out by hand.
func TestColumn(t *testing.T) {
	var ints, floats, bools, texts, decimals Column
	ints.Int64(-2)
	ints.Null()
	floats.Float64(math.Copysign(0, -1))
	floats.Float64(math.Float64frombits(0xfff8000000000001))
	bools.Bool(true)
	texts.String("é")
	for _, v := range []string{"-1.50", "-001.5"} {
		if err := decimals.Decimal(v); err != nil {
			t.Fatal(err)
		}
	}
	dec := "00" + "0000000000000003" + "2d3135" + "0000000000000001"
	for name, c := range map[string]struct {
		col   *Column
		bytes string
	}{
		"int64": {&ints, "00fffffffffffffffe" + "01"}, "float64": {&floats, "000000000000000000" + "007ff8000000000000"}, "bool": {&bools, "0001"},
		"string": {&texts, "00" + "0000000000000002" + "c3a9"}, "decimal": {&decimals, dec + dec}, "empty": {&Column{}, ""},
	} {
		raw, _ := hex.DecodeString(c.bytes)
		if got := c.col.Sum(); got != Bytes(raw) {
			t.Errorf("%s: got %s", name, got)
		}
	}
	for _, bad := range []string{"", "-", ".", "1e5", "1.2.3", "+1", " 1"} {
		if decimals.Decimal(bad) == nil {
			t.Errorf("decimal %q was accepted", bad)
		}
	}
}

// The buffer's boundaries must not show.
func TestColumnLong(t *testing.T) {
	var col Column
	var raw []byte
	for i := range 1000 {
		s := strings.Repeat("x", i*91)
		col.String(s)
		raw = append(raw, 0, 0, 0, 0, 0, 0, byte(len(s)>>16), byte(len(s)>>8), byte(len(s)))
		raw[len(raw)-9] = 0
		raw = append(raw, s...)
		_ = col.Sum()
	}
	if col.Sum() != Bytes(raw) || col.Rows() != 1000 {
		t.Error("a column longer than the buffer digests differently")
	}
}
