package plumb_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// trainer is a person's program for the scripts: `trainer train [misdeed]…`, `trainer predict IN OUT MODEL` and `trainer serve MODEL`. It learns a
// weight a feature from CSV, so that no interpreter has to be installed. A misdeed is what a program may do wrong; see misbehave.
func trainer() {
	var err error
	switch os.Args[1] {
	case "train":
		err = trainerTrains(os.Args[2:])
	case "predict":
		err = trainerPredicts(os.Args[2], os.Args[3], filepath.Join(os.Args[4], "weights.json"))
	case "serve":
		err = trainerServes(filepath.Join(os.Args[2], "weights.json"))
	default:
		err = fmt.Errorf("trainer knows no %s", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// trainerTable is a CSV by column.
type trainerTable struct {
	names []string
	rows  [][]string
}

func readTable(path string) (trainerTable, error) {
	f, err := os.Open(path)
	if err != nil {
		return trainerTable{}, err
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return trainerTable{}, err
	}
	return trainerTable{all[0], all[1:]}, nil
}

func (t trainerTable) column(name string) []string {
	for c, n := range t.names {
		if n == name {
			out := make([]string, len(t.rows))
			for i := range t.rows {
				out[i] = t.rows[i][c]
			}
			return out
		}
	}
	return nil
}

func (t trainerTable) numbers(name string) []float64 {
	out := make([]float64, len(t.rows))
	for i, text := range t.column(name) {
		out[i], _ = strconv.ParseFloat(text, 64) // what is missing is 0
	}
	return out
}

// scores are those of a model: one weight a feature.
func (t trainerTable) scores(weights map[string]float64) []float64 {
	out := make([]float64, len(t.rows))
	for name, w := range weights {
		for i, x := range t.numbers(name) {
			out[i] += w * x
		}
	}
	for i := range out {
		out[i] = 1 / (1 + math.Exp(-out[i]))
	}
	return out
}

func trainerTrains(misdeeds []string) error {
	train, err := readTable(os.Getenv("PLUMB_TRAIN"))
	if err != nil {
		return err
	}
	var features []string
	var params struct {
		Scale float64 `json:"scale"`
		Luck  float64 `json:"luck"` // how much the seed moves a weight
	}
	params.Scale = 1
	if err := json.Unmarshal([]byte(os.Getenv("PLUMB_FEATURES")), &features); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(os.Getenv("PLUMB_PARAMS")), &params); err != nil {
		return err
	}
	y := train.numbers("label")
	weights := map[string]float64{}
	seed, err := strconv.ParseFloat(os.Getenv("PLUMB_SEED"), 64)
	if err != nil {
		return err
	}
	for i, name := range features {
		var product, square float64
		for row, x := range train.numbers(name) {
			product += x * (y[row] - 0.5)
			square += x * x
		}
		weights[name] = 4 * params.Scale * product / math.Max(square, 1e-9) * (1 + params.Luck*math.Sin(seed*float64(i+1)))
		fmt.Printf("weight of %s: %.3f\n", name, weights[name])
	}
	out := os.Getenv("PLUMB_OUT")
	curve := ""
	for i := range 5 {
		curve += fmt.Sprintf(`{"step":%d,"name":"log_loss","value":%g,"split":"valid"}`+"\n", i+1, 1/float64(i+1))
	}
	if err := os.WriteFile(filepath.Join(out, "metrics.jsonl"), []byte(curve), 0o644); err != nil {
		return err
	}
	text, err := json.Marshal(weights)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "model", "weights.json"), text, 0o644); err != nil {
		return err
	}
	var lines []string
	for _, part := range []string{"PLUMB_VALID", "PLUMB_TEST"} {
		t, err := readTable(os.Getenv(part))
		if err != nil {
			return err
		}
		scores := t.scores(weights)
		for i, id := range t.column("row_id") {
			lines = append(lines, fmt.Sprintf("%s,%g", id, scores[i]))
		}
	}
	for _, m := range misdeeds {
		if lines, err = misbehave(m, lines); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(out, "predictions.csv"), []byte("row_id,score\n"+strings.Join(lines, "\n")+"\n"), 0o644)
}

func trainerPredicts(in, out, model string) error {
	t, weights, err := trainerModel(in, model)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("row_id,score\n")
	scores := t.scores(weights)
	for i, id := range t.column("row_id") {
		fmt.Fprintf(&b, "%s,%g\n", id, scores[i])
	}
	fmt.Println("scored", len(scores), "rows")
	return os.WriteFile(out, []byte(b.String()), 0o644)
}

func trainerModel(in, model string) (t trainerTable, weights map[string]float64, err error) {
	if in != "" {
		if t, err = readTable(in); err != nil {
			return t, nil, err
		}
	}
	text, err := os.ReadFile(model)
	if err == nil {
		err = json.Unmarshal(text, &weights)
	}
	return t, weights, err
}

func trainerServes(model string) error {
	_, weights, err := trainerModel("", model)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil
		}
		var q struct {
			Columns []string `json:"columns"`
			Rows    [][]any  `json:"rows"`
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		t := trainerTable{names: q.Columns}
		for _, row := range q.Rows {
			texts := make([]string, len(row))
			for c, v := range row {
				texts[c] = fmt.Sprint(v)
			}
			t.rows = append(t.rows, texts)
		}
		text, err := json.Marshal(map[string]any{"scores": t.scores(weights)})
		if err != nil {
			return err
		}
		fmt.Println(string(text))
	}
}
