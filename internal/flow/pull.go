package flow

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/program"
	"github.com/plumb-ml/plumb/internal/record"
)

// The formats that a model is pulled in.
const (
	formatPlumb   = "plumb"
	formatXGBoost = "xgboost"
	formatONNX    = "onnx"
)

// PullFormats lists them, the default first.
var PullFormats = []string{formatPlumb, formatXGBoost, formatONNX}

// PullOptions say which model file is wanted, and where.
type PullOptions struct {
	Name   string // an experiment, a run, a model or MODEL@vN
	Format string
	Out    string // a file or a folder; "" is a name after the experiment in the current folder
	Force  bool   // replace a file
}

// PullModel writes the model of a run to a file. The store's bytes are checked against the record's digest first.
func (p *Project) PullModel(ctx context.Context, o PullOptions) (*record.ModelPulled, error) {
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	run, err := p.modelRun(v, o.Name)
	if err != nil {
		return nil, err
	}
	if run.Artifact.SHA256 == "" {
		return nil, problem.Wrongf("`plumb runs show "+run.ID+"` shows what it left", "run %s has no model: it is %s", run.ID, run.Status)
	}
	data, err := p.Store.Get(ctx, run.Artifact)
	if err != nil {
		return nil, fmt.Errorf("fetching the model of run %s: %w", run.ID, err)
	}
	out := &record.ModelPulled{Schema: "plumb.pull/v1", Run: run.ID, Experiment: run.Experiment, Model: run.Model, Learner: run.Learner, Format: o.Format, Features: run.Features}
	extension, err := convert(out, run, &data)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", run.ID, err)
	}
	out.File, out.Bytes, out.SHA256 = target(o.Out, run.Experiment+extension), int64(len(data)), record.Sum(data)
	if _, err := os.Lstat(out.File); err == nil && !o.Force {
		return nil, problem.Wrongf("--force replaces it; --out names another", "%s is there already", out.File)
	}
	if err := replaceFile(out.File, data); err != nil {
		return nil, problem.Failedf("", "writing %s: %w", out.File, err)
	}
	return out, nil
}

// convert makes the stored model the wanted format, and says how such files are named.
func convert(out *record.ModelPulled, run record.Run, data *[]byte) (extension string, err error) {
	if run.Learner != model.KindGLM && run.Learner != model.KindGBDT {
		if out.Format != formatPlumb {
			return "", problem.Wrongf("--format plumb gives what it wrote", "its program wrote the model, and plumb can't write it another way")
		}
		if run.Artifact.Type == program.TypeTar {
			return ".tar", nil
		}
		return cmp.Or(filepath.Ext(run.Artifact.Name), ".model"), nil
	}
	m, err := model.Load(*data)
	if err != nil {
		return "", err
	}
	out.Classes = m.Describe().Classes
	switch {
	case out.Format == formatONNX:
		*data, err = model.ONNX(m)
		return ".onnx", err
	case out.Format == formatXGBoost && run.Learner != model.KindGBDT:
		return "", problem.Wrongf("--format onnx writes it for other tools", "XGBoost has no place for a glm")
	}
	return ".json", nil
}

// target is the file to write: in a folder when that is what is there.
func target(out, name string) string {
	if out == "" {
		return name
	}
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		return filepath.Join(out, name)
	}
	return out
}

// modelRun finds the run that is meant: an experiment's as its documents are, one by its id, or that of a model's version, the newest without a number.
func (p *Project) modelRun(v *ledger.View, name string) (record.Run, error) {
	run, err := p.named(v, name)
	if err == nil {
		return run, nil
	}
	id, number, numbered := strings.Cut(name, "@v")
	wanted, convErr := strconv.Atoi(strings.TrimSuffix(number, ".0.0"))
	if numbered && convErr != nil {
		return run, err
	}
	versions := v.Versions(id)
	for i := len(versions) - 1; i >= 0 && id != ""; i-- {
		if numbered && versions[i].Number != wanted {
			continue
		}
		found, ok := v.Run(idOf(versions[i].Run))
		if by, off := v.Disowned()[versions[i].Run]; off {
			return run, problem.Failedf("`plumb models show "+id+"` lists the versions", "version %d of %s is of run %s, which was %s", versions[i].Number, id, idOf(versions[i].Run), by)
		}
		if !ok {
			return run, problem.Failedf("`plumb verify` says what is missing", "version %d of %s names run %s, which the ledger does not have", versions[i].Number, id, versions[i].Run)
		}
		return found, nil
	}
	if by, off := v.Disowned()[versionPath(id, wanted)]; off && numbered {
		return run, problem.Failedf("`plumb models show "+id+"` lists the versions", "version %d of %s was %s", wanted, id, by)
	}
	if len(versions) > 0 && id != "" {
		return run, problem.Wrongf("`plumb models show "+id+"` lists them", "%s has no version %d", id, wanted)
	}
	return run, err
}
