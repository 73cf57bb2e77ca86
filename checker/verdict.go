package checker

import (
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// Verdict is a judgement; a greater one outweighs a smaller one. Unknown is never pass.
type Verdict uint8

// The verdicts.
const (
	Pass    Verdict = iota // decided, and kept
	Vacuous                // nothing was decided
	Unknown                // something could not be decided
	Fail                   // broken
)

// String is the verdict's name in files.
func (v Verdict) String() string {
	if v > Fail {
		return "verdict?"
	}
	return [...]string{"pass", "vacuous", "unknown", "fail"}[v]
}

// Compose is the verdict of several judgements together: the gravest, Pass if there are none.
func Compose(verdicts ...Verdict) Verdict {
	return slices.Max(append(verdicts, Pass))
}

// StackVerdict says whether a stack kept its contract over a set of rows.
type StackVerdict struct {
	Verdict    Verdict
	Properties []PropertyVerdict // the promised ones, in table order
	// PermittedButNeverSeen are the anomalies that the contract permits, that faults could have shown, and that
	// no measuring row with a fault shows: the stack is better than it says, or the faults are too tame.
	PermittedButNeverSeen []history.Property
}

// PropertyVerdict is the judgement of one promised property. All counts but Outside are of rows inside the envelope.
type PropertyVerdict struct {
	Property                         history.Property
	Verdict                          Verdict
	Exercised, Undecided, Violations int64
	Outside                          int64 // violations in rows outside the envelope: no breach
}

// Judge judges the rows of one stack under its contract. Per promised property: fail if a violation lies inside the
// envelope, else unknown if any is undecided, else vacuous if nothing was exercised, else pass. A stack that
// promises nothing passes. A guarantee is part of it only when it is violated, and then wherever that was.
func Judge(rows []history.Row, c history.Contract) StackVerdict {
	var v StackVerdict
	var all []Verdict
	for _, p := range Promised(c) {
		pv := judgeProperty(rows, p)
		v.Properties = append(v.Properties, pv)
		all = append(all, pv.Verdict)
	}
	for _, p := range Guaranteed() {
		if pv := violatedAnywhere(rows, p); pv.Violations > 0 {
			v.Properties = append(v.Properties, pv)
			all = append(all, pv.Verdict)
		}
	}
	v.Verdict = Compose(all...)
	v.PermittedButNeverSeen = neverSeen(rows, c)
	return v
}

// Promised lists the properties that a contract promises, in table order. Who promises no loss promises that
// nothing is stuck.
func Promised(c history.Contract) []history.Property {
	var list []history.Property
	for _, class := range history.Classes() {
		if c.Duplicates[class.String()] == history.Never {
			list = append(list, history.DuplicateOf(class))
		}
	}
	if c.Loss == history.Never {
		list = append(list, history.PropLoss, history.PropStuck)
	}
	if c.Order == "per-key" {
		list = append(list, history.PropOrder)
	}
	if c.Zombies == history.Never {
		list = append(list, history.PropZombie)
	}
	return list
}

// Guaranteed lists what no stack has to promise and none may permit: rules of the components that all stacks are made
// of, under every plan. A violation is a defect of a component.
func Guaranteed() []history.Property {
	var list []history.Property
	for _, c := range Kinds() {
		if c.Weight == history.Guaranteed {
			list = append(list, c.Properties...)
		}
	}
	return list
}

// violatedAnywhere judges a guarantee, which knows no envelope.
func violatedAnywhere(rows []history.Row, p history.Property) PropertyVerdict {
	v := PropertyVerdict{Property: p}
	for i := range rows {
		v.Exercised += rows[i].Exercised[string(p)]
		v.Violations += rows[i].Violations[string(p)]
	}
	if v.Violations > 0 {
		v.Verdict = Fail
	}
	return v
}

func judgeProperty(rows []history.Row, p history.Property) PropertyVerdict {
	v := PropertyVerdict{Property: p}
	name := string(p)
	for i := range rows {
		r := &rows[i]
		if r.Outside {
			v.Outside += r.Violations[name]
			continue
		}
		v.Exercised += r.Exercised[name]
		v.Undecided += r.Undecided[name]
		v.Violations += r.Violations[name]
	}
	switch {
	case v.Violations > 0:
		v.Verdict = Fail
	case v.Undecided > 0:
		v.Verdict = Unknown
	case v.Exercised == 0:
		v.Verdict = Vacuous
	}
	return v
}

// neverSeen lists the permitted anomalies that measuring rows with faults exercised and never showed.
func neverSeen(rows []history.Row, c history.Contract) []history.Property {
	promised := Promised(c)
	var list []history.Property
	for _, p := range []history.Property{
		history.PropDuplicateCritical, history.PropDuplicateState, history.PropDuplicateNotify,
		history.PropDuplicateDerived, history.PropLoss, history.PropOrder,
	} {
		if slices.Contains(promised, p) {
			continue
		}
		var exercised, seen int64
		for i := range rows {
			if rows[i].Fault != "none" && rows[i].Plan != history.Hunting && rows[i].Plan != history.Poisson {
				exercised += rows[i].Exercised[string(p)]
				seen += rows[i].Violations[string(p)]
			}
		}
		if exercised > 0 && seen == 0 {
			list = append(list, p)
		}
	}
	return list
}

// CellContract says what the rows of one stack under one fault kind say about the contract:
//
//	broken    a promised property is violated in a row inside the envelope, or a guarantee anywhere
//	outside   all rows are outside, or promised properties are violated in rows outside only
//	unknown   a promised property is undecided in a row inside
//	vacuous   there are no rows, or there are faults and none of them touched work in flight
//	held      else
func CellContract(rows []history.Row, c history.Contract) string {
	promised, guaranteed := Promised(c), Guaranteed()
	var violated, beyond, undecided, hit int64
	inside, faults := 0, false
	for i := range rows {
		r := &rows[i]
		var v, u int64
		for _, p := range promised {
			v += r.Violations[string(p)]
			u += r.Undecided[string(p)]
		}
		for _, p := range guaranteed {
			violated += r.Violations[string(p)]
		}
		if r.Outside {
			beyond += v
			continue
		}
		inside++
		violated += v
		undecided += u
		hit += r.FaultsHit
		faults = faults || r.Fault != "none"
	}
	switch {
	case violated > 0:
		return "broken"
	case inside == 0 && len(rows) > 0 || beyond > 0:
		return "outside"
	case undecided > 0:
		return "unknown"
	case inside == 0 || faults && hit == 0:
		return "vacuous"
	}
	return "held"
}
