package gitdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrHeld says that another process holds what only one may.
var ErrHeld = errors.New("another process holds it")

// Hold writes a file and holds it until release is called or the process ends, which leaves the file. It errs with ErrHeld while another process does.
func Hold(path, note string) (release func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	if free, err := lockFile(file, false); err != nil || !free {
		file.Close()
		if err == nil {
			err = ErrHeld
		}
		return nil, fmt.Errorf("holding %s: %w", path, err)
	}
	if _, err := file.WriteString(note); err != nil {
		file.Close()
		return nil, err
	}
	return file.Close, nil
}
