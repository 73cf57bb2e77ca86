package faults

import "github.com/twiceless/twiceless/sim/history"

// Sized is the plan with faults of another size, ns: what its verbs load the dimension with. A skew or jump is off by
// size, a delay is as long, a replay comes size after the drain, everything else lasts for size and no longer until the heal. Moments,
// targets and the order of the faults stay what they were, so that plans of one seed and different sizes are paired.
func (m Measuring) Sized(d history.Dimension, size int64) Measuring {
	out := Measuring{Kind: m.Kind, Faults: append([]Timed(nil), m.Faults...)}
	for i := range out.Faults {
		f := &out.Faults[i]
		v, ok := verbByName(f.Verb)
		switch {
		case !ok || !v.load(d):
		case d == history.ClockSkew, d == history.Delay:
			f.By = size
		case d == history.RedeliveryHorizon:
			f.At = size
		default:
			f.For, f.UntilHeal = size, false
		}
	}
	return out
}
