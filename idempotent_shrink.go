package twiceless

import (
	"cmp"
	"slices"
)

// shrink leaves out events from the end, departures and deliveries, as long as it fails in the same way.
func (c *idemCheck) shrink(n int, failure *idemFailure) *idemFailure {
	if failure.run == nil {
		return failure
	}
	for n > 1 {
		_, smaller := c.try(n-1, exactly(failure.run.turns))
		if !smaller.like(failure) {
			break
		}
		n, failure = n-1, smaller
	}
	for {
		smaller := c.smaller(n, failure)
		if smaller == nil {
			return failure
		}
		failure = smaller
	}
}

// maxShift is how many decisions earlier a departure is tried when one before it takes less.
const maxShift = 12

// smaller is a smaller failure of the same kind, or nil.
func (c *idemCheck) smaller(n int, failure *idemFailure) *idemFailure {
	turns := failure.run.turns
	try := func(turns []turn) *idemFailure {
		if _, f := c.try(n, exactly(turns)); f.like(failure) && f.run.size(failure.run) < 0 {
			return f
		}
		return nil
	}
	for i := range turns {
		for shift := range maxShift {
			if f := try(slices.Concat(turns[:i], earlier(turns[i+1:], shift))); f != nil {
				return f
			}
		}
	}
	for i, t := range turns {
		for option := 1; option < t.option; option++ {
			for shift := range maxShift {
				if f := try(slices.Concat(turns[:i], []turn{{t.at, option}}, earlier(turns[i+1:], shift))); f != nil {
					return f
				}
			}
		}
	}
	return nil
}

// earlier are the same departures some decisions before: what went before them is shorter now.
func earlier(turns []turn, by int) []turn {
	moved := slices.Clone(turns)
	for i := range moved {
		moved[i].at -= by
	}
	return moved
}

// size compares runs by how much there is to read: departures, deliveries, decisions.
func (r *idemRun) size(than *idemRun) int {
	total := func(counts []int) (n int) {
		for _, c := range counts {
			n += c
		}
		return n
	}
	return cmp.Or(cmp.Compare(len(r.turns), len(than.turns)), cmp.Compare(total(r.count), total(than.count)),
		cmp.Compare(len(r.decisions), len(than.decisions)))
}

func (f *idemFailure) departures() int {
	if f.run == nil {
		return 0
	}
	return len(f.run.turns)
}

func (f *idemFailure) like(g *idemFailure) bool {
	return f != nil && f.run != nil && (f.why == "") == (g.why == "")
}
