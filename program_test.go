package plumb_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// makeProgram makes a project with an experiment `program` whose program is the trainer: program DIR [MISDEED | KEY=VALUE of train]…
func makeProgram(ts *testscript.TestScript, neg bool, args []string) {
	dir := args[0]
	makeProject(ts, neg, []string{dir})
	command, extra := []string{"trainer", "train"}, ""
	for _, a := range args[1:] {
		if key, value, ok := strings.Cut(a, ": "); ok {
			extra += fmt.Sprintf("%s = %s\n", key, value)
			continue
		}
		command = append(command, a)
	}
	for i := range command {
		command[i] = fmt.Sprintf("%q", command[i])
	}
	text := fmt.Sprintf(`schema = 1
model = "toy"
hypothesis = "A program of ours does better."
[features]
use = ["strong", "weak"]
[train]
learner = "command"
command = [%s]
code = ["code/**"]
lock = "trainer.lock"
format = "csv"
%s`, strings.Join(command, ", "), extra)
	for name, text := range map[string]string{"experiments/program.toml": text, "code/settings.txt": "nothing\n", "trainer.lock": "trainer 1\n"} {
		place := filepath.Join(ts.MkAbs(dir), filepath.FromSlash(name))
		ts.Check(os.MkdirAll(filepath.Dir(place), 0o755))
		ts.Check(os.WriteFile(place, []byte(text), 0o644))
	}
}

// noSecret holds that a secret is nowhere: not in an object of the repository, loose or packed, not in any other file below the script's folder, nor in
// what the last command printed. Its forms are written down here by other code than the one that redacts.
func noSecret(ts *testscript.TestScript, _ bool, args []string) {
	secret, repository := args[0], ts.MkAbs(args[1])
	b64 := func(s string) string { return strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "=") }
	forms := map[string]string{"plain": secret, "base64": b64(secret)[:len(secret)], "base64 after one": b64("x" + secret)[3:len(secret)], "base64 after user:": b64("user:" + secret)[8:len(secret)],
		"hexadecimal": hex.EncodeToString([]byte(secret)), "the first five characters": secret[:5], "the last five characters": secret[len(secret)-5:]}
	look := func(where string, data []byte) {
		for name, form := range forms {
			if bytes.Contains(data, []byte(form)) {
				ts.Fatalf("%s holds the secret: %s", where, name)
			}
		}
	}
	look("standard output", []byte(ts.ReadFile("stdout")))
	look("standard error", []byte(ts.ReadFile("stderr")))
	c := exec.Command("git", "cat-file", "--batch-all-objects", "--batch")
	c.Dir = repository
	objects, err := c.Output()
	ts.Check(err)
	if len(objects) == 0 {
		ts.Fatalf("%s has no objects", repository)
	}
	look("an object of the repository", objects)
	ts.Check(filepath.WalkDir(ts.MkAbs(ts.Getenv("WORK")), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, ".txtar") {
			return err
		}
		data, err := os.ReadFile(path)
		look(path, data)
		return err
	}))
}
