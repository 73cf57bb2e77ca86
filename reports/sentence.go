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
	said := d.within.words()
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
	case said == "" && d.beyond.words() == "":
		said = "held (" + d.bound() + ")"
	case said == "":
		said = "held inside its envelope; outside it " + d.beyond.words()
	case !d.within.covers(d.beyond):
		said += "; outside its envelope " + d.beyond.words()
	}
	if d.parked > 0 && d.runs > 0 {
		said += ", parks up to " + damage(d.parked, d.parkedRuns) + " an incident"
		if d.parkedAfter != d.parked {
			left := "none"
			if d.parkedAfter > 0 {
				left = damage(d.parkedAfter, d.parkedRuns)
			}
			said += ", " + left + " of them after the replay"
		}
	}
	return strings.TrimSuffix(said, ": ")
}

// digest is what the columns of one stack have in common.
type digest struct {
	within, beyond harm // inside the envelope, and outside it
	runs           int
	touched        int // the least of all columns that a fault touched
	parked         int64
	parkedAfter    int64 // of the same column
	parkedRuns     int
	sequential     bool // as of a cell
}

// harm is what faults did.
type harm struct{ duplicated, lost, silent bool }

// covers says whether h has all that g has.
func (h harm) covers(g harm) bool {
	return (h.duplicated || !g.duplicated) && (h.lost || !g.lost) && (h.silent || !g.silent)
}

func (t *table) digest(stack string) digest {
	d := digest{sequential: t.in.Precision > 0}
	for _, c := range t.under(stack) {
		d.runs = max(d.runs, c.Runs)
		h := &d.within
		if c.outside() {
			h = &d.beyond
		}
		h.duplicated = h.duplicated || c.Duplicates > 0
		h.lost = h.lost || c.Losses > 0
		h.silent = h.silent || c.LostSilent > 0
		if c.exercised() && (d.touched == 0 || c.touched() < d.touched) {
			d.touched = c.touched()
		}
		if c.Parked*int64(max(d.parkedRuns, 1)) > d.parked*int64(c.Runs) {
			d.parked, d.parkedAfter, d.parkedRuns = c.Parked, c.ParkedAfter, c.Runs
		}
	}
	return d
}

func (h harm) words() string {
	switch {
	case h.duplicated && h.silent:
		return "duplicates and loses silently"
	case h.duplicated && h.lost:
		return "duplicates and loses, and says so"
	case h.duplicated:
		return "duplicates"
	case h.silent:
		return "loses silently"
	case h.lost:
		return "loses, and says so"
	}
	return ""
}

// bound is what zero leaves open in the column that was tested least: runs whose fault met no work test nothing.
func (d *digest) bound() string {
	if d.touched == 0 {
		return "0 of " + count(d.runs, "run") + " a column"
	}
	return fmt.Sprintf("0 of %d or more runs a column whose fault met work, ≤ %s %%", d.touched, percent(openAt(d.touched, d.sequential)))
}

func percent(p float64) string {
	if p >= 0.0995 {
		return fmt.Sprintf("%.0f", p*100)
	}
	return fmt.Sprintf("%.1f", p*100)
}
