package record

// Evaluation is the evaluation blob in memory: the valid and the test rows with their labels and scores, columns of equal length, ordered by part
// (test, valid) then row id.
type Evaluation struct {
	Task    string
	Classes []string // multiclass: names of the score columns; Label holds indices into it
	Part    []string // "valid" or "test"
	RowID   []int64
	Key     []string            // the row's [source] key as canonical JSON; nil when the dataset has none
	Label   []float64           // binary 0/1; multiclass the class index; regression the value
	Scores  [][]float64         // one column a class for multiclass, else one column
	Repeats [][][]float64       // scores of the second seed and those after it, each as Scores; nil with one seed, or when the seeds made no difference
	Weight  []float64           // nil: all 1
	Group   []string            // nil: every row is its own group
	Slices  map[string][]string // slice column → value of each row
}
