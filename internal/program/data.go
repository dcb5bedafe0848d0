package program

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

// The columns that are plumb's own.
const (
	rowID       = "row_id"
	scoreColumn = "score"
	scorePrefix = "score_"
)

// write lays rows out as the program reads them, and gives the file's path: place with the format's ending.
func (p *Program) write(ctx context.Context, f table.Frame, place string) (string, error) {
	place += "." + p.Format
	if p.Format == CSV {
		return place, writeCSV(f, place)
	}
	return place, p.DB.WriteFrame(ctx, f, place)
}

// writeCSV writes a header and one line a row, in UTF-8. What is missing is empty, truth is true and false, a time is 2001-06-30 12:00:00 in UTC, a
// number the shortest text that reads back as it.
func writeCSV(f table.Frame, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	w := csv.NewWriter(buffered)
	line := make([]string, len(f.Columns))
	for c := range f.Columns {
		line[c] = f.Columns[c].Name
	}
	err = w.Write(line)
	for i := 0; i < f.N && err == nil; i++ {
		for c := range f.Columns {
			line[c] = cell(&f.Columns[c], i)
		}
		err = w.Write(line)
	}
	w.Flush()
	return errors.Join(err, w.Error(), buffered.Flush(), file.Close())
}

func cell(v *table.Vector, i int) string {
	switch {
	case v.IsNull(i):
		return ""
	case v.Type == table.Date:
		return time.Unix(v.Ints[i]*86400, 0).UTC().Format(time.DateOnly)
	case v.Type == table.Timestamp:
		return time.UnixMicro(v.Ints[i]).UTC().Format("2006-01-02 15:04:05.999999")
	case v.Floats != nil:
		if math.IsNaN(v.Floats[i]) {
			return ""
		}
		return strconv.FormatFloat(v.Floats[i], 'g', -1, 64)
	}
	return v.Text(i)
}
