package record

// Profile is what a dataset's columns look like. Numbers are rounded to 10 significant digits; what does not exist is null.
type Profile struct {
	Schema  string          `json:"schema"` // "plumb.profile/v1"
	Dataset string          `json:"dataset"`
	Rows    int64           `json:"rows"`
	Columns []ColumnProfile `json:"columns"` // in file order
}

// ColumnProfile is one column. Times count as seconds since 1970 in Mean and Deviation, and are RFC 3339 text elsewhere.
type ColumnProfile struct {
	Name      string         `json:"name"`
	Type      string         `json:"type"`
	Public    bool           `json:"public"` // values may be shown
	Nulls     int64          `json:"nulls"`
	Distinct  int64          `json:"distinct"`      // exact, nulls not counted
	Min       any            `json:"min"`           // of numbers and times; of text its length
	Max       any            `json:"max"`           // like Min
	Mean      *float64       `json:"mean"`          // of numbers; of booleans the share of true; of text its length
	Deviation *float64       `json:"deviation"`     // sample standard deviation, n − 1
	NaN       int64          `json:"nan,omitempty"` // values of a float column that are no number; left out of the rest
	Infinite  int64          `json:"infinite,omitempty"`
	Zeros     int64          `json:"zeros,omitempty"`
	Quantiles []ProfilePoint `json:"quantiles,omitempty"`  // 0.01 0.05 0.25 0.5 0.75 0.95 0.99 of numbers and times: values that occur
	Histogram []ProfileBin   `json:"histogram,omitempty"`  // of numbers and times, at most 20 bins of equal width
	Top       []ProfileCount `json:"top,omitempty"`        // at most 10 most common values, ties in value order; only of public columns
	TopCounts []int64        `json:"top_counts,omitempty"` // the counts alone, of any column
}

// ProfilePoint is a quantile.
type ProfilePoint struct {
	Share float64 `json:"share"`
	Value any     `json:"value"`
}

// ProfileBin counts the values in [From, To); the last bin holds To too.
type ProfileBin struct {
	From any   `json:"from"`
	To   any   `json:"to"`
	Rows int64 `json:"rows"`
}

// ProfileCount is a value and its rows.
type ProfileCount struct {
	Value any   `json:"value"`
	Rows  int64 `json:"rows"`
}
