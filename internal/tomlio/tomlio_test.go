package tomlio

import (
	"reflect"
	"strings"
	"testing"
	"time"

	burnt "github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2"
	"github.com/plumb-ml/plumb/internal/problem"
)

type head struct {
	Schema int `toml:"schema"`
}

type paper struct {
	head
	Name  string          `toml:"name"`
	Level string          `toml:"level" enum:"gate|guard|info" default:"info"`
	Seed  int64           `toml:"seed" default:"1"`
	Share float64         `toml:"share"`
	On    bool            `toml:"on"`
	When  time.Time       `toml:"when"`
	Most  *float64        `toml:"mostly"`
	Any   any             `toml:"any"`
	List  []string        `toml:"list"`
	Items map[string]item `toml:"item"`
	Inner inner           `toml:"inner"`
	Param map[string]any  `toml:"params"`
	Not   string          `toml:"-"`
}

type item struct {
	Kind string `toml:"kind"`
	Min  any    `toml:"min"`
}

type inner struct {
	Deep  string `toml:"deep" default:"sea"`
	Twice int    `toml:"twice"`
}

func decodeAll(src string) (paper, *Positions, []problem.Problem) {
	var p paper
	var list problem.List
	pos := Decode("a.toml", []byte(src), &p, &list)
	return p, pos, list.All()
}

func TestDecode(t *testing.T) {
	_, _, problems := decodeAll("\ufeffschema = 1\r\nname = 'it''\"\r\n")
	if len(problems) != 1 {
		t.Errorf("a quote inside a literal string: %v", problems)
	}
	p, pos, problems := decodeAll("\ufeffschema = 1\r\nname = \"Zoë\" # why\r\nshare = 1\r\nany = [1, 2.5, \"x\"]\r\nwhen = 2001-06-30\r\n" +
		"[item.b]\r\nkind=\"k\"\r\n[item.a]\r\nmin=3\r\n[params]\r\na.b = 1\r\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if p.Schema != 1 || p.Name != "Zoë" || p.Share != 1 || p.Level != "info" || p.Seed != 1 || p.Inner.Deep != "sea" || p.When.Format(time.DateOnly) != "2001-06-30" {
		t.Errorf("decoded %+v", p)
	}
	if want := []any{int64(1), 2.5, "x"}; !reflect.DeepEqual(p.Any, want) {
		t.Errorf("any = %v", p.Any)
	}
	if want := map[string]any{"a": map[string]any{"b": int64(1)}}; !reflect.DeepEqual(p.Param, want) {
		t.Errorf("params = %v", p.Param)
	}
	if keys := pos.Keys("item"); !reflect.DeepEqual(keys, []string{"b", "a"}) {
		t.Errorf("keys of item in order: %v", keys)
	}
	for _, c := range []struct {
		at   problem.Pos
		want string
	}{
		{pos.At("name"), "a.toml:2:1"}, {pos.Value("name"), "a.toml:2:8"}, {pos.Inside(3, "name"), "a.toml:2:12"},
		{pos.At("item", "a"), "a.toml:8:7"}, {pos.At("item", "a", "min"), "a.toml:9:1"}, {pos.At("item", "a", "no"), "a.toml:8:7"},
		{pos.Value("any", "2"), "a.toml:4:16"}, {pos.At("params", "a", "b"), "a.toml:11:3"}, {pos.At("nothing"), "a.toml"},
	} {
		if c.at.String() != c.want {
			t.Errorf("place %s, want %s", c.at, c.want)
		}
	}
}

// TestInside holds that an offset in a string's value leads to its place in the file, whatever quotes and escapes are around it.
func TestInside(t *testing.T) {
	for _, raw := range []string{`"delay > @"`, `'delay > @'`, `"\"\t\u00e9\U0001F600\\ @"`, "\"\"\"\n  a\n  @\"\"\"", "'''x\n@'''", `"""@"""`, "\"\"\"a \\\n   @\"\"\""} {
		src := "name = " + raw + "\n"
		p, pos, problems := decodeAll(src)
		if len(problems) > 0 {
			t.Errorf("%s: %v", raw, problems)
			continue
		}
		got := pos.Inside(strings.Index(p.Name, "@"), "name")
		at := strings.Index(src, "@")
		if line := 1 + strings.Count(src[:at], "\n"); got.Line != line || got.Col != at-strings.LastIndex(src[:at], "\n") {
			t.Errorf("%q: @ found at %s", raw, got)
		}
	}
}

// TestDeep holds that what would cost BurntSushi seconds and gigabytes is refused before a parser sees it.
func TestDeep(t *testing.T) {
	for name, src := range map[string]string{
		"inline tables":         "a = " + strings.Repeat("{a=", 10_000) + "1" + strings.Repeat("}", 10_000),
		"brackets":              "a = " + strings.Repeat("[", 20_000),
		"dotted key":            strings.Repeat("a.", 10_000) + "a = 1",
		"header":                "[" + strings.Repeat("a.", 10_000) + "a]\nb = 1",
		"mixed":                 "[" + strings.Repeat("a.", 15) + "a]\n" + strings.Repeat("b.", 10) + "b = [[[[[[[[[[1]]]]]]]]]]",
		"after a string":        "s = \"]]]]\"\nt = '''\n[[[''' \na = " + strings.Repeat("[", 40),
		"after a broken string": "s = \"oops\na = " + strings.Repeat("[", 40),
		"header brackets":       strings.Repeat("[", 20_000),
	} {
		_, pos, problems := decodeAll(src)
		if len(problems) != 1 || (problems[0].Rule != "nesting") || !pos.Refused() {
			t.Errorf("%s: %v", name, problems)
		}
		if err := Unmarshal([]byte(src), &map[string]any{}); err == nil || !strings.Contains(err.Error(), "nested") {
			t.Errorf("%s: Unmarshal: %v", name, err)
		}
	}
	fine := "[" + strings.Repeat("a.", 14) + "a]\n" + strings.Repeat("b.", 9) + "b = [[[[1]]]]\n[c]\nd = [[1.5, 2.5], [1.5]]\n# [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\ne = \"" + strings.Repeat("[.", 50) + "\"\n"
	if _, deep := tooDeep([]byte(fine)); deep {
		t.Error("a fine document counts as too deep")
	}
}

func TestLarge(t *testing.T) {
	_, pos, problems := decodeAll("# " + strings.Repeat("x", MaxDocument))
	if len(problems) != 1 || problems[0].Rule != "size" || !pos.Refused() {
		t.Errorf("%v", problems)
	}
	if err := Unmarshal(make([]byte, MaxLock+1), &map[string]any{}); err == nil {
		t.Error("Unmarshal took more than MaxLock")
	}
}

// TestRecover holds that reading goes on after a mistake and says each once.
func TestRecover(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		want []string // line:col rule
	}{
		"seven":                     {"schema = 1\nname = oops\nlevel = \"gaet\"\nseed = 1.5\nshare = nan\nlits = []\non = 1\nseed = 2\n", []string{"2:8 syntax", "3:9 choice", "4:8 type", "5:9 value", "6:1 unknown-key", "7:6 type", "8:1 duplicate"}},
		"array of tables":           {"[[item]]\nkind = \"a\"\n[[item]]\nkind = \"b\"\n[inner]\ntwice = true\n", []string{"1:3 array-table", "6:9 type"}},
		"header not closed":         {"[inner\ntwice = true\nunknown = 1\n", []string{"1:7 syntax", "2:9 type", "3:1 unknown-key"}},
		"header unreadable":         {"[\"in ner]\ntwice = true\n[inner]\ntwice = true\n", []string{"1:10 syntax", "4:9 type"}},
		"table given twice":         {"[inner]\ntwice = 1\n[inner]\ndeep = \"x\"\n", []string{"3:2 duplicate"}},
		"dots into a header":        {"[item.a]\nkind = \"x\"\n[item]\na.min = 1\n", []string{"4:1 duplicate"}},
		"inline table reopened":     {"inner = { deep = \"x\" }\n[inner]\ntwice = 1\n", []string{"2:2 duplicate"}},
		"list never closed":         {"list = [\"a\",\nname = \"x\"\nseed = true\n", []string{"2:1 syntax", "3:8 type"}},
		"list without commas":       {"list = [\n  \"a\"\n  \"b\",\n]\nseed = true\n", []string{"3:3 syntax", "5:8 type"}},
		"text never closed":         {"name = \"\"\"\nsome words\nmore words\nseed = true\n", []string{"1:1 syntax", "4:8 type"}},
		"quote never closed":        {"name = \"abc\nseed = true\n", []string{"1:12 syntax", "2:8 type"}},
		"yaml":                      {"name: abc\nseed = true\n", []string{"1:5 syntax", "2:8 type"}},
		"words":                     {"hello there\nseed = true\n", []string{"1:7 syntax", "2:8 type"}},
		"two broken lines":          {"hello there\nbye now\nseed = true", []string{"1:7 syntax", "2:5 syntax", "3:8 type"}},
		"not UTF-8":                 {"name = \"a\xff\xfeb\"\nseed = true\n", []string{"1:10 encoding", "2:8 type"}},
		"control character":         {"name = \"a\x01b\"\nseed = true\n", []string{"1:10 syntax", "2:8 type"}},
		"large integer":             {"seed = 9007199254740993\nany = 99999999999999999999\n", []string{"1:8 value", "2:7 value"}},
		"bad times":                 {"when = 2001-02-30\nany = 07:32:00\n", []string{"1:8 value", "2:7 value"}},
		"infinite":                  {"share = -inf\n", []string{"1:9 value"}},
		"case counts":               {"SCHEMA = 7\n", []string{"1:1 unknown-key"}},
		"table for text":            {"name = { a = 1 }\nlist = \"x\"\ninner = 3\nitem = []\n", []string{"1:8 type", "2:8 type", "3:9 type", "4:8 type"}},
		"mostly text":               {"mostly = \"0.9\"\n", []string{"1:10 type"}},
		"in a list":                 {"list = [\"a\", 2, \"c\", 4]\n", []string{"1:14 type", "1:22 type"}},
		"inline table on two lines": {"inner = {\n deep = \"x\",\n}\nseed = true\n", []string{"1:10 dialect", "4:8 type"}},
		"comma before the brace":    {"inner = { deep = \"x\", }\n", []string{"1:23 dialect"}},
		"short escapes":             {"name = \"\\e[1m \\x41 \\\\x\"\n", []string{"1:9 dialect", "1:15 dialect"}},
		"list on many lines":        {"list = [\n \"a\", # why\n \"b\",\n]\n", nil},
		"no seconds":                {"when = 2001-02-03T04:05Z\n", []string{"1:8 value"}},
		"empty":                     {"", nil},
		"white space":               {" \n\t\n# only a remark", nil},
	} {
		_, _, problems := decodeAll(c.src)
		var got []string
		for _, p := range problems {
			got = append(got, strings.TrimPrefix(p.Pos.String(), "a.toml:")+" "+p.Rule)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q\n%v", name, got, c.want, problems)
		}
	}
}

func TestSet(t *testing.T) {
	src := "schema = 1 # one\nchampion = 'old'   # who serves\nlist = [\n  \"a\",\n]\n\n[question] # q\nlabel = \"x > 1\"\n# trailing remark\n\n[metric.auc]\nlevel = \"gate\""
	for name, c := range map[string]struct {
		value any
		key   []string
		old   string
		new   string
	}{
		"replaced":  {"new", []string{"champion"}, "'old'   #", "\"new\"   #"},
		"nested":    {"y", []string{"question", "label"}, "\"x > 1\"", "\"y\""},
		"added top": {int64(3), []string{"version"}, "]\n\n[question]", "]\nversion = 3\n\n[question]"},
		"added":     {0.5, []string{"question", "threshold"}, "\"x > 1\"\n", "\"x > 1\"\nthreshold = 0.5\n"},
		"at end":    {true, []string{"metric", "auc", "on"}, "level = \"gate\"", "level = \"gate\"\non = true\n"},
		"new table": {"git", []string{"store", "url"}, "level = \"gate\"", "level = \"gate\"\n\n[store]\nurl = \"git\"\n"},
		"new item":  {"info", []string{"metric", "f1", "level"}, "level = \"gate\"", "level = \"gate\"\n\n[metric.f1]\nlevel = \"info\"\n"},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			crlf := strings.NewReplacer("\n", end)
			got, err := Set([]byte(crlf.Replace(src)), c.value, c.key...)
			if want := crlf.Replace(strings.Replace(src, c.old, c.new, 1)); err != nil || string(got) != want {
				t.Errorf("%s: %v\n%s", name, err, got)
			}
		}
	}
	for _, key := range [][]string{{"list"}, {"question"}, {}, {"champion", "x"}} {
		if out, err := Set([]byte(src), "x", key...); err == nil {
			t.Errorf("setting %v gave %s", key, out)
		}
	}
	if _, err := Set([]byte("a = "), "x", "a"); err == nil {
		t.Error("a broken document was edited")
	}
	if out, err := Set(nil, "x", "a"); err != nil || string(out) != "a = \"x\"\n" {
		t.Errorf("empty document: %q %v", out, err)
	}
	if out, err := Set([]byte("\ufeffa = 1\n"), "x", "a"); err != nil || string(out) != "\ufeffa = \"x\"\n" {
		t.Errorf("byte order mark: %q %v", out, err)
	}
}

func TestSetAfterAndUnset(t *testing.T) {
	src := "schema = 1\nchampion = \"a\" # who serves\nversion = 3 # since the outage\n\n[question]\nlabel = \"y\"\n"
	without := strings.Replace(src, "version = 3 # since the outage\n", "", 1)
	for _, end := range []string{"\n", "\r\n"} {
		crlf := strings.NewReplacer("\n", end)
		if got, err := Unset([]byte(crlf.Replace(src)), "version"); err != nil || string(got) != crlf.Replace(without) {
			t.Errorf("taken away: %v\n%s", err, got)
		}
		want := crlf.Replace(strings.Replace(without, "# who serves\n", "# who serves\nversion = 3\n", 1))
		if got, err := SetAfter([]byte(crlf.Replace(without)), int64(3), "version", "champion"); err != nil || string(got) != want {
			t.Errorf("added: %v\n%s", err, got)
		}
	}
	if got, err := SetAfter([]byte(src), int64(4), "version", "champion"); err != nil || string(got) != strings.Replace(src, "= 3", "= 4", 1) {
		t.Errorf("replaced: %v\n%s", err, got)
	}
	if got, err := SetAfter([]byte("champion = \"a\""), int64(1), "version", "champion"); err != nil || string(got) != "champion = \"a\"\nversion = 1\n" {
		t.Errorf("no line end: %v %q", err, got)
	}
	if got, err := Unset([]byte("\ufeffa = 1\nb = 2"), "b"); err != nil || string(got) != "\ufeffa = 1\n" {
		t.Errorf("byte order mark: %v %q", err, got)
	}
	if got, err := Unset([]byte("a = \"\"\"\nx\ny\"\"\" # z\nb = 2\n"), "a"); err != nil || string(got) != "b = 2\n" {
		t.Errorf("several lines: %v %q", err, got)
	}
	if got, err := Unset([]byte(src), "none"); err != nil || string(got) != src {
		t.Errorf("absent: %v", err)
	}
	for _, key := range []string{"question"} {
		if out, err := Unset([]byte(src), key); err == nil {
			t.Errorf("%s was taken away: %s", key, out)
		}
	}
}

func TestQuoteRoundTrip(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c", "tab\tline\nreturn\r\x00\x7f", "Zoë 😀", "bad \xff"} {
		var out struct {
			V string `toml:"v"`
		}
		if err := Unmarshal([]byte("v = "+Quote(s)), &out); err != nil || out.V != strings.ToValidUTF8(s, "\ufffd") {
			t.Errorf("%q came back as %q: %v", s, out.V, err)
		}
	}
}

// FuzzDecode holds our tree against the library's own decoder: what one accepts the other does, with the same values, but for what a document may not hold.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a = 1\n[b.c]\nd = [1, {e = 2}]\n", "a.b.c = 1\na.d = 'x'\n[x]\ny = \"\"\"\nz\"\"\"\n", "a = 1_000\nb = 0xff\nc = 1e5\nd = 2001-01-01T00:00:00Z\n",
		"[a]\n[a.b]\n[c.d]\n[c]\n", "[a]\nb.c = 1\n[a.d]\n", "a = {b = 1, c.d = 2}\n", "\"quo ted\".x = true\n'' = 1\n", "[a.b]\n[a]\nb.c = 1\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		var list problem.List
		var ours map[string]any
		pos := Decode("f", []byte(src), &ours, &list)
		if pos.Refused() {
			return
		}
		for _, p := range list.All() {
			if p.Line < 1 || p.Col < 1 {
				t.Fatalf("no place: %v", p)
			}
		}
		var theirs map[string]any
		err := toml.Unmarshal([]byte(src), &theirs)
		if list.Len() == 0 && err != nil {
			t.Fatalf("only we accept: %v", err)
		}
		if err == nil && list.Len() > 0 {
			for _, p := range list.All() {
				if p.Rule == "syntax" || p.Rule == "duplicate" {
					t.Fatalf("only they accept: %v", p)
				}
			}
			return
		}
		if err != nil {
			return
		}
		if a, b := same(ours), same(theirs); !reflect.DeepEqual(a, b) {
			t.Fatalf("ours %v, theirs %v", a, b)
		}
	})
}

// same brings times and empty tables of both sides to one form.
func same(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = same(x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, same(x))
		}
		return out
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case toml.LocalDate:
		return v.AsTime(time.UTC).Format(time.RFC3339Nano)
	case toml.LocalDateTime:
		return v.AsTime(time.UTC).Format(time.RFC3339Nano)
	}
	return v
}

// TestBurntSushiAgrees reads what we write, and what people write, with the other library too.
func TestBurntSushiAgrees(t *testing.T) {
	src := "a = 1\n[b.c]\nd = [1, {e = 2}]\nf = \"\"\"\nx\\n\"\"\"\n[\"q r\"]\ns = 1.5\n"
	var ours, theirs map[string]any
	var list problem.List
	Decode("f", []byte(src), &ours, &list)
	if _, err := burnt.Decode(src, &theirs); err != nil || list.Len() > 0 {
		t.Fatal(err, list.All())
	}
	out, err := Marshal(ours)
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	Decode("f", out, &back, &list)
	if !reflect.DeepEqual(ours, back) || list.Len() > 0 {
		t.Errorf("wrote %s", out)
	}
	if len(theirs) != len(ours) {
		t.Errorf("theirs %v", theirs)
	}
}
