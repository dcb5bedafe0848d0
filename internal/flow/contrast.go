package flow

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/plumb-ml/plumb/internal/drift"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

const (
	driftSeed  = 1
	driftBatch = 8 << 20 // values of both sides in memory at a time: 64 MB of numbers
)

// contrastSide is one side of a contrast.
type contrastSide struct {
	record.DriftSide
	relation string
	columns  []table.Column
	blocks   []string // of each row, as text
}

// contrast compares two relations column by column.
type contrast struct {
	db         *engine.DB
	progress   func(format string, args ...any)
	public     func(column string) bool
	importance map[string]float64
	targets    map[string]bool
	group      string            // SQL of what marks rows that move together; ""
	left       map[string]string // columns that are left out, and why
	numeric    map[string]bool   // of those that are compared: as float64, else as text
}

// judge reads both sides in batches of columns and judges them.
func (c *contrast) judge(ctx context.Context, reference, current contrastSide) (*record.Drift, error) {
	out := &record.Drift{Schema: "plumb.drift/v1", Columns: []record.DriftColumn{}, Skipped: []record.DriftSkip{}, Notes: []string{}}
	if err := c.untyped(ctx, &reference, current.columns); err != nil {
		return nil, err
	}
	names := c.comparable(out, reference.columns, current.columns)
	changed, err := c.changed(ctx, reference, current)
	if err != nil {
		return nil, err
	}
	for _, s := range []*contrastSide{&reference, &current} {
		kept, drop, err := c.db.Keep(ctx, "select "+c.kept(names, s.columns)+" from "+s.relation+" as d")
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.Name, err)
		}
		defer drop()
		s.relation = kept
		if err := c.size(ctx, s); err != nil {
			return nil, err
		}
	}
	blocks, err := blocksOf(reference.blocks, current.blocks)
	if err != nil {
		return nil, err
	}
	if c.group != "" {
		reference.Blocks, current.Blocks = distinct(reference.blocks), distinct(current.blocks)
	} else {
		out.Notes = append(out.Notes, "every row counts as independent; rows that share a day or a customer are not: --group says so")
	}
	out.Reference, out.Current = reference.DriftSide, current.DriftSide
	at := max(1, driftBatch/max(1, reference.Rows+current.Rows))
	for from := 0; from < len(names); from += at {
		batch := names[from:min(from+at, len(names))]
		c.progress("comparing column %d of %d", from+1, len(names))
		found, err := c.measure(ctx, batch, [2]string{reference.relation, current.relation}, blocks)
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, found...)
	}
	out.Columns = inOrder(reference.columns, out.Columns, changed, [2]int{reference.Rows, current.Rows})
	drift.Judge(out)
	return out, nil
}

// comparable lists the columns that both sides have with values that can be compared, in the reference's order. Those that are not what they were are for
// changed; the others are skipped with a reason.
func (c *contrast) comparable(out *record.Drift, reference, current []table.Column) []string {
	c.numeric = map[string]bool{}
	var names []string
	had := map[string]bool{}
	for _, col := range reference {
		had[col.Name] = true
		reason := c.left[col.Name]
		switch is, changed := changeOf(col, current); {
		case reason != "":
		case changed:
			continue
		case kindOf(col.Type) == "time":
			reason = "a time moves by itself"
		default:
			names = append(names, col.Name)
			c.numeric[col.Name] = kindOf(cmp.Or(col.Type, is)) == "number"
			continue
		}
		out.Skipped = append(out.Skipped, record.DriftSkip{Name: col.Name, Reason: reason})
	}
	for _, col := range current {
		switch reason := c.left[col.Name]; {
		case had[col.Name]:
		case reason != "":
			out.Skipped = append(out.Skipped, record.DriftSkip{Name: col.Name, Reason: reason})
		default:
			out.Skipped = append(out.Skipped, record.DriftSkip{Name: col.Name, Reason: "the reference does not have it", New: true})
		}
	}
	return names
}

// kept is the SQL of what is compared: numbers as float64, all else as text, and the block.
func (c *contrast) kept(names []string, columns []table.Column) string {
	var items []string
	for _, col := range columns {
		if !slices.Contains(names, col.Name) {
			continue
		}
		to := "varchar"
		if c.numeric[col.Name] {
			to = "double"
		}
		items = append(items, fmt.Sprintf("cast(%s as %s) as %s", engine.Ident(col.Name), to, engine.Ident(col.Name)))
	}
	if c.group != "" {
		items = append(items, "cast("+c.group+" as varchar) as plumb_block")
	}
	if len(items) == 0 {
		return "1 as nothing"
	}
	return strings.Join(items, ", ")
}

// size counts a side's rows and reads their blocks.
func (c *contrast) size(ctx context.Context, s *contrastSide) error {
	if c.group == "" {
		rows, err := c.db.Query(ctx, "select count(*) from "+s.relation)
		if err == nil {
			n, _ := rows.Values[0][0].(int64)
			s.Rows = int(n)
		}
		return err
	}
	f, err := c.db.Frame(ctx, "select plumb_block from "+s.relation)
	if err != nil {
		return err
	}
	s.Rows, s.blocks = f.N, f.Columns[0].Strings
	for i := range s.blocks {
		if f.Columns[0].IsNull(i) {
			s.blocks[i] = fmt.Sprintf("row %d of %s", i, s.Name) // of no group: on its own
		}
	}
	return nil
}

func distinct(names []string) int {
	seen := map[string]bool{}
	for _, n := range names {
		seen[n] = true
	}
	return len(seen)
}

// blocksOf numbers the blocks of both sides.
func blocksOf(reference, current []string) (drift.Blocks, error) {
	number := map[string]int32{}
	code := func(names []string) []int32 {
		out := make([]int32, len(names))
		for i, name := range names {
			n, ok := number[name]
			if !ok {
				n = int32(len(number))
				number[name] = n
			}
			out[i] = n
		}
		return out
	}
	b := drift.Blocks{Reference: code(reference)}
	first := int32(len(number))
	b.Current = code(current)
	for i, n := range b.Current {
		if n < first {
			return b, problem.Wrongf("group by what belongs to one side, as the day", "rows of the group %.40q are on both sides, so groups can't be exchanged between them", current[i])
		}
	}
	b.N = len(number)
	return b, nil
}

// measure reads one batch of columns of both sides and measures each on a processor of its own.
func (c *contrast) measure(ctx context.Context, names []string, relations [2]string, blocks drift.Blocks) ([]record.DriftColumn, error) {
	items := make([]string, len(names))
	for i, n := range names {
		items[i] = engine.Ident(n)
	}
	var frames [2]table.Frame
	for i, relation := range relations {
		var err error
		if frames[i], err = c.db.Frame(ctx, "select "+strings.Join(items, ", ")+" from "+relation); err != nil {
			return nil, err
		}
	}
	out := make([]record.DriftColumn, len(names))
	var wait sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, name := range names {
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if ctx.Err() == nil {
				out[i] = drift.Measure(c.column(name, &frames[0].Columns[i], &frames[1].Columns[i]), blocks, driftSeed)
			}
		})
	}
	wait.Wait()
	return out, ctx.Err()
}

func (c *contrast) column(name string, reference, current *table.Vector) drift.Column {
	out := drift.Column{Name: name, Role: "feature", Public: c.public(name), Reference: reference, Current: current}
	if c.targets[name] {
		out.Role = "target"
	}
	if x, ok := c.importance[name]; ok {
		out.Importance = &x
	}
	return out
}
