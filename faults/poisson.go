package faults

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Occurrence is how often a kind happens to one system: Count faults every Per ns, at all of its parties together.
type Occurrence struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"` // above 0
	Per   int64  `json:"per"`   // ns
}

// Limits of an occurrence, so that no product of them leaves 64 bits.
const (
	MaxMultiplier = 1_000_000_000
	maxOccurrence = 1_000_000_000
)

// Check says what is wrong with an occurrence that was read from a file.
func (o Occurrence) Check() error {
	k, ok := history.FaultKindByName(o.Kind)
	switch {
	case !ok || k.Verb == "":
		return fmt.Errorf("there is no fault kind %q that could recur", o.Kind)
	case k.After > 0:
		return fmt.Errorf("%s comes after a run, not in it", o.Kind)
	case o.Count < 1 || o.Count > maxOccurrence || o.Per < second || o.Per > maxPer:
		return fmt.Errorf("%s: %d in %d ns", o.Kind, o.Count, o.Per)
	}
	return nil
}

// Recurring are the occurrences of a profile's lines for those of the kinds that recur while there is load. What comes
// after the drain has no moment among the others, and is left out.
func (e *Exposure) Recurring(kinds []string, parties func(scope string) int64) []Occurrence {
	var out []Occurrence
	for _, l := range e.Lines {
		k, _ := history.FaultKindByName(l.Kind)
		if n := l.Rate.Count * parties(l.Rate.Scope); n > 0 && k.After == 0 && contains(kinds, l.Kind) {
			out = append(out, Occurrence{Kind: l.Kind, Count: min(n, maxOccurrence), Per: l.Rate.Per})
		}
	}
	return out
}

// Poisson is the measuring plan of a run in which faults come as often as they do, times a common multiplier: each
// kind by a Poisson process of its own over the chaos phase, each fault on a uniform target. It may be empty. The plan
// depends on multiplier, seed, occurrences and scenario, and on nothing that a stack does. A plan of more than
// MaxFaults is an error.
//
// Moments are independent and not stratified as those of Measure: how many fall together is what is measured here.
func Poisson(multiplier int64, seed uint64, sc Space, all []Occurrence) (Measuring, error) {
	m := Measuring{Kind: history.PoissonFault(multiplier)}
	if multiplier < 1 || multiplier > MaxMultiplier {
		return m, fmt.Errorf("multiplier %d: from 1 to %d", multiplier, MaxMultiplier)
	}
	for _, o := range all {
		if err := o.Check(); err != nil {
			return m, err
		}
		k, _ := history.FaultKindByName(o.Kind)
		gap := max(1, o.Per/(o.Count*multiplier))
		s := rng.NewStream(seed, m.Kind+" "+o.Kind)
		for at := sc.ChaosBegin; ; {
			step := rng.Exponential(s.Uint64(), gap)
			if step >= sc.ChaosEnd-at {
				break
			}
			at += step
			if len(m.Faults) == MaxFaults {
				return m, fmt.Errorf("multiplier %d: more than %d faults in one run", multiplier, MaxFaults)
			}
			f, err := sc.shape(k, s.Uint64())
			if err != nil {
				return m, err
			}
			f.At = at
			m.Faults = append(m.Faults, f)
		}
	}
	slices.SortStableFunc(m.Faults, func(a, b Timed) int { return cmp.Compare(a.At, b.At) })
	return m, nil
}
