package page

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/record"
)

// Curves that a program reports are drawn, a plot a name; what no name may be is left out, whoever wrote the detail.
func TestReported(t *testing.T) {
	curve := func(name, split string, n int) record.ReportedCurve {
		c := record.ReportedCurve{Name: name, Split: split}
		for i := range n {
			c.Points = append(c.Points, record.ReportedPoint{Step: float64(i), Value: 1 / float64(i+1)})
		}
		return c
	}
	plots := reported([]record.ReportedCurve{curve("log_loss", "train", 200), curve("log_loss", "valid", 200), curve("auc", "", 1), curve("<script>", "", 3), curve("a\nb", "", 3), curve("long", "", 300)})
	if len(plots) != 2 || plots[0].Title != "log_loss" || len(plots[0].Lines) != 2 || len(plots[1].Dots) != 1 {
		t.Fatalf("got %+v", plots)
	}
	if n := strings.Count(plots[0].Lines[0].D, "l") + 1; n > reportedLine || n < 10 {
		t.Errorf("a line has %d points", n)
	}
	if want := "log_loss by step, as the program reports it: train ends at 0.005 after step 199, valid ends at 0.005 after step 199"; plots[0].Desc != want {
		t.Errorf("got %q", plots[0].Desc)
	}
	var many []record.ReportedCurve
	for i := range 30 {
		many = append(many, curve(fmt.Sprint("m", i), "", 5))
	}
	if got := len(reported(many)); got != maxReported {
		t.Errorf("%d plots", got)
	}
}
