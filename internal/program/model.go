package program

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/plumb-ml/plumb/internal/job"
	"github.com/plumb-ml/plumb/internal/problem"
)

// modelFolder is where a program leaves its model.
const modelFolder = "out/model"

// The most that a model may be.
const (
	maxModelFiles = 10_000
	maxModelBytes = 1 << 30
)

// The media types of a model: one file as it is, or several in a tar.
const (
	TypeFile = "application/octet-stream"
	TypeTar  = "application/x-tar"
)

// Model is a program's model as one run of bytes: the same files give the same bytes.
type Model struct {
	Data []byte
	Type string
	Name string // of the one file; "" for a tar
}

// model takes the files of PLUMB_OUT/model. One that holds a secret is refused: it would be published.
func (p *Program) model(room *job.Room) (Model, error) {
	files, err := room.Files(modelFolder, maxModelFiles, maxModelBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(files) == 0:
		return Model{}, noModel(room)
	case err != nil:
		return Model{}, fmt.Errorf("reading the model in PLUMB_OUT/model: %w", err)
	}
	secrets := p.secrets()
	contents := make([][]byte, len(files))
	for i, f := range files {
		if contents[i], err = room.Read(modelFolder+"/"+f.Name, maxModelBytes); err != nil {
			return Model{}, fmt.Errorf("reading the model: PLUMB_OUT/model/%.200s: %w", f.Name, err)
		}
		name := secrets.Find(contents[i])
		if name == "" {
			name = secrets.Find([]byte(f.Name))
		}
		if name != "" {
			return Model{}, problem.Failedf("leave it out of what is saved: models are published", "its model file PLUMB_OUT/model/%s holds the value of %s", f.Name, name)
		}
	}
	if len(files) == 1 && path.Base(files[0].Name) == files[0].Name {
		return Model{Data: contents[0], Type: TypeFile, Name: files[0].Name}, nil
	}
	return pack(files, contents)
}

// noModel says where the model was expected, and what lies beside.
func noModel(room *job.Room) error {
	said := "it ended well and left no model: PLUMB_OUT/model is empty"
	if files, err := room.Files("out", 100, maxModelBytes); err == nil {
		for _, f := range files {
			if f.Name != "metrics.jsonl" && f.Name != "predictions.parquet" && f.Name != "predictions.csv" {
				said += fmt.Sprintf(" (there is PLUMB_OUT/%.100s)", f.Name)
				break
			}
		}
	}
	return problem.Failedf("save the model into the folder $PLUMB_OUT/model, which is there", "%s", said)
}

// pack makes a tar of files, sorted by name, that says nothing of when and by whom it was made.
func pack(files []job.File, contents [][]byte) (Model, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, f := range files {
		mode := int64(0o644)
		if f.Mode&0o111 != 0 {
			mode = 0o755
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: mode, Size: int64(len(contents[i]))}
		if err := w.WriteHeader(h); err != nil {
			return Model{}, fmt.Errorf("packing the model: %.200s: %w", f.Name, err)
		}
		if _, err := w.Write(contents[i]); err != nil {
			return Model{}, fmt.Errorf("packing the model: %w", err)
		}
	}
	err := w.Close()
	return Model{Data: b.Bytes(), Type: TypeTar}, err
}

// unpack lays a model's files out again, to be read only. The bytes may come from anyone who can write the store.
func (m Model) unpack(room *job.Room) error {
	switch m.Type {
	case TypeFile:
		if m.Name == "" || path.Base(m.Name) != m.Name {
			return fmt.Errorf("%q is no name of a model file", m.Name)
		}
		return room.Put("model/"+m.Name, 0o400, bytes.NewReader(m.Data))
	case TypeTar:
	default:
		return fmt.Errorf("a model of a program is not of type %q", m.Type)
	}
	r := tar.NewReader(bytes.NewReader(m.Data))
	for n := 0; ; n++ {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case h.Typeflag != tar.TypeReg || n >= maxModelFiles || h.Size > maxModelBytes:
			return fmt.Errorf("%.100q is not as plumb packs models", h.Name)
		}
		if !fs.ValidPath(h.Name) {
			return fmt.Errorf("%.100q is no name of a model file", h.Name)
		}
		if err := room.Put("model/"+h.Name, fs.FileMode(h.Mode)&0o555|0o400, io.LimitReader(r, h.Size)); err != nil {
			return err
		}
	}
}
