package parts_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plumb-ml/plumb/internal/parts"
	"github.com/plumb-ml/plumb/internal/retry"
)

func TestSend(t *testing.T) {
	data := []byte(strings.Repeat("0123456789", 1000))
	for _, size := range []int64{1, 999, 1000, 9999, 10000, 20000} {
		w := parts.Whole{Bytes: int64(len(data)), Size: size, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
		got := make([][]byte, w.Count())
		var mu sync.Mutex
		err := w.Send(t.Context(), func() {}, func(_ context.Context, p parts.Part) error {
			mu.Lock()
			defer mu.Unlock()
			if p.SHA256 != sha256.Sum256(p.Data) || int64(len(p.Data)) != w.SizeOf(p.Index) {
				t.Errorf("part %d of %d bytes", p.Index, size)
			}
			got[p.Index] = slices.Clone(p.Data)
			return nil
		})
		if err != nil || !bytes.Equal(bytes.Join(got, nil), data) {
			t.Errorf("parts of %d bytes: %v", size, err)
		}
	}
	if w := parts.Of(1<<40, 4000, nil); w.Count() > 4000 || w.Count() < 3900 {
		t.Errorf("%d parts of %d bytes", w.Count(), w.Size)
	}
}

// A source that is not what it is said to be ends the sending for good, and never well.
func TestSendOfWhatIsNotWhole(t *testing.T) {
	broken := errors.New("broken")
	for name, src := range map[string]io.Reader{
		"short": strings.NewReader("12345"), "long": strings.NewReader("1234567"), "empty": strings.NewReader(""),
		"broken":            io.MultiReader(strings.NewReader("123"), failing{broken}),
		"broken at its end": io.MultiReader(strings.NewReader("123456"), failing{broken}),
	} {
		w := parts.Whole{Bytes: 6, Size: 2, Open: func() (io.ReadCloser, error) { return io.NopCloser(src), nil }}
		err := w.Send(t.Context(), func() {}, func(context.Context, parts.Part) error { return nil })
		var own retry.Final
		if !errors.As(err, &own) || strings.HasPrefix(name, "broken") && !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := parts.Whole{Bytes: 6, Size: 2, Open: func() (io.ReadCloser, error) { return nil, broken }}
	if err := w.Send(t.Context(), func() {}, nil); !errors.Is(err, broken) {
		t.Error(err)
	}
	w.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("123456")), nil }
	if err := w.Send(t.Context(), func() {}, func(context.Context, parts.Part) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }
