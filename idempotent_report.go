package twiceless

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twiceless/twiceless/internal/bubble"
)

// idemLine is one thing that happened in a run: a call, a delivery that began, or something in words.
type idemLine struct {
	p *idemProcess

	call   *bubble.Ask
	unsent bool // the process died before the request was sent
	late   bool // the call was made when there was no delivery

	event     int
	delivered int  // the number of this delivery of event; 0: none begins
	retry     bool // it follows one that ended in an error

	words  string
	during bool // the delivery of p goes on after them
}

func (r *idemRun) note(l idemLine) {
	l.late = l.p.idle
	r.log = append(r.log, l)
}

// maxLogLines is how many lines of a run a report shows; the middle of a longer one is left out.
const maxLogLines = 14

// report is what is said of a failure, the cause first.
func (c *idemCheck) report(f *idemFailure, which string) string {
	last := which + " · again  " + c.again
	if f.run == nil {
		return f.why + "\n" + last
	}
	headline := f.why
	if headline == "" {
		headline = f.run.headline()
	}
	lines := append([]string{headline}, shorten(f.run.lines(), maxLogLines)...)
	if f.why == "" {
		lines = append(lines, stateLines("once:", "here:", f.state, f.run.state)...)
	}
	return strings.Join(append(lines, last), "\n")
}

// headline names the deliveries that leave another end state.
func (r *idemRun) headline() string {
	var repeats []string
	for event, n := range r.count {
		if n > 1 {
			repeats = append(repeats, r.sub.names[event]+" delivered "+timesWord(n))
		}
	}
	switch {
	case len(repeats) == 1 && len(r.count) == 1:
		return repeats[0] + " leaves another end state than delivered once"
	case len(repeats) > 0:
		return strings.Join(repeats, ", ") + ": another end state than with each event delivered once"
	default:
		return "each event delivered once, but not undisturbed: another end state than undisturbed"
	}
}

// reportRow is a line of a run in columns; words have the label's column and those after it.
type reportRow struct{ process, site, label, result, remark, words string }

// lines shows a run: for each call its place, what was called and what came of it.
func (r *idemRun) lines() []string {
	var rows []reportRow
	begun := map[*idemProcess]string{} // deliveries that made no call yet
	callless := func(p *idemProcess) {
		if text, ok := begun[p]; ok && text != "" {
			rows = append(rows, reportRow{process: fmt.Sprint(p.number), words: text + ": makes no call"})
		}
		delete(begun, p)
	}
	for _, l := range r.log {
		number := fmt.Sprint(l.p.number)
		switch {
		case l.delivered > 0:
			callless(l.p)
			begun[l.p] = r.beginning(l)
		case l.call != nil:
			rows = append(rows, callRow(number, l, begun[l.p]))
			delete(begun, l.p)
		default:
			if !l.during {
				callless(l.p)
			}
			rows = append(rows, reportRow{process: number, words: l.words})
		}
	}
	for _, p := range r.procs {
		callless(p)
	}
	return columns(rows, r.sideBySide())
}

func callRow(process string, l idemLine, remark string) reportRow {
	c := l.call.What.(cutAsk).call
	row := reportRow{process: process, site: siteOf(l.call), label: c.label, result: "→ " + brief(c.result)}
	if l.unsent {
		row.result = "✗ the process dies before it sends this"
	}
	if l.late {
		remark = "after the delivery has ended"
	}
	if remark != "" {
		row.remark = "(" + remark + ")"
	}
	return row
}

// beginning says which delivery begins, as far as that is not plain.
func (r *idemRun) beginning(l idemLine) string {
	var parts []string
	if len(r.count) > 1 {
		parts = append(parts, r.sub.names[l.event])
	}
	if l.delivered > 1 {
		parts = append(parts, ordinalWord(l.delivered)+" delivery")
	}
	if l.retry {
		parts = append(parts, "after the error")
	}
	first := slices.IndexFunc(r.log, func(e idemLine) bool { return e.p == l.p && e.delivered > 0 })
	if l.p.successor && r.log[first] == l {
		parts = append(parts, "new process")
	}
	return strings.Join(parts, ", ")
}

// sideBySide says whether two processes were at work at once, so that the lines must say whose they are.
func (r *idemRun) sideBySide() bool {
	highest := 0
	for _, l := range r.log {
		if l.p.number < highest {
			return true
		}
		highest = l.p.number
	}
	return false
}

func columns(rows []reportRow, numbered bool) []string {
	var site, label, result int
	for _, w := range rows {
		site, label, result = max(site, width(w.site)), max(label, width(w.label)), max(result, width(w.result))
	}
	var lines []string
	for _, w := range rows {
		line := "  "
		if numbered {
			line += "process " + w.process + "  "
		}
		line += pad(w.site, site) + "   "
		if w.words != "" {
			line += w.words
		} else {
			line += pad(w.label, label) + "   " + pad(w.result, result) + "   " + w.remark
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// maxBrief is how much of a statement, an error or a value a report shows, in runes.
const maxBrief = 60

// brief is the beginning of a text on one line.
func brief(text string) string {
	line := []rune(oneLine(text))
	if len(line) > maxBrief {
		return string(line[:maxBrief-1]) + "…"
	}
	return string(line)
}

func width(s string) int { return utf8.RuneCountInString(s) }

func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-width(s))) }

// shorten leaves out the middle of long lists: what led to a failure is at the ends.
func shorten(lines []string, limit int) []string {
	left := len(lines) - limit
	if left <= 0 {
		return lines
	}
	head := limit / 2
	middle := fmt.Sprintf("  … %d lines more …", left+1)
	return slices.Concat(lines[:head], []string{middle}, lines[head+left+1:])
}

func timesWord(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	default:
		return fmt.Sprintf("%d times", n)
	}
}

func ordinalWord(n int) string {
	words := []string{"first", "second", "third", "fourth", "fifth"}
	if n <= len(words) {
		return words[n-1]
	}
	return fmt.Sprintf("%dth", n)
}

// repeated says how often an error came.
func repeated(n int) string {
	if n == 1 {
		return "though it is delivered once and undisturbed"
	}
	return fmt.Sprintf("%d times in a row", n)
}
