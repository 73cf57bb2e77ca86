package twiceless

import (
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/scenarios"
)

// Plan is a fault plan with the seed of the run that it is for. The zero value is the run without faults of seed 0.
type Plan struct {
	Seed   uint64
	Faults []string // a line each

	c   *scenarios.Case
	err error
}

// wordsOf are the choices of a plan as rapid draws them. Its integers favour small and extreme ones, which is right for
// edge cases of arithmetic and wrong for a place in a run; so each word is made of bits.
type wordsOf struct{ t *rapid.T }

func (w wordsOf) Uint64() (word uint64) {
	for range 64 {
		word <<= 1
		if bit.Draw(w.t, "") {
			word |= 1
		}
	}
	return word
}

var bit = rapid.Bool()

// plansOf are the plans of a hunter for the run of a seed.
func plansOf(h *scenarios.Hunter, seed uint64) *rapid.Generator[Plan] {
	return rapid.Custom(func(t *rapid.T) Plan {
		c, err := h.Choose(seed, wordsOf{t})
		if err != nil {
			return Plan{err: err}
		}
		return Plan{Seed: seed, Faults: c.Intent.Plan, c: c}
	})
}

// planOf is the plan of a seed: what rapid draws from that seed. Nothing of rapid's is shrunk, kept or read from flags.
func planOf(h *scenarios.Hunter, seed uint64) (*scenarios.Case, error) {
	p := plansOf(h, seed).Example(int(seed)) //nolint:gosec // seeds of plans are below 2^48
	return p.c, p.err
}
