// Package checker judges histories: what was promised, and what do the facts say?
//
// It knows facts and nothing else. A checker never looks into a model, never draws, never reads a clock, and gives
// the same report for the same history on every machine. Each kind of checker is one file that states its property
// as a formula, what it assumes of the facts, what it costs, and what it says when nothing was exercised; kinds.go
// lists them. Counting uses integers only.
//
//	CheckAll  a history  → Verdicts (findings with evidence; exercised, undecided, violations per property)
//	FillRow   a history  → the integers of a run row
//	Judge     rows       → the verdict of a stack under its contract
//
// Most checkers share the exactly-once ledger (ledger.go): one pass that numbers the events, sorts the facts by
// event and counts, per effect, how often it was applied and reversed.
//
// To add a checker: one file and one line in kinds.go; package checkertest then holds it to the common contract.
// What to read next: ledger.go, buckets.go, causes.go.
package checker

import (
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// Checker is one row of the table of checkers.
type Checker struct {
	Name       string
	Doc        string
	Properties []history.Property // what it judges, in the order of its findings
	Weight     history.Weight     // what a violation of them means
	Check      func(*history.History) Report
	judge      func(*ledger) Report // the same over a ledger that is already there; nil = use Check
}

// Report is what one checker says about one history. A property that is in none of the maps was not exercised.
// Violations[p] is the number of findings of p; Exercised[p] counts what p was decided on, violations included.
//
// A checker of weight Noted finds nothing: Seen[p] counts what it saw and Samples tells the first few.
type Report struct {
	Findings                         []history.Finding
	Exercised, Undecided, Violations map[history.Property]int64
	Seen                             map[history.Property]int64
	Samples                          []history.Finding
}

// maxSamples is how many findings of one noted property are told.
const maxSamples = 3

// Verdicts are the reports of all checkers on one history, with the account of the ledger that FillRow prints.
type Verdicts struct {
	Report
	totals totals
	judged *history.History // whose totals these are
	digest uint64           // of that history when it was judged: worlds reuse their memory
}

// CheckAll judges a history by every checker of the table.
func CheckAll(h *history.History) Verdicts {
	l := newLedger(h)
	v := Verdicts{Report: newReport(), totals: l.totals(), judged: h, digest: h.Digest()}
	for _, c := range Kinds() {
		if c.judge != nil {
			v.add(c.judge(l))
		} else {
			v.add(c.Check(h))
		}
	}
	return v
}

// Fingerprints are the distinct fingerprints of the findings, sorted.
func (r *Report) Fingerprints() []string {
	var prints []string
	for i := range r.Findings {
		prints = append(prints, r.Findings[i].Fingerprint())
	}
	slices.Sort(prints)
	return slices.Compact(prints)
}

func newReport() Report {
	return Report{
		Exercised:  map[history.Property]int64{},
		Undecided:  map[history.Property]int64{},
		Violations: map[history.Property]int64{},
		Seen:       map[history.Property]int64{},
	}
}

// find adds a finding.
func (r *Report) find(f history.Finding) {
	r.Findings = append(r.Findings, f)
	r.Violations[f.Property]++
}

// note counts what is no violation; only the first few are told.
func (r *Report) note(p history.Property, tell func() history.Finding) {
	if r.Seen[p]++; r.Seen[p] <= maxSamples {
		r.Samples = append(r.Samples, tell())
	}
}

// add adds another report.
func (r *Report) add(o Report) {
	r.Findings = append(r.Findings, o.Findings...)
	r.Samples = append(r.Samples, o.Samples...)
	addCounts(r.Seen, o.Seen)
	addCounts(r.Exercised, o.Exercised)
	addCounts(r.Undecided, o.Undecided)
	addCounts(r.Violations, o.Violations)
}

func addCounts(into, from map[history.Property]int64) {
	for _, p := range history.SortedKeys(from) {
		into[p] += from[p]
	}
}
