package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twiceless/twiceless/sim/history"
)

// Acceptance is a finding that a team lives with until a day: it is reported, and fails nothing. It stands for that finding
// only: another label of the same property, or another stage, is not covered unless it names the whole property.
type Acceptance struct {
	Finding string // a fingerprint, or a property with all of its fingerprints
	Stack   string // "" = every stack
	Issue   string // where the work on it is followed
	Until   string // the last day, UTC: 2026-12-31
}

// dayFormat is how days are written.
const dayFormat = "2006-01-02"

// Check reports everything that is wrong with an acceptance.
func (a *Acceptance) Check() error {
	var bad []error
	for _, f := range a.flaws() {
		bad = append(bad, fmt.Errorf("%s: %s", f.field, f.message))
	}
	return errors.Join(bad...)
}

// flaw is what is wrong with one field.
type flaw struct{ field, message string }

func (a *Acceptance) flaws() (bad []flaw) {
	if names := propertyNames(); !slices.Contains(names, propertyOf(a.Finding)) {
		bad = append(bad, flaw{"accept", quoteShort(a.Finding) + " is neither a property nor a fingerprint; properties: " + strings.Join(names, ", ")})
	}
	if strings.TrimSpace(a.Issue) == "" {
		bad = append(bad, flaw{"issue", "missing: say where the work on it is followed"})
	}
	if _, err := time.Parse(dayFormat, a.Until); err != nil {
		bad = append(bad, flaw{"until", "want the last day, such as 2026-12-31, not " + quoteShort(a.Until)})
	}
	return bad
}

// propertyOf a fingerprint, which may be a property alone.
func propertyOf(fingerprint string) string {
	property, _, _ := strings.Cut(fingerprint, "/")
	return property
}

// propertyNames are the properties that a finding can be of, sorted.
func propertyNames() []string {
	names := []string{string(history.PropLoss), string(history.PropStuck), string(history.PropOrder), string(history.PropZombie), string(history.PropPhantom), string(history.PropLinearizable)}
	for _, class := range history.Classes() {
		names = append(names, string(history.DuplicateOf(class)))
	}
	slices.Sort(names)
	return names
}

// Covers says whether a finding of a stack is the accepted one, ended or not.
func (a *Acceptance) Covers(stack, fingerprint string) bool {
	return (a.Stack == "" || a.Stack == stack) && (a.Finding == fingerprint || a.Finding == propertyOf(fingerprint))
}

// Ended says whether the last day is over.
func (a *Acceptance) Ended(now time.Time) bool { return now.UTC().Format(dayFormat) > a.Until }

// Accepted are the acceptances among the statements of a scenario.
func (s *Scenario) Accepted() []Acceptance {
	var out []Acceptance
	for _, e := range s.Expect {
		if e.Accept != "" {
			out = append(out, e.acceptance())
		}
	}
	return out
}

func (e *Expectation) acceptance() Acceptance {
	return Acceptance{Finding: e.Accept, Stack: e.Stack, Issue: e.Issue, Until: e.Until}
}
