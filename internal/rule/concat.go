package rule

import (
	"fmt"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

// makeConcat joins texts, whole numbers and dates, null when one of them is null. Floats and timestamps are not taken: engines write them
// differently.
func makeConcat(at int, args []*node) (*node, error) {
	if len(args) < 2 {
		return nil, nil
	}
	for _, a := range args {
		if a.typ != table.String && a.typ != table.Int64 && a.typ != table.Date {
			return nil, nil
		}
	}
	types := make([]table.Type, len(args))
	for i, a := range args {
		types[i] = a.typ
	}
	return strict(at, table.String, &action{
		eval: func(values []any) any {
			var b strings.Builder
			for i, v := range values {
				if types[i] == table.Date {
					v = time.Unix(v.(int64)*usPerDay/1e6, 0).UTC().Format(time.DateOnly)
				}
				fmt.Fprint(&b, v)
			}
			return b.String()
		},
		sql: func(a []operand) string {
			texts := make([]string, len(a))
			for i := range a {
				texts[i] = "cast(" + a[i].text + " as varchar)"
			}
			return "(" + strings.Join(texts, " || ") + ")"
		},
	}, args...)
}
