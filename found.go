package twiceless

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// How much work is put into a story: together a second or two.
const shrinkRuns = 300

var remedyLimits = scenarios.RemedyLimits{Runs: 100, Intents: 20, Events: 1_200_000}

// found makes the story of a breach: done twice, shrunk, tried against what would help, saved.
func (k *tester) found(c *scenarios.Case, f *history.Finding) {
	k.intend(c, string(f.Property), f.Fingerprint())
	if !k.same(c) {
		return
	}
	k.ended(f.Fingerprint())
	k.end(reports.Broke, "%s", f.Detail)
	c = k.shrink(c)
	k.show(c)
	k.remedies(c)
	k.save(c)
}

// crashed makes the story of a run that ended outside the rules. What can be repeated is shrunk as well: a panic. A
// goroutine that ended leaves no result to compare, and a run that hangs ends by the clock on the wall, which no case can
// repeat; their cases are saved as they are.
func (k *tester) crashed(c *scenarios.Case, crash *scenarios.Crash) {
	k.intend(c, string(history.PropHarness), crash.Fingerprint())
	kind := reports.Crashed
	if crash.How == scenarios.Hang {
		kind = reports.Hung
	}
	k.end(kind, "%s", strings.TrimSpace(explained(crash)))
	k.out.Site = crash.Site
	if crash.How == scenarios.Panic {
		c = k.shrink(c)
		k.show(c)
	}
	k.save(c)
}

// explained is a crash in words, with what to do about it.
func explained(c *scenarios.Crash) string {
	switch c.How {
	case scenarios.Hang:
		why := "code loops without a call, or waits for something that is not simulated"
		if stuck := bubble.Stuck(drivers...); len(stuck) > 0 {
			why = strings.Join(stuck[:min(3, len(stuck))], "; ")
		}
		return "a run did not end (" + c.Detail + "): " + why + ". It was ended by the clock on the wall, so that another machine may need longer"
	case scenarios.Goexit:
		return c.Detail + ", as t.FailNow does: return an error instead"
	case scenarios.KillSwallowed:
		return c.Detail + ": it recovers from panics that are not its own, so that it would outlive its crash"
	}
	return c.Detail
}

// intend says what a case is expected to show.
func (k *tester) intend(c *scenarios.Case, property, fingerprint string) {
	in := &c.Intent
	in.Property, in.Fingerprint, in.Expected = property, fingerprint, checker.Fail.String()
	k.out.Fingerprint, k.out.Faults = fingerprint, in.Plan
}

// same does a case twice; a finding of a run that cannot be repeated is none, but what it cannot be repeated for is.
func (k *tester) same(c *scenarios.Case) bool {
	k.out.Runs += 2
	twice, err := scenarios.Replay(c, k.set.patience)
	if err != nil || !twice.Same {
		k.drifted(c)
		return false
	}
	c.Witness = twice.First.Witness(c.Witness.Seed)
	k.out.Digest = c.Witness.Digest
	return true
}

// drifted says where two runs of a case differ.
func (k *tester) drifted(c *scenarios.Case) {
	k.out.Faults = c.Intent.Plan
	where := "the difference did not show again"
	if twice, err := scenarios.Replay(c, k.set.patience); err == nil && !twice.Same {
		where = tell.Drift(c, twice.First, twice.Second)
	}
	k.end(reports.Drifted, "two runs of this plan differ: the code depends on something that is not simulated, such as the order of a map, time.Now, a random number or a variable that outlives a run\n%s", where)
}

// shrink is the smallest case, and the given one if it cannot be made smaller.
func (k *tester) shrink(c *scenarios.Case) *scenarios.Case {
	s, err := scenarios.Shrink(k.t.Context(), c, scenarios.ShrinkOptions{Runs: shrinkRuns, Patience: k.set.patience})
	if err != nil || !s.Proof.Same {
		return c
	}
	k.out.Runs += s.Runs
	k.out.From = reports.OutcomeSize{Faults: s.From.Faults, Events: s.From.Events}
	k.out.To = reports.OutcomeSize{Faults: s.To.Faults, Events: s.To.Events}
	k.out.RanOut = s.RanOut
	return s.Case
}

// show does a case once more with the sites of its calls, for its story.
func (k *tester) show(c *scenarios.Case) {
	k.out.Runs++
	k.out.Faults, k.out.Digest = c.Intent.Plan, c.Witness.Digest
	r, err := scenarios.Supervise(sited(c), &scenarios.Memory{}, k.set.patience)
	if err != nil {
		return
	}
	k.out.History = r.History
	if crash := r.Crash(); crash != nil {
		k.out.Site, k.out.Detail = crash.Site, explained(crash)
		return
	}
	for i := range r.Verdicts.Findings {
		if f := &r.Verdicts.Findings[i]; f.Fingerprint() == c.Intent.Fingerprint {
			k.out.Finding, k.out.Detail, k.out.Headline = f, f.Detail, tell.Amount(c, r.History, *f)
			k.out.Site = blamed(r.History, f)
			return
		}
	}
}

// blamed is the line of the team's code that did what was found: the commit that moved the position past the event if that
// was it, else its last call for the effect, else for the event, else any. Of a loss it is the last call at which a process
// died, if one did: what should have come after it is what is missing.
func blamed(h *history.History, f *history.Finding) string {
	if f.Label == history.LabelCommittedBeforeEffect {
		if site := passing(h, f.Event); reports.OfTeam(site) {
			return site
		}
	}
	var any, event, died, effect string
	for i := range h.Facts {
		fact := &h.Facts[i]
		if fact.Kind == history.KindUnwound && reports.OfTeam(fact.Note) {
			died = fact.Note
		}
		if fact.Kind != history.KindCalled || !reports.OfTeam(fact.Site) {
			continue
		}
		any = fact.Site
		if fact.Event == f.Event {
			event = fact.Site
			if fact.Stage == f.Stage {
				effect = fact.Site
			}
		}
	}
	if f.Property != history.PropLoss {
		died = ""
	}
	for _, site := range []string{died, effect, event, any} {
		if site != "" {
			return site
		}
	}
	return ""
}

// passing is where the first commit was made that moved a position past a delivery of the event.
func passing(h *history.History, event string) string {
	delivered := history.Fact{Offset: -1}
	for i := range h.Facts {
		switch fact := &h.Facts[i]; {
		case fact.Kind == history.KindDelivered && fact.Event == event:
			delivered = *fact
		case fact.Kind == history.KindCommitted && delivered.Offset >= 0 && fact.Resource == delivered.Resource && fact.Offset > delivered.Offset && fact.Cause != 0:
			return h.At(fact.Cause).Site
		}
	}
	return ""
}

// remedies are searched for the smallest case.
func (k *tester) remedies(c *scenarios.Case) {
	limits := remedyLimits
	limits.Patience = k.set.patience
	found, err := scenarios.FindRemedies(c, limits)
	switch {
	case errors.Is(err, scenarios.ErrTooLarge):
		k.out.Would = []reports.Remedy{{Outcome: "not searched: the case is still too large"}}
	case err != nil:
		k.out.Would = []reports.Remedy{{Outcome: "could not be searched: " + err.Error()}}
	default:
		k.out.Runs += found.Runs
		k.out.Would = tell.Remedies(found)
	}
}

// save keeps a case, unless it came from there.
func (k *tester) save(c *scenarios.Case) {
	if k.out.Case != "" || k.expects(k.out.Fingerprint) {
		return
	}
	if c.Witness.Digest == "" { // it did not end by the rules
		c.Witness = scenarios.Witness{Seed: c.Witness.Seed, Digest: noDigest, HistoryDigest: noDigest, Epoch: scenarios.Epoch}
	}
	file, err := addCase(c)
	if err != nil {
		k.out.Detail += fmt.Sprintf("\nthe case could not be saved: %v", err)
		return
	}
	k.out.Case, k.out.Saved = file, true
}

// noDigest is that of a run that cannot be repeated bit for bit.
const noDigest = "0000000000000000"
