package ops

import (
	"cmp"
	"io"
	"slices"

	"github.com/twiceless/twiceless/checker"
)

// Severity says whether an anomaly breaks what was promised.
type Severity string

// A fail breaks it; an info is counted and told.
const (
	SeverityFail Severity = "fail"
	SeverityInfo Severity = "info"
)

// Anomaly is what a judge found of one name.
type Anomaly struct {
	Name     string // as the field names it: lost-write, G1a, nonlinearizable
	Count    int64  // how many
	Severity Severity
	Evidence []int64  // indices of the events of the first one, ascending, each once; at most MaxEvidence
	Detail   string   // the first one in a sentence: which values, which rule
	Story    []string // the first one told step by step, in the order of time; empty = the evidence tells it
}

// MaxEvidence is how many events an anomaly names.
const MaxEvidence = 32

// Report is what a judge says of a history.
type Report struct {
	Anomalies []Anomaly        // fails first, then by name
	Numbers   map[string]int64 // what was counted: operations, values, lags in ns …
	Exercised int64            // what the property was decided on: operations, values, pairs. 0 = nothing: vacuous
	Undecided int64            // what could not be decided
	Why       []string         // why something could not be decided, or why nothing was exercised; a sentence each
	Picture   func(io.Writer) error
}

// Verdict is fail if an anomaly of severity fail was found, else unknown if anything is undecided, else vacuous if
// nothing was exercised, else pass.
func (r *Report) Verdict() checker.Verdict {
	switch {
	case slices.ContainsFunc(r.Anomalies, func(a Anomaly) bool { return a.Severity == SeverityFail }):
		return checker.Fail
	case r.Undecided > 0:
		return checker.Unknown
	case r.Exercised == 0:
		return checker.Vacuous
	}
	return checker.Pass
}

// Find counts one more of a name. The first of a name decides what is told of it: evidence and detail are asked for
// only then.
func (r *Report) Find(name string, s Severity, tell func(*Anomaly)) {
	i := slices.IndexFunc(r.Anomalies, func(a Anomaly) bool { return a.Name == name })
	if i < 0 {
		a := Anomaly{Name: name, Severity: s}
		if tell(&a); len(a.Evidence) > 0 {
			slices.Sort(a.Evidence)
			a.Evidence = slices.Compact(a.Evidence)
			a.Evidence = a.Evidence[:min(len(a.Evidence), MaxEvidence)]
		}
		r.Anomalies = append(r.Anomalies, a)
		i = len(r.Anomalies) - 1
	}
	r.Anomalies[i].Count++
}

// Sort puts the anomalies in the order in which they are told: fails first, then by name.
func (r *Report) Sort() {
	slices.SortFunc(r.Anomalies, func(a, b Anomaly) int {
		if a.Severity != b.Severity {
			return cmp.Compare(a.Severity, b.Severity) // fail before info
		}
		return cmp.Compare(a.Name, b.Name)
	})
}
