package reports

import (
	"fmt"
	"strings"
)

// sentence is the last column: what is said about a stack in the meeting.
func (t *table) sentence(s StackInfo) string {
	if s.Sentence != "" {
		return s.Sentence
	}
	d := t.digest(s.Name)
	said := d.anomalies()
	if d.runs == 0 {
		return "not run"
	}
	switch {
	case s.Verdict == "fail" || s.Verdict == "broken":
		said = "broken: " + said
	case s.Verdict == "unknown":
		said = "undecided" + prefixed(": ", said)
	case s.Verdict == "vacuous":
		said = "says nothing: no fault met its work"
	case said == "":
		said = "held (" + d.bound() + ")"
	case d.outsideOnly:
		said = "held inside its envelope; outside it " + said
	}
	if d.parked > 0 && d.runs > 0 {
		said += ", parks up to " + damage(d.parked, d.parkedRuns) + " an incident"
	}
	return strings.TrimSuffix(said, ": ")
}

// digest is what the columns of one stack have in common.
type digest struct {
	duplicated, lost, silent bool
	outsideOnly              bool // every anomaly lies outside the envelope
	runs                     int
	touched                  int // the least of all columns that a fault touched
	parked                   int64
	parkedRuns               int
}

func (t *table) digest(stack string) digest {
	d := digest{outsideOnly: true}
	for _, c := range t.under(stack) {
		d.runs = max(d.runs, c.Runs)
		d.duplicated = d.duplicated || c.Duplicates > 0
		d.lost = d.lost || c.Losses > 0
		d.silent = d.silent || c.LostSilent > 0
		if c.Duplicates+c.Losses > 0 && c.Contract != "outside" {
			d.outsideOnly = false
		}
		if c.exercised() && (d.touched == 0 || c.touched() < d.touched) {
			d.touched = c.touched()
		}
		if c.Parked*int64(max(d.parkedRuns, 1)) > d.parked*int64(c.Runs) {
			d.parked, d.parkedRuns = c.Parked, c.Runs
		}
	}
	return d
}

func (d *digest) anomalies() string {
	switch {
	case d.duplicated && d.silent:
		return "duplicates and loses silently"
	case d.duplicated && d.lost:
		return "duplicates and loses, and says so"
	case d.duplicated:
		return "duplicates"
	case d.silent:
		return "loses silently"
	case d.lost:
		return "loses, and says so"
	}
	return ""
}

// bound is what zero leaves open in the column that was tested least: runs whose fault met no work test nothing.
func (d *digest) bound() string {
	if d.touched == 0 {
		return "0 of " + count(d.runs, "run") + " a column"
	}
	return fmt.Sprintf("0 of %d or more runs a column whose fault met work, ≤ %s %%", d.touched, percent(zeroBound(d.touched)))
}

func percent(p float64) string {
	if p >= 0.0995 {
		return fmt.Sprintf("%.0f", p*100)
	}
	return fmt.Sprintf("%.1f", p*100)
}
