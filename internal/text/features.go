package text

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// Features prints a line for every feature.
func Features(o Out, all record.Features) error {
	t := Table{Columns: []Column{{Name: "feature", Most: 50}, {Name: "kind"}, {Name: "what", Most: 70}, {Name: "dataset", Most: 30}, {Name: "used by", Most: 60}}}
	for _, f := range all.Features {
		used := Cell{Text: strings.Join(f.Experiments, ", ")}
		switch {
		case len(f.Experiments) == 0:
			used = Cell{Text: "nobody", Colour: Dim}
		case len(f.ChampionOf) > 0:
			used.Text += " (champion of " + strings.Join(f.ChampionOf, ", ") + ")"
		}
		t.Rows = append(t.Rows, append(Cells(f.Name, f.Kind, oneLine(definition(f)), f.Dataset), used))
	}
	if len(t.Rows) == 0 {
		_, err := fmt.Fprintln(o.W, "no features/*.toml has a feature, and no experiment uses one")
		return err
	}
	return t.Write(o)
}

// definition is a feature's text with its window or ttl.
func definition(f record.Feature) string {
	out := f.Definition
	if f.Window != "" {
		out += " over " + f.Window
	}
	if f.TTL != "" {
		out += ", ttl " + f.TTL
	}
	return out
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Feature prints one feature with its past.
func Feature(o Out, f record.FeatureView) error {
	fmt.Fprintf(o.W, "%s · %s of %s\n", o.Paint(Bold, escape.Terminal(f.Name)), f.Kind, f.Dataset)
	for _, line := range []struct{ name, text string }{{"what", f.Definition}, {"window", f.Window}, {"ttl", f.TTL}, {"entity", entities(f.Feature)},
		{"means", f.Description}, {"used by", strings.Join(f.Experiments, ", ")}, {"champion of", strings.Join(f.ChampionOf, ", ")}, {"view", f.Digest}} {
		if line.text != "" {
			fmt.Fprintf(o.W, "  %-12s%s\n", line.name, escape.Terminal(oneLine(line.text)))
		}
	}
	if f.View != "" {
		if err := history(o, f); err != nil {
			return err
		}
	}
	if len(f.Runs) == 0 {
		_, err := fmt.Fprintln(o.W, "no recorded run used it")
		return err
	}
	t := Table{Columns: []Column{{Name: "run"}, {Name: "experiment", Most: 40}, {Name: "importance", Right: true}, {Name: "rank"}, {Name: "its inputs"}}}
	for _, r := range f.Runs {
		importance, rank, inputs := "–", "–", "as now"
		if r.Importance != nil {
			importance, rank = brief.Number(100**r.Importance, 1)+" %", fmt.Sprintf("%d of %d", r.Rank, r.Of)
		}
		if !r.Current {
			inputs = "others"
		}
		t.Rows = append(t.Rows, Cells(r.Run, r.Experiment, importance, rank, inputs))
	}
	if err := t.Write(o); err != nil {
		return err
	}
	if more := f.RunsTotal - len(f.Runs); more > 0 {
		fmt.Fprintf(o.W, "and %d older runs\n", more)
	}
	return nil
}

func entities(f record.Feature) string {
	var out []string
	for _, e := range f.Entity {
		if on := f.On[e]; on != "" {
			e += " (the row's " + on + ")"
		}
		out = append(out, e)
	}
	return strings.Join(out, ", ")
}

func history(o Out, f record.FeatureView) error {
	t := Table{Columns: []Column{{Name: "when"}, {Name: "commit"}, {Name: "change"}, {Name: "to", Most: 60}, {Name: "message", Most: 60}}}
	for _, c := range f.History {
		when, commit := "now", "not committed"
		if c.Commit != "" {
			when, commit = c.Time[:len("2006-01-02")], c.Commit[:9]
		}
		t.Rows = append(t.Rows, Cells(when, commit, c.Change, oneLine(definition(record.Feature{Definition: c.Definition, Window: c.Window, TTL: c.TTL})), c.Subject))
	}
	if err := t.Write(o); err != nil {
		return err
	}
	if !f.HistoryWhole {
		fmt.Fprintln(o.W, "older history is not in this clone, or too long to list")
	}
	return nil
}

// FeatureChecks prints what was found of each feature, the leaks first.
func FeatureChecks(o Out, all record.FeatureChecks) error {
	for _, state := range []string{record.FeatureLeaks, record.FeatureUnstable, record.FeatureUntried, record.FeatureClean} {
		for _, f := range all.Features {
			if f.State != state {
				continue
			}
			name := escape.Terminal(f.Name)
			if state == record.FeatureClean {
				fmt.Fprintf(o.W, "%s %s: nothing found in %s answers\n", o.Paint(Green, "✓"), name, brief.Count(f.Asked))
				continue
			}
			sign := o.Paint(Red, "✗")
			if state == record.FeatureUntried {
				sign = o.Paint(Amber, "?")
			}
			sentence, advice := brief.Leak(f)
			fmt.Fprintf(o.W, "%s %s: %s\n", sign, name, escape.Terminal(sentence))
			if advice != "" {
				fmt.Fprintf(o.W, "  %s %s\n", o.Paint(Dim, "hint:"), advice)
			}
		}
	}
	if len(all.Features) == 0 {
		_, err := fmt.Fprintln(o.W, "no features/*.toml has a feature: columns and expressions of the row itself are checked by `plumb check`")
		return err
	}
	_, err := fmt.Fprintf(o.W, "%s, %d cuts, seed %d\n", number(len(all.Features), "feature"), all.Cuts, all.Seed)
	return err
}

// FeatureDiff prints what is different about features, and how their values differ on the same rows.
func FeatureDiff(o Out, d record.FeatureDiff) error {
	t := Table{Columns: []Column{{Name: "feature", Most: 50}, {Name: "change"}, {Name: "rows that differ", Right: true}, {Name: "mean before", Right: true},
		{Name: "mean after", Right: true}, {Name: "null before", Right: true}, {Name: "null after", Right: true}, {Name: "", Most: 100}}}
	for _, f := range d.Features {
		name := f.Name
		if f.Experiment != "" {
			name += " (" + f.Experiment + ")"
		}
		v := f.Values
		if f.Change != "changed" && v.Changed == nil && (v.BaseMean != nil || v.HeadMean != nil) {
			v.Reason = "" // that it has one side only is what the change says
		}
		t.Rows = append(t.Rows, Cells(name, f.Change, percent(v.Changed), mean(v.BaseMean), mean(v.HeadMean), percent(v.BaseNulls), percent(v.HeadNulls), v.Reason))
	}
	if len(t.Rows) > 0 {
		if err := t.Write(o); err != nil {
			return err
		}
	}
	for _, f := range d.Features {
		for _, side := range []struct {
			sign, text string
			colour     Colour
		}{{"-", f.Base, Red}, {"+", f.Head, Green}} {
			if side.text != "" {
				fmt.Fprintln(o.W, o.Paint(side.colour, side.sign+" "+escape.Terminal(f.Name+" = "+oneLine(side.text))))
			}
		}
	}
	for _, u := range d.Uses {
		fmt.Fprintf(o.W, "experiment %s:%s\n", escape.Terminal(u.Experiment), escape.Terminal(listed(" +", u.Added)+listed(" -", u.Removed)))
	}
	if len(d.Features)+len(d.Uses) == 0 {
		fmt.Fprintln(o.W, "no feature differs")
	}
	return nil
}

func listed(sign string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return sign + strings.Join(names, sign)
}

func percent(share *float64) string {
	if share == nil {
		return "–"
	}
	return brief.Number(100**share, 1) + " %"
}
