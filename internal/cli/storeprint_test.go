package cli

import (
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/text"
)

// TestWrongBlobIsNamed: of a blob that a registry had lost, `plumb store ls --verify` said "file does not exist", and not which.
func TestWrongBlobIsNamed(t *testing.T) {
	var b strings.Builder
	inventory := &flow.Inventory{Store: "oci://r/p", Read: true, Wrong: []flow.WrongBlob{{SHA256: strings.Repeat("ab", 32), Class: "models", Error: "file does not exist", Hint: "mend it"}, {SHA256: strings.Repeat("cd", 32), Error: "x"}}}
	if err := printInventory(text.Out{W: &b}, inventory, false); err != nil {
		t.Fatal(err)
	}
	const want = "oci://r/p: 0 blobs\n✗ wrong: models (abababababab…): file does not exist\n  mend it\n✗ wrong: a blob (cdcdcdcdcdcd…): x\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
