package twiceless

import (
	"slices"
	"time"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
)

// Accept has the test live with a finding until the last day, 2026-12-31, UTC: it is reported, and fails only when that
// day is over. The finding is a fingerprint as a failing test prints it, or a property with all of its fingerprints. It
// hides no other one. Scenario files say the same under expect: { accept, issue, until }.
func Accept(finding, issue, until string) Option {
	return option(func(s *settings) {
		a := scenarios.Acceptance{Finding: finding, Issue: issue, Until: until}
		if err := a.Check(); err != nil {
			s.problem("Accept(%q, …): %v", finding, err)
			return
		}
		s.accepted = append(s.accepted, a)
	})
}

// today is what the last day of an acceptance is compared with.
var today = time.Now

// accepts says whether a finding is accepted today.
func (k *tester) accepts(fingerprint string) bool {
	return slices.ContainsFunc(k.set.accepted, func(a scenarios.Acceptance) bool {
		return a.Covers(k.set.stack, fingerprint) && !a.Ended(today())
	})
}

// accepted counts what was met and is accepted.
func (k *tester) accepted(r *ran) {
	for _, a := range k.set.accepted {
		if slices.ContainsFunc(r.accepted, func(print string) bool { return a.Covers(k.set.stack, print) }) {
			k.acceptance(a).Met++
		}
	}
}

// acceptance is the line of an acceptance in the outcome.
func (k *tester) acceptance(a scenarios.Acceptance) *reports.Acceptance {
	list := &k.out.Accepted
	i := slices.IndexFunc(*list, func(b reports.Acceptance) bool { return b.Finding == a.Finding && b.Issue == a.Issue })
	if i < 0 {
		i = len(*list)
		*list = append(*list, reports.Acceptance{Finding: a.Finding, Issue: a.Issue, Until: a.Until, Ended: a.Ended(today())})
	}
	return &(*list)[i]
}

// ended notes that what was found had been accepted up to a day that is over.
func (k *tester) ended(fingerprint string) {
	for _, a := range k.set.accepted {
		if a.Covers(k.set.stack, fingerprint) && a.Ended(today()) {
			k.acceptance(a).Met++
		}
	}
}
