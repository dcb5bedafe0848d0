package gitdb

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// This file speaks to remotes without the git program. It knows the token and the ssh agent, not the user's credential helpers.

func (r *Repo) auth(address string) transport.AuthMethod {
	if !r.useToken(address) {
		return nil
	}
	return &http.BasicAuth{Username: "x-access-token", Password: r.token}
}

func (r *Repo) wireRemote(store *wireStore, address string) *git.Remote {
	return git.NewRemote(store, &config.RemoteConfig{Name: git.DefaultRemoteName, URLs: []string{address}})
}

func (r *Repo) wireList(ctx context.Context, address string) (map[string]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	store, err := r.wireStore(nil)
	if err != nil {
		return nil, err
	}
	listed, err := r.wireRemote(store, address).ListContext(ctx, &git.ListOptions{Auth: r.auth(address)})
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for _, ref := range listed {
		if ref.Type() == plumbing.HashReference && !strings.HasSuffix(ref.Name().String(), "^{}") {
			refs[ref.Name().String()] = ref.Hash().String()
		}
	}
	return refs, nil
}

func (r *Repo) wirePush(ctx context.Context, address string, refspecs []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	specs := make([]config.RefSpec, len(refspecs))
	for i, spec := range refspecs {
		specs[i] = config.RefSpec(spec)
	}
	store, err := r.wireStore(nil)
	if err != nil {
		return err
	}
	err = r.wireRemote(store, address).PushContext(ctx, &git.PushOptions{RefSpecs: specs, Auth: r.auth(address)})
	if errors.Is(err, git.NoErrAlreadyUpToDate) {
		return nil
	}
	return err
}

func (r *Repo) wireFetch(ctx context.Context, address string, f fetchCall) error {
	opts := &git.FetchOptions{Auth: r.auth(address), Tags: git.NoTags}
	if slices.Equal(f.args, []string{"--depth=1"}) {
		opts.Depth = 1
	}
	for _, name := range f.specs {
		if r.format.is(name) {
			name += ":" + wanted + name
		}
		opts.RefSpecs = append(opts.RefSpecs, config.RefSpec(name))
	}
	set, err := r.wireReceive(ctx, address, opts, f.limits)
	if err != nil {
		return err
	}
	for _, name := range sortedNames(set) {
		if strings.HasPrefix(name, wanted) {
			continue
		}
		old, err := r.refValue(name)
		if err != nil {
			return err
		}
		if err := r.Swap(ctx, name, old, set[name]); err != nil {
			return err
		}
	}
	return nil
}

// wireReceive gives the refs that go-git would have set.
func (r *Repo) wireReceive(ctx context.Context, address string, opts *git.FetchOptions, limits *Limits) (map[string]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	store, err := r.wireStore(map[string]string{})
	if err != nil {
		return nil, err
	}
	store.limits = limits
	err = r.wireRemote(store, address).FetchContext(ctx, opts)
	if errors.Is(err, git.NoErrAlreadyUpToDate) {
		err = nil
	}
	return store.refs, err
}

// wanted is where go-git is told to put single objects; nothing is written there.
const wanted = "refs/plumb/wanted/"

func sortedNames(refs map[string]string) []string {
	names := make([]string, 0, len(refs))
	for name := range refs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// wireStore keeps go-git from setting refs itself (it truncates, then writes): what it wants set is written down.
type wireStore struct {
	*filesystem.Storage
	refs   map[string]string
	limits *Limits
}

// PackfileWriter takes in a pack, and holds it against the limits as it comes.
func (s *wireStore) PackfileWriter() (io.WriteCloser, error) {
	pack, err := s.Storage.PackfileWriter()
	if err != nil || s.limits == nil {
		return pack, err
	}
	from, to := io.Pipe()
	w := &inspected{pack: pack, look: to, verdict: make(chan error, 1)}
	go func() {
		err := inspect(from, *s.limits, sha1Format)
		w.verdict <- err
		if !errors.As(err, new(*beyond)) {
			_, err = io.Copy(io.Discard, from) // what follows the last object, or what go-git is to complain of
		}
		_ = from.CloseWithError(err) // never fails
	}()
	return w, nil
}

// inspected is a pack that is looked at before it is written. Its end is held back until all was seen, as go-git then begins to put differences together.
type inspected struct {
	pack    io.WriteCloser
	look    *io.PipeWriter
	verdict chan error
	held    []byte
}

func (w *inspected) Write(p []byte) (int, error) {
	if _, err := w.look.Write(p); err != nil {
		return 0, err
	}
	w.held = append(w.held, p...)
	if most := len(w.held) - 10; most > 0 { // half a checksum: go-git takes none for enough
		if _, err := w.pack.Write(w.held[:most]); err != nil {
			return 0, err
		}
		w.held = append(w.held[:0], w.held[most:]...)
	}
	return len(p), nil
}

func (w *inspected) Close() error {
	err := w.look.Close()
	if verdict := <-w.verdict; errors.As(verdict, new(*beyond)) {
		_ = w.pack.Close() // it complains that the end is missing, and removes what was written
		return verdict
	}
	if err == nil {
		_, err = w.pack.Write(w.held)
	}
	return errors.Join(err, w.pack.Close())
}

// wireStore is for holders of r.mu.
func (r *Repo) wireStore(refs map[string]string) (*wireStore, error) {
	if _, err := r.library(); err != nil {
		return nil, err
	}
	return &wireStore{Storage: r.store, refs: refs}, nil
}

// SetReference takes note of ref.
func (s *wireStore) SetReference(ref *plumbing.Reference) error {
	if s.refs != nil && ref.Type() == plumbing.HashReference {
		s.refs[ref.Name().String()] = ref.Hash().String()
	}
	return nil
}

// CheckAndSetReference takes note of ref.
func (s *wireStore) CheckAndSetReference(ref, _ *plumbing.Reference) error {
	return s.SetReference(ref)
}
