package flow

import (
	"fmt"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// claim writes version and stage records for each champion that is not staged: at most one new version a model and push.
func (pub *publication) claim(v *ledger.View, add func(any) (string, error)) error {
	waiting, err := unstaged(pub.checked.head.Docs, v)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		version, fresh, err := pub.version(v, w)
		if err != nil {
			return err
		}
		if fresh {
			if _, err := add(version); err != nil {
				return err
			}
			pub.out.Versions = append(pub.out.Versions, version)
		}
		stages := v.Stages(w.model, production)
		s := record.Stage{Header: pub.p.header(record.KindStage, pub.checked.head), Model: w.model, Stage: production, Number: v.Next("stages/" + w.model + "/" + production),
			Version: version.Number, Why: w.why, Run: version.Run, Inputs: stagedInputs(v, version, w), Outcome: "staged", Ledger: v.Tip}
		if n := len(stages); n > 0 {
			s.Previous = stages[n-1].Version
		}
		pub.stamp(&s.Header)
		if _, err := add(s); err != nil {
			return err
		}
		pub.out.Result.Staged = append(pub.out.Result.Staged, record.StageChange{Model: w.model, Experiment: w.experiment, Version: version.Number, Why: w.why})
	}
	return nil
}

// runOf finds the champion's run: of this bundle, else in the ledger.
func (pub *publication) runOf(v *ledger.View, key string) (record.Run, bool) {
	for _, run := range pub.checked.runs {
		if run.Inputs.Key() != key {
			continue
		}
		// The job made it, and the inspection kept it, because the ledger's can't be read or contradict each other.
		pub.stamp(&run.Header)
		if path, _, err := record.Encode(run); err == nil {
			run.ID = idOf(path)
		}
		return run, true
	}
	for _, run := range usable(v, key, seeker{onIntent: true}) {
		if run.Actor == record.ActorCI || pub.checked.scored[run.ID] {
			return run, true
		}
	}
	return record.Run{}, false
}

// version gives the version to stage: the pinned one, the one that has this artifact already, or the next number.
func (pub *publication) version(v *ledger.View, w pending) (version record.Version, fresh bool, err error) {
	versions := v.Versions(w.model)
	if w.pin != 0 {
		version, err = pinned(versions, w)
		return version, false, err
	}
	run, ok := pub.runOf(v, w.digest)
	if !ok {
		return version, false, fmt.Errorf("champion %s of %s has no run in the ledger or the bundle", w.experiment, w.model)
	}
	if had, ok := versionOf(versions, run.Artifact); ok {
		return had, false, nil
	}
	next := v.Next("versions/" + w.model)
	version = record.Version{Header: pub.p.header(record.KindVersion, pub.checked.head), Model: w.model, Number: next,
		Experiment: w.experiment, Run: pathOf(v, run), Artifact: run.Artifact, Ledger: v.Tip}
	pub.stamp(&version.Header)
	return version, true, nil
}

// pinned finds the version that a model's document names. It has to be of the champion's experiment, or the line would promote another one.
func pinned(versions []record.Version, w pending) (record.Version, error) {
	for _, v := range versions {
		if v.Number == w.pin && v.Experiment == w.experiment {
			return v, nil
		}
	}
	return record.Version{}, problem.Wrongf("`version` beside `champion` names an older version of that champion; leave it out for the newest",
		"models/%s.toml pins version %d, which is no version of its champion %s", w.model, w.pin, w.experiment)
}

// stagedInputs are those of the run that the version is of: for a pinned one not the champion's as it is now, so that the newest is staged
// again once the pin is gone.
func stagedInputs(v *ledger.View, version record.Version, w pending) string {
	if w.pin == 0 {
		return w.digest
	}
	if run, ok := v.Run(idOf(version.Run)); ok {
		return run.Inputs.Key()
	}
	return ""
}

// pathOf is where a run's record is in the ledger, or where this publication puts it.
func pathOf(v *ledger.View, run record.Run) string {
	if path := v.PathOf(run.ID); path != "" {
		return path
	}
	path, _, err := record.Encode(run)
	if err != nil {
		return ""
	}
	return path
}
