//go:build linux

package job

import (
	"strings"
	"testing"
	"time"
)

func TestWorker(t *testing.T) {
	r := room(t)
	w, err := r.StartWorker(t.Context(), hostile(t, r, "worker", "well"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		rows := [][]any{{1.5, 2, "x"}, {nil, float64(n), "é"}}
		got, err := w.Score([]string{"a", "b", "c"}, rows, 0)
		if err != nil || len(got) != 1 || got[0][0] != 3.5 || got[0][1] != float64(n) {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	if got, err := w.Close(); err != nil || strings.Count(string(got.Log), "thinking about 2") != 3 {
		t.Errorf("got %v, %s", err, got.Log)
	}
	gone(t, r)
}

// A worker that talks nonsense is named, soon, and ended.
func TestWorkerNonsense(t *testing.T) {
	for answer, want := range map[string]string{
		"hello":                   `its worker answered with no JSON object: "hello"`,
		"":                        `its worker answered with no JSON object: ""`,
		"[1,2]":                   "its worker answered with no JSON object",
		`{"scores":[1]}`:          "its worker answered with 1 scores for 2 rows",
		`{}`:                      "its worker answered with 0 scores for 2 rows",
		`{"scores":[1,null]}`:     "its worker answered null for row 1, not a number",
		`{"scores":[1,"x"]}`:      `its worker answered "x" for row 1, not a number`,
		`{"scores":[[1],2]}`:      "its worker answered [1] for row 0, not a number",
		`{"scores":[1,NaN]}`:      "its worker answered with no JSON object",
		`{"error":"no column a"}`: "its worker says: no column a",
		"gone":                    "its worker ended without an answer\nit exited with 4",
		"silent":                  "its worker did not answer within 500ms",
		"endless":                 "its worker's answer has more than 64 MiB",
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			r := room(t)
			s := hostile(t, r, "worker", answer)
			if s.Limits.Time = 20 * time.Second; answer == "silent" {
				s.Limits.Time = 500 * time.Millisecond
			}
			w, err := r.StartWorker(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Score([]string{"a"}, [][]any{{1}, {2}}, 0)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			_, _ = w.Close()
			gone(t, r)
		})
	}
	if got, err := scoresOf(nil, 3); err != nil || len(got) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}
