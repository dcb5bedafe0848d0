package trainset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
)

// ProofOptions say how hard Prove tries. The same options on the same data give the same proof.
type ProofOptions struct {
	Seed     uint64
	Cuts     int // how many moments are tried; 0: as many as the data are small
	Progress func(done, total int)
}

// Proof is what was tried on the questions of one model, and what came of it.
type Proof struct {
	Questions int
	Cuts      []int64  // microseconds since 1970, UTC
	Features  []Proved // in the order of the uses
}

// Proved is one feature. It leaks, or it is unstable, or it could not be tried, or nothing was found.
type Proved struct {
	Use      doc.Use
	Asked    int   // answers compared over all cuts
	Leak     *Leak // the first that was found
	Unstable *Leak // its values follow the order in which rows are read; Pass and Sees say nothing
	Untried  string
}

// The ways in which the future is taken away, and what a leak turns out to see.
const (
	PassDrop      = "drop"      // rows whose event is later than the cut are gone
	PassRandomise = "randomise" // they are there and hold other values

	SeesOwnRow = "own_row"      // late columns of the row that asks
	SeesLate   = "late_columns" // those of other rows, not known yet
	SeesLater  = "later_rows"   // rows that were not there yet
)

// Leak is a question asked at or before a cut whose feature changes with what comes after the cut.
type Leak struct {
	Pass          string
	Sees          []string // what alone changes the answer
	Cut           int64
	RowID         int64
	Time          int64 // of the question
	Before, After *string
	Changed       int // questions that change likewise
	Asked         int // of so many
}

// Prove tries whether features of a model's questions see what was not known when the question was asked. Two passes at each of several cuts take
// the future away (alter.go); what a question at or before the cut is answered must stay. Cuts are the times of questions drawn by chance, so that
// each has a question which stands right before the future. Before that, rows are read in reverse: what changes then is no fact about the data.
//
// A proof by trying can miss: a leak that only rare questions have, or one into a dataset that does not say when its rows were there.
func Prove(ctx context.Context, data Data, docs *doc.Set, model string, uses []doc.Use, o ProofOptions) (*Proof, error) {
	p := prover{ctx: ctx, data: data, docs: docs, model: model, rand: rand.New(rand.NewPCG(o.Seed, 4)), options: o}
	defer p.close()
	if err := p.prepare(uses); err != nil {
		return nil, err
	}
	p.step()
	if err := p.backwards(); err != nil {
		return nil, err
	}
	for _, cut := range p.proof.Cuts {
		for _, pass := range []string{PassDrop, PassRandomise} {
			p.step()
			if err := p.try(cut, pass); err != nil {
				return nil, err
			}
		}
	}
	p.step()
	return &p.proof, nil
}

// prover is a proof in the making.
type prover struct {
	ctx     context.Context
	data    Data
	docs    *doc.Set
	model   string
	rand    *rand.Rand
	options ProofOptions
	done    int

	stages []*stage // the datasets in play, the questions' first
	event  []int64  // of each question, by its place in truth
	asks   []bool   // whether it has one
	truth  *Answers
	scale  map[string]float64 // of a feature that is a float: how large its values are
	proof  Proof
}

func (p *prover) step() {
	if p.options.Progress != nil {
		p.options.Progress(p.done, 2+2*p.options.Cuts)
	}
	p.done++
}

// prepare lays the datasets out, answers all questions as the data are, and draws the cuts.
func (p *prover) prepare(uses []doc.Use) (err error) {
	ids := []string{p.docs.Models[p.model].Question.Dataset}
	for _, u := range uses {
		proved := Proved{Use: u}
		if u.Kind == doc.UseView {
			id := p.docs.Features[u.View].Dataset
			if p.docs.Datasets[id].Time.Event == "" {
				proved.Untried = fmt.Sprintf("dataset %s has no [time] event: nobody can say which of its rows were there", id)
			}
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		p.proof.Features = append(p.proof.Features, proved)
	}
	for _, id := range ids {
		s, err := p.stage(id)
		if err != nil {
			return fmt.Errorf("laying out %s: %w", id, err)
		}
		p.stages = append(p.stages, s)
	}
	if p.truth, err = Values(p.ctx, p.data, p.docs, p.model, uses); err != nil {
		return p.everyError(uses, err)
	}
	p.scale = map[string]float64{}
	for i := range p.truth.Columns {
		p.scale[p.truth.Columns[i].Name] = size(&p.truth.Columns[i])
	}
	times, err := p.data.DB.Frame(p.ctx, fmt.Sprintf("select t from %s order by row_id", p.stages[0].table))
	if err != nil {
		return err
	}
	p.event, p.asks = times.Columns[0].Ints, make([]bool, times.N)
	var known []int64
	for i := range p.asks {
		if p.asks[i] = !times.Columns[0].IsNull(i); p.asks[i] {
			known = append(known, p.event[i])
		}
	}
	if p.options.Cuts == 0 {
		p.options.Cuts = p.enoughCuts()
	}
	p.proof.Questions, p.proof.Cuts = len(known), p.cuts(known)
	return nil
}

// everyError says of all features that can't be computed why, when one was found.
func (p *prover) everyError(uses []doc.Use, first error) error {
	var said []string
	for _, u := range uses {
		if _, err := Values(p.ctx, p.data, p.docs, p.model, []doc.Use{u}); err != nil && !slices.Contains(said, err.Error()) {
			said = append(said, err.Error())
		}
	}
	var one *problem.Failure
	if len(said) < 2 || p.ctx.Err() != nil || !errors.As(first, &one) {
		return first
	}
	return &problem.Failure{Exit: one.Exit, Err: errors.New(strings.Join(said, "\n"))}
}

// enoughCuts is how many are tried when nobody says: as many as a couple of million rows are altered for, at least 5, and no more than 20. A leak
// that only shows on some days needs many.
func (p *prover) enoughCuts() int {
	rows := int64(1)
	for _, s := range p.stages {
		rows += s.rows
	}
	return int(min(max(2_000_000/rows, 5), 20))
}

// cuts draws one question from each of as many parts of the time line.
func (p *prover) cuts(events []int64) []int64 {
	slices.Sort(events)
	var out []int64
	for k := range p.options.Cuts {
		if len(events) > 0 {
			at := (float64(k) + p.rand.Float64()) / float64(p.options.Cuts)
			out = append(out, events[min(int(at*float64(len(events))), len(events)-1)])
		}
	}
	return slices.Compact(out)
}

func (p *prover) close() {
	for _, s := range p.stages {
		s.drop()
	}
}

// open lists the features of which nothing has been found yet.
func (p *prover) open() []doc.Use {
	var out []doc.Use
	for _, f := range p.proof.Features {
		if f.Leak == nil && f.Unstable == nil && f.Untried == "" {
			out = append(out, f.Use)
		}
	}
	return out
}

func (p *prover) of(name string) *Proved {
	i := slices.IndexFunc(p.proof.Features, func(f Proved) bool { return f.Use.Name == name })
	return &p.proof.Features[i]
}

// backwards reads all rows in reverse.
func (p *prover) backwards() error {
	answers, err := p.answer(p.open(), func(s *stage) string { return s.reversed() })
	if err != nil {
		return err
	}
	p.compare(answers, math.MaxInt64, func(f *Proved, l Leak) { f.Unstable = &l })
	return nil
}

// try takes the future of one cut away and looks which answers change.
func (p *prover) try(cut int64, pass string) error {
	uses := p.open()
	if len(uses) == 0 {
		return nil
	}
	a := alteration{cut: cut, later: pass, late: true, donors: p.donors()}
	answers, err := p.answer(uses, func(s *stage) string { return s.altered(a) })
	if err != nil {
		// An honest query may be unable to read values that no row has, as the logarithm of what never was negative.
		a.plain = true
		answers, err = p.answerEach(uses, a)
	}
	if err != nil {
		return err
	}
	var found []*Proved
	p.compare(answers, cut, func(f *Proved, l Leak) {
		l.Pass, f.Leak = pass, &l
		found = append(found, f)
	})
	return p.explain(found, a)
}

// answerEach asks feature by feature; one that can't be computed on altered rows counts as not tried.
func (p *prover) answerEach(uses []doc.Use, a alteration) (*Answers, error) {
	var out *Answers
	for _, u := range uses {
		one, err := p.answer([]doc.Use{u}, func(s *stage) string { return s.altered(a) })
		switch {
		case p.ctx.Err() != nil:
			return nil, p.ctx.Err()
		case err != nil:
			p.of(u.Name).Untried = fmt.Sprintf("it can't be computed on rows that hold other values: %v", err)
		case out == nil:
			out = one
		default:
			out.Columns = append(out.Columns, one.Columns...)
		}
	}
	if out == nil {
		out = &Answers{}
	}
	return out, nil
}

// explain finds out what a leak sees, by altering one thing at a time.
func (p *prover) explain(found []*Proved, a alteration) error {
	for _, f := range found {
		own, rest, later := a, a, a
		own.later, own.only = "", &f.Leak.RowID
		rest.later, rest.except = "", &f.Leak.RowID
		later.late = false
		for _, one := range []struct {
			sees string
			alteration
		}{{SeesOwnRow, own}, {SeesLate, rest}, {SeesLater, later}} {
			answers, err := p.answer([]doc.Use{f.Use}, func(s *stage) string { return s.altered(one.alteration) })
			if err != nil {
				return err
			}
			if p.changed(answers, &answers.Columns[0], f.Leak.RowID) {
				f.Leak.Sees = append(f.Leak.Sees, one.sees)
			}
		}
	}
	return nil
}

// answer computes features while every dataset that has times is as sql says.
func (p *prover) answer(uses []doc.Use, sql func(*stage) string) (*Answers, error) {
	data := Data{DB: p.data.DB, Relations: map[string]string{}}
	for id, relation := range p.data.Relations {
		data.Relations[id] = relation
	}
	for _, s := range p.stages {
		if !s.timed {
			continue
		}
		kept, drop, err := p.data.DB.Keep(p.ctx, sql(s))
		if err != nil {
			return nil, fmt.Errorf("altering %s: %w", s.id, err)
		}
		defer drop()
		data.Relations[s.id] = "select * from " + kept
	}
	return Values(p.ctx, data, p.docs, p.model, uses)
}
