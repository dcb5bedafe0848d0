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
					day := time.Unix(v.(int64)*86400, 0).UTC()
					if day.Year() < 1 || day.Year() > 9999 { // engines write years before 1 in ways of their own
						return nil
					}
					v = day.Format(time.DateOnly)
				}
				fmt.Fprint(&b, v)
			}
			return b.String()
		},
		sql: func(a []operand) string {
			texts := make([]string, len(a))
			for i := range a {
				texts[i] = "cast(" + a[i].text + " as varchar)"
				if types[i] == table.Date && !a[i].literal {
					texts[i] = fmt.Sprintf("case when %s between date '0001-01-01' and date '9999-12-31' then %s end", a[i].text, texts[i])
				}
			}
			return "(" + strings.Join(texts, " || ") + ")"
		},
	}, args...)
}
