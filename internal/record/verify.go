package record

// Verification is plumb.verify/v1: what was looked at, what is wrong, what could not be said.
type Verification struct {
	Schema      string        `json:"schema"`
	Ledger      string        `json:"ledger"` // tip
	Quick       bool          `json:"quick"`
	Exit        int           `json:"exit"`
	Checked     Checked       `json:"checked"`
	Since       []Witness     `json:"since"`              // tips that somebody named, and whether the ledger still has them
	Findings    []Finding     `json:"findings"`           // what is wrong
	Unlisted    []Unlisted    `json:"unlisted,omitempty"` // what more of it was found than is listed
	NotAssessed []NotAssessed `json:"not_assessed"`
	Mended      *Mended       `json:"mended,omitempty"` // what --mend has put right before this was found
}

// Mended says what one commit on top of the ledger has put right.
type Mended struct {
	Commit  string   `json:"commit"`
	Put     []string `json:"put"`     // records that have the bytes again that they were written with
	Dropped []string `json:"dropped"` // files that never were records, taken out
	Joined  []string `json:"joined"`  // lost tips that are part of the history again
}

// LevelNote is the level of a finding that tells what happened and is put right, or harms nobody.
const LevelNote = "note"

// Checked counts what was looked at.
type Checked struct {
	Records     int   `json:"records"`
	Unknown     int   `json:"unknown"` // of kinds or schemas that this program does not read: only their names were held against their bytes
	Private     int   `json:"private"` // of Records: in this clone only
	Commits     int   `json:"commits"` // of the ledger's branch
	Stored      int   `json:"stored"`  // named blobs that the store lists with the right size
	Blobs       int   `json:"blobs"`   // that were read
	Bytes       int64 `json:"bytes"`   // of blobs that were read
	Numbers     int   `json:"numbers"`
	Runs        int   `json:"runs"`        // whose numbers were made again
	Comparisons int   `json:"comparisons"` // likewise
	Snapshots   int   `json:"snapshots"`   // likewise
	Tags        int   `json:"tags"`
}

// Witness is a tip of the ledger that something outside of it names.
type Witness struct {
	Tip   string `json:"tip"`
	Named string `json:"named_by"` // "tag delay@v3.0.0", "versions/delay/3.toml", "--since" …
	State string `json:"state"`    // held | lost | unknown
}

// The rules of findings.
const (
	RuleHistory    = "history"     // the ledger was not only added to
	RuleDeleted    = "deleted"     // a record is gone
	RuleEdited     = "edited"      // a record has other bytes than it was written with
	RuleRecord     = "record"      // a record can't be right: name, digests, contents
	RuleReference  = "reference"   // it names a record that is not there, or says something else than that one
	RuleBlob       = "blob"        // what it points at is missing or has other bytes
	RuleNumber     = "number"      // a number does not follow from the raw files
	RuleRows       = "rows"        // the rows are not those of the pinned data
	RuleTag        = "tag"         // a tag does not say what its record says
	RuleMissingTag = "missing-tag" // a record has no tag yet
	RuleDisowned   = "disowned"    // it was disowned, or disowns what it can't
	RulePublisher  = "publisher"   // a record says ci, and the publisher did not commit it
)

// Finding is one thing that is wrong.
type Finding struct {
	Rule    string `json:"rule"`
	Level   string `json:"level"` // error | warning | note
	Path    string `json:"path"`  // of the record; "" when it is about none
	Message string `json:"message"`
	Hint    string `json:"hint"` // how to mend it
}

// Unlisted counts findings that are like many others.
type Unlisted struct {
	Rule     string `json:"rule"`
	Level    string `json:"level"`
	Findings int    `json:"findings"`
}

// NotAssessed is what could not be looked at, and why.
type NotAssessed struct {
	Path   string `json:"path"`
	What   string `json:"what"`
	Reason string `json:"reason"`
}
