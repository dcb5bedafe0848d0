package forge

import (
	"context"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/forge/forgetest"
)

// A branch has one open proposal however often it is asked for, and the second asker gets its address.
func TestPropose(t *testing.T) {
	f, server, _ := open(t, forgetest.Options{})
	first, err := f.Propose(context.Background(), "plumb/retrain-rows-20240311", "main", "Pin the newest rows of rows", "why")
	if err != nil || !strings.HasPrefix(first, server.URL) {
		t.Fatalf("%q, %v", first, err)
	}
	again, err := f.Propose(context.Background(), "plumb/retrain-rows-20240311", "main", "Pin the newest rows of rows", "why")
	if err != nil || again != first {
		t.Errorf("the second time %q, %v; want %q", again, err, first)
	}
	if pulls := server.Pulls(); len(pulls) != 1 || pulls[0].Base != "main" || pulls[0].Body != "why" {
		t.Errorf("%+v", pulls)
	}
	if _, err := f.Propose(context.Background(), "", "main", "no branch", "why"); err == nil {
		t.Error("a proposal without a branch")
	}
}
