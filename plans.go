package twiceless

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// Plan is a fault plan with the seed of the run that it is for. The zero value is the run without faults of seed 0.
type Plan struct {
	Seed   uint64
	Faults []string // a line each, as stories print them

	err error // it could not be drawn
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
func plansOf(h *scenarios.Hunter, seed func(*rapid.T) uint64) *rapid.Generator[Plan] {
	return rapid.Custom(func(t *rapid.T) Plan {
		p := Plan{Seed: seed(t)}
		c, err := h.Choose(p.Seed, wordsOf{t})
		if p.err = err; err == nil {
			p.Faults = c.Intent.Plan
		}
		return p
	})
}

// deathsOf are the plans in which the caller dies at a step of a call.
func deathsOf(h *scenarios.Hunter, hook string, seed uint64) *rapid.Generator[Plan] {
	return rapid.Custom(func(t *rapid.T) Plan {
		return Plan{Seed: seed, Faults: h.Die(seed, hook, wordsOf{t}).Intent.Plan}
	})
}

// planOf is the plan of a seed: what rapid draws from that seed. Nothing of rapid's is shrunk, kept or read from flags.
func planOf(h *scenarios.Hunter, seed uint64) Plan {
	return plansOf(h, func(*rapid.T) uint64 { return seed }).Example(int(seed)) //nolint:gosec // seeds of plans are below 2^48
}

// caseOf is the case of a plan.
func caseOf(h *scenarios.Hunter, p Plan) *scenarios.Case {
	c := h.Control()
	c.Witness.Seed, c.Intent.Plan = p.Seed, append([]string{}, p.Faults...)
	return c
}

// Bench does one plan at a time, for properties of a team's own over [Bench.Plans] in rapid.Check. What rapid finds it also
// shrinks and keeps in its own way; the tests of this package do neither.
type Bench struct{ k *tester }

// NativeBench is a bench for stages of a flow; what it is given means what it means to Native. It ends the test if that does
// not fit, or if the run without faults does not end by the rules.
func NativeBench(t *testing.T, scenario string, stages Stages, opts ...Option) *Bench {
	t.Helper()
	return newBench(t, scenario, func(*settings) *scenarios.Code { return stages.code() }, opts)
}

func newBench(t *testing.T, scenario string, code func(*settings) *scenarios.Code, opts []Option) *Bench {
	t.Helper()
	k, err := begin(t, scenario, code, opts)
	if err == nil {
		k.hunter, err = scenarios.NewHunter(k.sc, k.set.stack, k.set.faults, 0, k.set.patience)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &Bench{k}
}

// Plans are fault plans aimed at what the run without faults passes through, each with a seed.
func (b *Bench) Plans() *rapid.Generator[Plan] {
	return plansOf(b.k.hunter, func(t *rapid.T) uint64 { return rapid.Uint64Range(1, maxPlans).Draw(t, "seed") })
}

// Result is what a run came to.
type Result struct {
	Breach   *history.Finding  // what breaks the promise, neither excused by the envelope nor accepted; nil = nothing does
	Findings []history.Finding // all, those that nobody promised among them
	Crash    error             // the run ended outside the rules; nil = it did not
	History  *history.History  // what happened; nil if nothing can be said
}

// Run does a plan. A plan that does not fit the scenario is a Crash, too.
func (b *Bench) Run(p Plan) Result {
	if p.err != nil {
		return Result{Crash: p.err}
	}
	r, err := scenarios.Supervise(caseOf(b.k.hunter, p), &scenarios.Memory{}, b.k.set.patience)
	if err != nil {
		return Result{Crash: err}
	}
	out := Result{Findings: r.Verdicts.Findings, History: r.History}
	if crash := r.Crash(); crash != nil {
		out.Crash = crash
		return out
	}
	var judged ran
	b.k.judge(r, &judged)
	out.Breach = judged.breach
	return out
}
