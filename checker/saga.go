package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// sagas judges each saga s with steps 1…m, at the end of a history. standing_i is how many forward effects of step i have
// taken place and not been compensated, fwd_i and comp_i how many of each that changed something:
//
//	partial-saga               told completed, and fwd_i = 0 for a required i; or told compensated, and standing_i > 0
//	compensated-and-completed  both were told; or completed was, and a step stands no more that had taken place
//	duplicate-step             standing_i exceeds 1 at some time
//	duplicate-compensation     a compensation changes something while standing_i = 0, after another one
//	empty-compensation         the same, and there was none before
//	dangling-step              a forward effect that was asked for before a compensation of i was tried comes after it, or
//	                           any one comes after the first end that was told, and no compensation comes after it
//	compensation-order         promised in reverse order, and the first one of i comes before that of a j > i
//	pivot-violation            a step at or behind the pivot is compensated; or compensated is told after one took place
//
// A step that dangles is left out of partial-saga: the saga could not know of it. Told compensated with nothing compensated
// at all is partial-saga. A step that is asked for and takes place again after it was compensated is no duplicate and does not dangle, two charges with one refund are
// one charge, and needs-operator tells a person, who is then the one to say what the saga is: nothing is partial. An end that
// is told twice in the same words is one end.
//
// Assumes that steps state applied and reversed facts with the saga as Event and the step as Stage, with Changed exactly
// if something moved; whatever their class, so that a step of class critical is judged by duplicates.go as well. An earlier end may
// still be corrected by compensations that come after it.
//
// Cost: linear in the facts of sagas, O(steps²) for their order. Noted. Exercised: sagas that met what the property speaks of: an end,
// a step, a compensation, two compensations in promised order, a pivot that was reached. Undecided: the first two for a
// saga that told no end.
func sagas() Checker {
	return overLedger(Checker{
		Name: "sagas",
		Doc:  "a saga ends as it says, each step and each compensation takes place once, in order, and none behind the pivot is undone",
		Properties: []history.Property{
			history.PropSagaPartial, history.PropSagaTwoEnds, history.PropSagaDuplicateStep, history.PropSagaDuplicateReversal,
			history.PropSagaEmptyReversal, history.PropSagaDangling, history.PropSagaReversalOrder, history.PropSagaPivot,
		},
		Weight: history.Noted,
	}, judgeSagas)
}

// Ends of a saga, and the promised order of its compensations.
const (
	endCompleted   = "completed"
	endCompensated = "compensated"
	orderReverse   = "reverse"
)

// saga is what the facts say about one.
type saga struct {
	a       *account
	began   int64
	steps   []step
	pivot   int // index of the first step that cannot be undone, len(steps) = none
	reverse bool
	ended   []int64 // in the order told
}

// step of a saga. Fields that name facts are 0 where there is none.
type step struct {
	name      string
	optional  bool
	fwd, comp []int64 // that changed something
	standing  int
	tried     int64    // the first compensation, whether it changed something or not
	twice     [2]int64 // the first pair of forward effects that stood together
	compTwice [2]int64 // the first compensation and the first one that had nothing left to compensate
	empty     int64    // the first compensation that nothing had come before
	dangling  int64    // a forward effect that came too late and stays
}

// sagas are those that were declared, by their first declaration.
func (l *ledger) sagas() []*saga {
	var list []*saga
	known := map[int32]bool{}
	for f := range l.kinds(history.KindSagaBegan) {
		n := l.number[f.ID-1]
		if n < 0 || known[n] {
			continue
		}
		known[n] = true
		s := &saga{a: &l.accounts[n], began: f.ID, reverse: f.Op == orderReverse}
		for _, name := range strings.Split(f.Value, ",") {
			required, optional := strings.CutSuffix(name, "?")
			s.steps = append(s.steps, step{name: required, optional: optional})
		}
		if s.pivot = len(s.steps); f.Stage != "" {
			if i := s.index(f.Stage); i >= 0 {
				s.pivot = i
			}
		}
		l.walkSaga(s)
		list = append(list, s)
	}
	return list
}

func (s *saga) index(name string) int {
	return slices.IndexFunc(s.steps, func(t step) bool { return t.name == name })
}

// walkSaga reads the facts of a saga in order.
func (l *ledger) walkSaga(s *saga) {
	for _, id := range l.of(s.a) {
		f := l.at(int64(id))
		i := s.index(f.Stage)
		switch {
		case f.Kind == history.KindSagaEnded:
			s.ended = append(s.ended, f.ID)
		case i < 0:
		case f.Kind == history.KindApplied && f.Changed:
			s.steps[i].forward(f.ID, l.callAbove(f.ID, 0), len(s.ended) > 0)
		case f.Kind == history.KindReversed:
			s.steps[i].compensate(f.ID, f.Changed)
		}
	}
}

// forward counts a forward effect and the call that asked for it, 0 = unknown.
func (t *step) forward(id, call int64, ended bool) {
	if t.standing > 0 && t.twice[1] == 0 {
		t.twice = [2]int64{t.fwd[len(t.fwd)-1], id}
	}
	t.standing++
	t.fwd = append(t.fwd, id)
	if ended || t.tried > call {
		t.dangling = id
	}
}

func (t *step) compensate(id int64, changed bool) {
	once(&t.tried, id)
	t.dangling = 0 // it does not stay
	if !changed {
		return
	}
	switch {
	case t.standing > 0:
		t.standing--
	case len(t.comp) == 0:
		once(&t.empty, id)
	case t.compTwice[1] == 0:
		t.compTwice = [2]int64{t.comp[0], id}
	}
	t.comp = append(t.comp, id)
}

// told is the fact by which an end was first told, 0 = it was not.
func (l *ledger) told(s *saga, end string) int64 {
	for _, id := range s.ended {
		if l.at(id).Op == end {
			return id
		}
	}
	return 0
}

func judgeSagas(l *ledger) Report {
	r := newReport()
	for _, s := range l.sagas() {
		j := sagaJudge{l, &r, s}
		j.ends()
		for i := range s.steps {
			j.repetitions(&s.steps[i])
		}
		j.order()
		j.pivot()
	}
	return r
}

// sagaJudge judges one saga.
type sagaJudge struct {
	l *ledger
	r *Report
	s *saga
}

// note notes what is wrong with a step.
func (j sagaJudge) note(p history.Property, t *step, label history.Label, text string, ids ...int64) {
	j.r.note(p, func() history.Finding {
		var ev evidence
		ev.add(j.s.began)
		ev.add(ids...)
		f := history.Finding{Property: p, Event: j.s.a.event, Label: label, Detail: j.s.a.event + ": " + text}
		if t != nil {
			f.Stage, f.Detail = t.name, fmt.Sprintf("%s: %s %s", j.s.a.event, t.name, text)
		}
		f.Evidence = ev.sorted()
		return f
	})
}

// ends judges what was told against what took place.
func (j sagaJudge) ends() {
	if len(j.s.ended) == 0 {
		j.r.Undecided[history.PropSagaPartial]++
		j.r.Undecided[history.PropSagaTwoEnds]++
		return
	}
	completed, compensated := j.l.told(j.s, endCompleted), j.l.told(j.s, endCompensated)
	j.r.Exercised[history.PropSagaTwoEnds]++
	if completed != 0 && compensated != 0 {
		j.note(history.PropSagaTwoEnds, nil, history.LabelEndedTwoWays, "it was told to be completed and to be compensated", completed, compensated)
		return
	}
	j.r.Exercised[history.PropSagaPartial]++
	for i := range j.s.steps {
		t := &j.s.steps[i]
		switch {
		case completed != 0 && len(t.fwd) == 0 && !t.optional:
			j.note(history.PropSagaPartial, t, history.LabelStepMissing, "never took place, and the saga was told to be completed", completed)
		case completed != 0 && len(t.fwd) > 0 && t.standing == 0:
			j.note(history.PropSagaTwoEnds, t, history.LabelEndedTwoWays, "was compensated, and the saga was told to be completed", completed, t.tried)
		case compensated != 0 && t.standing > 0 && t.dangling == 0:
			j.note(history.PropSagaPartial, t, history.LabelStepLeft, "still stands, and the saga was told to be compensated", compensated, t.fwd[0])
		}
	}
}

// repetitions judges one step.
func (j sagaJudge) repetitions(t *step) {
	if len(t.fwd) > 0 {
		j.r.Exercised[history.PropSagaDuplicateStep]++
	}
	if t.twice[1] != 0 {
		j.note(history.PropSagaDuplicateStep, t, j.l.duplicateLabel(j.s.a, t.twice[0], t.twice[1]), "took place twice", t.twice[:]...)
	}
	if len(t.comp) > 0 {
		j.r.Exercised[history.PropSagaDuplicateReversal]++
		j.r.Exercised[history.PropSagaEmptyReversal]++
	}
	if t.compTwice[1] != 0 {
		j.note(history.PropSagaDuplicateReversal, t, j.l.duplicateLabel(j.s.a, t.compTwice[0], t.compTwice[1]), "was compensated twice", t.compTwice[:]...)
	}
	if t.empty != 0 {
		j.note(history.PropSagaEmptyReversal, t, history.LabelNothingToReverse, "was compensated before it had taken place", t.empty)
	}
	if len(j.s.ended) > 0 || t.tried != 0 {
		j.r.Exercised[history.PropSagaDangling]++
	}
	if t.dangling != 0 {
		j.note(history.PropSagaDangling, t, history.LabelLateStep, "took place too late, and stays", slices.Concat(j.s.ended, []int64{t.tried, t.dangling})...)
	}
}

// order judges the order of compensations: one note a saga.
func (j sagaJudge) order() {
	compensated, wrong := 0, false
	for i := range j.s.steps {
		t := &j.s.steps[i]
		if len(t.comp) == 0 {
			continue
		}
		compensated++
		for k := i + 1; k < len(j.s.steps) && !wrong && j.s.reverse; k++ {
			later := &j.s.steps[k]
			if wrong = len(later.comp) > 0 && t.comp[0] < later.comp[0]; wrong {
				j.note(history.PropSagaReversalOrder, t, history.LabelReordered, "was compensated before "+later.name, t.comp[0], later.comp[0])
			}
		}
	}
	if j.s.reverse && compensated > 1 {
		j.r.Exercised[history.PropSagaReversalOrder]++
	}
}

// pivot judges the steps from the pivot on: one note a saga.
func (j sagaJudge) pivot() {
	compensated := j.l.told(j.s, endCompensated)
	reached, noted := false, false
	for i := j.s.pivot; i < len(j.s.steps); i++ {
		t := &j.s.steps[i]
		reached = reached || len(t.fwd) > 0
		switch {
		case noted:
		case len(t.comp) > 0 && len(t.fwd) > 0:
			noted = true
			j.note(history.PropSagaPivot, t, history.LabelPastPivot, "was compensated, at or behind the pivot", t.fwd[0], t.comp[0])
		case compensated != 0 && len(t.fwd) > 0 && t.fwd[0] < compensated:
			noted = true
			j.note(history.PropSagaPivot, t, history.LabelPastPivot, "had taken place, at or behind the pivot, when the saga was told to be compensated", t.fwd[0], compensated)
		}
	}
	if reached {
		j.r.Exercised[history.PropSagaPivot]++
	}
}
