package flow

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/store"
)

// bring finds the data file: the folder that its name is seen from, and its name inside the project. One that lies outside is copied to data/.
func (s *scaffold) bring(file string) (from, name string, err error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.root, file)
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", problem.Wrongf("--data is seen from the project's folder, "+s.root, "there is no data file %s", file)
	case err != nil:
		return "", "", problem.Wrongf("", "reading the data: %w", err)
	case !info.Mode().IsRegular():
		return "", "", problem.Wrongf("name one CSV, Parquet or JSON-lines file; `[source] path` of the dataset can be widened to a glob later", "%s is not a file", file)
	case doc.Format(file) == "":
		return "", "", problem.Wrongf("name it .csv, .tsv, .parquet or .jsonl, after what it holds (.gz may follow)", "the name %s does not say which format the file has", filepath.Base(file))
	}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", "", err
	}
	tabs, err := otherSeparator(real)
	if err != nil {
		return "", "", err
	}
	if rootReal, err := filepath.EvalSymlinks(s.root); err == nil {
		if inside, err := filepath.Rel(rootReal, real); err == nil && filepath.IsLocal(inside) {
			if tabs {
				return "", "", problem.Wrongf("rename it to .tsv", "%s is separated by tabs, and its name says commas", filepath.Base(file))
			}
			inside = filepath.ToSlash(inside)
			if s.tracked(inside) { // the person's own choice
				return s.root, inside, nil
			}
			return s.root, inside, s.leaveOut(inside, info.Size())
		}
	}
	name = "data/" + plainName(filepath.Base(file), tabs)
	if s.dry {
		s.out.Files = append(s.out.Files, name)
		if err := s.leaveOut(name, info.Size()); err != nil {
			return "", "", err
		}
		return filepath.Dir(real), filepath.Base(real), nil
	}
	return s.root, name, s.copyIn(real, name, info.Size())
}

func (s *scaffold) copyIn(file, name string, size int64) error {
	from, err := os.Open(file)
	if err != nil {
		return problem.Failedf("", "reading the data: %w", err)
	}
	defer from.Close()
	if err := s.write(name, nil); err != nil {
		return err
	}
	to, err := os.OpenFile(filepath.Join(s.root, filepath.FromSlash(name)), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return errors.Join(err, to.Close())
	}
	s.out.Found = append(s.out.Found, "copied "+filepath.Base(file)+" to "+name)
	return errors.Join(s.leaveOut(name, size), to.Close())
}

// gitignoreName writes a path as .gitignore takes it: literally.
var gitignoreName = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, " ", `\ `)

// leaveOut has Git ignore a large data file, before somebody adds all that is there: what was committed once stays in history for ever.
func (s *scaffold) leaveOut(name string, size int64) error {
	if size <= keepInGit {
		return nil
	}
	if err := s.ignore("/" + gitignoreName.Replace(name)); err != nil {
		return err
	}
	s.out.Ignored = true
	s.out.Found = append(s.out.Found, name+" is large ("+brief.Bytes(size)+"): Git ignores it, and its bytes go to the store with `plumb push`")
	if size > store.MaxGitBlob {
		s.out.Next = append(s.out.Next, fmt.Sprintf("set [store] url in plumb.toml before you push: the Git store takes files of %s at most (`plumb store --help`)", brief.Bytes(store.MaxGitBlob)))
	}
	return nil
}

// tracked says whether Git has a file already.
func (s *scaffold) tracked(name string) bool {
	repo, err := gitdb.Open(s.root)
	if err != nil {
		return false
	}
	defer repo.Close()
	root, err := filepath.EvalSymlinks(s.root)
	if err != nil {
		return false
	}
	below, err := filepath.Rel(repo.Root(), root)
	if err != nil {
		return false
	}
	files, err := repo.Tracked(path.Base(name))
	return err == nil && slices.Contains(files, path.Join(filepath.ToSlash(below), name))
}

// headerBytes is how much of a CSV is looked at for its separator.
const headerBytes = 64 << 10

// otherSeparator looks whether the header of a file called .csv is separated by something else: tabs are said, the rest is refused.
func otherSeparator(file string) (tabs bool, err error) {
	plain := strings.ToLower(strings.TrimSuffix(file, ".gz"))
	if doc.Format(file) != "csv" || strings.HasSuffix(plain, ".tsv") {
		return false, nil
	}
	header, err := firstLine(file)
	if err != nil {
		return false, problem.Failedf("", "reading the data: %w", err)
	}
	counts := map[string]int{}
	for _, sep := range []string{",", "\t", ";", "|"} {
		counts[sep] = strings.Count(header, sep)
	}
	switch {
	case counts["\t"] > counts[","]:
		return true, nil
	case counts[";"] > counts[","]:
		return false, notCommas(file, ";")
	case counts["|"] > counts[","]:
		return false, notCommas(file, "|")
	}
	return false, nil
}

func notCommas(file, sep string) error {
	base := filepath.Base(file)
	return problem.Wrongf("write it with commas and decimal points, for example in Python: pandas.read_csv(\""+base+"\", sep=\""+sep+"\").to_csv(\"commas.csv\", index=False)",
		"%s is separated by %q, and plumb reads commas (.csv) and tabs (.tsv)", base, sep)
}

// firstLine gives the first line of a text file that may be compressed, or what fits of it; "" where there is none.
func firstLine(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return "", nil // the engine says what is wrong with it
		}
	}
	line, err := bufio.NewReader(io.LimitReader(r, headerBytes)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil
	}
	return line, nil
}

var notPlain = regexp.MustCompile(`[^A-Za-z0-9._]+`)

// plainName keeps a file name to what every system and the engine's globs take, and gives one that holds tabs the ending that says so.
func plainName(name string, tabs bool) string {
	stem, end := name, ""
	for _, known := range []string{".gz", filepath.Ext(strings.TrimSuffix(name, ".gz"))} {
		if rest, ok := strings.CutSuffix(stem, known); ok {
			stem, end = rest, known+end
		}
	}
	if tabs {
		end = ".tsv" + end[len(".csv"):]
	}
	stem = strings.Trim(notPlain.ReplaceAllString(stem, "-"), "-.")
	if stem == "" {
		stem = "data"
	}
	return stem + end
}
