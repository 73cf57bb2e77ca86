package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twiceless/twiceless/sim/history"
)

// The bounds of what a failing test prints. A command is never broken: one that is longer than a line stays one.
const (
	failureLines = 25
	failureWidth = 100
	headWidth    = 12 // of "would hold", with its gap
)

// The most lines of each part, so that what happened always has ten.
const (
	headlineLines = 2
	reasonLines   = 2
	wouldLines    = 3
	awaitLines    = 2
	endedLines    = 1
	expectedLines = 2
)

// WriteOutcome tells a team what their test came to, in at most 25 lines of 100 columns. Of a failure that is: what
// happened, by which lines of their code (facts with a site; see history.Fact), where the fault fell, what was never
// reached, what would have held, and how to see it again. Without sites it tells the calls all the same.
func WriteOutcome(w io.Writer, o *Outcome) error {
	lines := atMost(headlineLines, wrap(o.Title(), failureWidth))
	return writeLines(w, append(lines, o.below(failureLines-len(lines))...))
}

// Held says whether the test passes.
func (o *Outcome) Held() bool { return o.Kind == Passed || o.Kind == PassedAccepted || o.Expected }

// below is what stands below the headline, in so many lines.
func (o *Outcome) below(room int) []string {
	if o.Held() && !o.Expected {
		return atMost(room, o.tested())
	}
	lines := []string{clip(o.found(), failureWidth)}
	foot := spaced(o.foot())
	lines = append(lines, spaced(o.happened(room-len(lines)-len(foot)-1))...)
	return append(lines, foot...)
}

// spaced sets a part off from what stands above it, if there is one.
func spaced(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	return append([]string{""}, lines...)
}

// Title is what the outcome is called where there is one line for it.
func (o *Outcome) Title() string {
	switch o.Kind {
	case Passed, PassedAccepted:
		return prefixedBy("held", firstLine(o.Detail))
	case Broke:
		return o.broke()
	case Missed:
		return prefixedBy(o.Expects+" was not found", firstLine(o.Detail))
	case Uncovered:
		return prefixedBy("too few awaits were put to the test", firstLine(o.Detail))
	}
	return prefixedBy(o.Kind.String(), firstLine(o.Detail))
}

// String is what a kind is called in one or two words.
func (k OutcomeKind) String() string {
	return [...]string{"passed", "passed, with accepted findings", "broken", "crashed", "hung", "not deterministic", "vacuous", "undecided", "uncovered", "missed"}[k]
}

func prefixedBy(what, detail string) string {
	if detail == "" {
		return what
	}
	return what + ": " + detail
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// broke says what happened in the words of the business.
func (o *Outcome) broke() string {
	switch f := o.Finding; {
	case f == nil:
		return prefixedBy(o.Fingerprint, firstLine(o.Detail))
	case o.Headline != "":
		return fmt.Sprintf("%s: %s", f.Property, prefixedBy(f.Event, o.Headline))
	case o.History == nil:
		return prefixedBy(string(f.Property), f.Detail)
	default:
		return fmt.Sprintf("%s: %s", f.Property, newTeller(o.History, *f).headline(""))
	}
}

// found says where the failure was found and how far it was shrunk.
func (o *Outcome) found() string {
	var parts []string
	switch o.Phase {
	case InCorpus:
		parts = append(parts, "found by a saved case")
	case InControl:
		parts = append(parts, "found without any fault")
	case InSearch:
		if o.Plan > 0 {
			parts = append(parts, fmt.Sprintf("found at plan %d of %d", o.Plan, o.Budget)+prefixed(" of search ", o.Searched))
		} else {
			parts = append(parts, fmt.Sprintf("after %s of %d", count(o.Plans, "plan"), o.Budget)+prefixed(" of search ", o.Searched))
		}
	}
	parts = append(parts, fmt.Sprintf("seed %d", o.Seed))
	if o.To != (OutcomeSize{}) {
		faults := "no fault"
		if o.To.Faults > 0 {
			faults = count(o.To.Faults, "fault")
		}
		shrunk := "shrunk to " + faults + ", " + count(int(o.To.Events), "event")
		if o.RanOut {
			shrunk += ", perhaps not the smallest"
		}
		parts = append(parts, shrunk)
	}
	if o.Stack != "" {
		parts = append(parts, o.Stack)
	}
	return strings.Join(parts, " · ")
}

// tested is what a test that holds rests on.
func (o *Outcome) tested() (lines []string) {
	hang := func(most int, head, text string) {
		if text != "" {
			lines = append(lines, atMost(most, hangWithin(failureWidth, headWidth, head, text))...)
		}
	}
	if o.Plans > 0 {
		hang(1, "plans", fmt.Sprintf("%d%s · %s, %d for a second time · %s", o.Plans, prefixed(" of search ", o.Searched), count(o.Runs, "run"), o.Twice, o.Stack))
	}
	hang(awaitLines, "awaits", o.Awaits.text())
	for _, a := range o.Accepted {
		if a.Met > 0 {
			hang(2, "accepted", fmt.Sprintf("%s until %s (%s), met by %s", a.Finding, a.Until, a.Issue, count(a.Met, "run")))
		}
	}
	return lines
}

// happened is the story in so many lines: the event's way through the code, and what is known of a run that ended
// outside the rules.
func (o *Outcome) happened(room int) []string {
	var lines []string
	if o.Site != "" && o.Kind != Broke {
		lines = append(lines, "  at "+o.Site)
	}
	if text := strings.Split(strings.TrimSpace(o.Detail), "\n"); o.Kind != Broke {
		lines = append(lines, indented(slices.DeleteFunc(text[1:], inBothRuns))...)
	}
	lines = append(lines, indented(o.Trace)...)
	f, told := o.subject()
	if told {
		lines = atMost(room/3, lines)
		return append(lines, layWay(newTeller(o.History, f).way(), room-len(lines))...)
	}
	for _, fault := range o.Faults {
		lines = append(lines, clip("  ✗ "+fault, failureWidth))
	}
	return atMost(room, lines)
}

// inBothRuns says whether a line of a comparison of two runs is the same in both: there are many.
func inBothRuns(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "both ") }

// indented sets lines in, and cuts what is too long.
func indented(lines []string) (out []string) {
	for _, line := range lines {
		out = append(out, clip("  "+line, failureWidth))
	}
	return out
}

// subject is what the story is about: the finding, or the event that was in work when the code panicked.
func (o *Outcome) subject() (history.Finding, bool) {
	switch {
	case o.History == nil:
		return history.Finding{}, false
	case o.Finding != nil:
		return *o.Finding, true
	}
	latest := map[string]string{} // event in work, by node
	for i := range o.History.Facts {
		fact := &o.History.Facts[i]
		if fact.Event != "" && (fact.Kind == history.KindCalled || fact.Kind == history.KindDelivered) {
			latest[fact.Node] = fact.Event
		}
		if fact.Kind == history.KindPanicked && latest[fact.Node] != "" {
			return history.Finding{Property: history.PropHarness, Event: latest[fact.Node], Evidence: []int64{fact.ID}}, true
		}
	}
	return history.Finding{}, false
}

// foot is what stands below the story.
func (o *Outcome) foot() (lines []string) {
	hang := func(most int, head, text string) {
		if text != "" {
			lines = append(lines, atMost(most, hangWithin(failureWidth, headWidth, head, text))...)
		}
	}
	if o.Finding != nil && o.Finding.Label != history.LabelUnexplained {
		hang(reasonLines, "why", reason(o.Finding.Label))
	}
	if o.Finding != nil { // for the options Accept and Expect
		hang(1, "finding", o.Fingerprint)
	}
	lines = append(lines, o.wouldHold()...)
	if o.Again != "" {
		lines = append(lines, pad("again", headWidth)+o.Again)
	}
	if o.Case != "" {
		lines = append(lines, pad("case", headWidth)+o.Case+o.caseNote())
	}
	hang(awaitLines, "awaits", o.Awaits.text())
	switch {
	case o.Expected:
		hang(expectedLines, "expected", "yes, so the test passes: "+o.Expects)
	case o.Expects != "" && o.Kind != Missed:
		hang(expectedLines, "expected", "no, but "+o.Expects)
	}
	for _, a := range o.Accepted {
		if a.Ended {
			hang(endedLines, "accepted", fmt.Sprintf("%s until %s (%s): that day is over", a.Finding, a.Until, a.Issue))
		}
	}
	return lines
}

// wouldHold has a line a remedy, the best first.
func (o *Outcome) wouldHold() (lines []string) {
	best := bestOfEach(o.Would)
	best = best[:min(len(best), wouldLines)]
	width, head := 0, "would hold"
	for _, r := range best {
		width = max(width, utf8.RuneCountInString(r.Name))
	}
	for _, r := range best {
		name := ""
		if r.Name != "" {
			name = pad(r.Name, width) + columnGap
		}
		lines, head = append(lines, clip(pad(head, headWidth)+name+r.Outcome, failureWidth)), ""
	}
	return lines
}

// bestOfEach has the first remedy of each layer before the rest: three variants of one store are one piece of advice.
func bestOfEach(would []Remedy) []Remedy {
	var first, rest []Remedy
	var layers []string
	for _, r := range would {
		layer := r.Name[:strings.IndexAny(r.Name+"(", "( ")]
		switch {
		case r.Name == AsItIs || r.Name == NoBetter:
		case slices.Contains(layers, layer):
			rest = append(rest, r)
		default:
			first, layers = append(first, r), append(layers, layer)
		}
	}
	return append(first, rest...)
}

func (o *Outcome) caseNote() string {
	if o.Saved {
		return "   saved: it runs first from now on"
	}
	return ""
}

// text says how many awaits a process died at, and which are left.
func (a Awaits) text() string {
	if len(a.Reached) == 0 {
		return ""
	}
	text := fmt.Sprintf("killed at %d of %d", len(a.Killed), len(a.Reached))
	if a.Least > 0 {
		text += fmt.Sprintf(", at least %d %% wanted", a.Least)
	}
	var spared []string
	for _, site := range a.Reached {
		if !slices.Contains(a.Killed, site) {
			spared = append(spared, site)
		}
	}
	return text + prefixed(" · not killed: ", strings.Join(shortSites(spared), ", "))
}

// atMost cuts text to n lines and says in the last that it was cut.
func atMost(n int, lines []string) []string {
	if len(lines) <= n {
		return lines
	}
	lines = slices.Clone(lines[:n])
	lines[n-1] = clip(lines[n-1], failureWidth-2) + " …"
	return lines
}

// layWay sets steps in columns: the line of the code, what it did, what came of it. The least needed go if there is no
// room for all.
func layWay(steps []pass, room int) []string {
	steps, left := fitting(merged(steps), room)
	full := make([]string, len(steps))
	for i := range steps {
		full[i] = steps[i].site
	}
	sites := shortSites(full)
	siteWidth, whatWidth := 0, 0
	for i, s := range steps {
		siteWidth = max(siteWidth, utf8.RuneCountInString(sites[i]))
		if s.then != "" {
			whatWidth = max(whatWidth, utf8.RuneCountInString(s.what))
		}
	}
	var lines []string
	for i, s := range steps {
		line := "  " + pad(sites[i], siteWidth) + columnGap + s.what
		if s.then != "" {
			line = "  " + pad(sites[i], siteWidth) + columnGap + pad(s.what, whatWidth) + columnGap + s.then
		}
		switch {
		case s.times > 1:
			line += fmt.Sprintf(" (%d times)", s.times)
		case s.again != "":
			line += ", " + s.again + " later"
		}
		if s.mark != "" {
			line += columnGap + "◀ " + s.mark
		}
		lines = append(lines, clip(line, failureWidth))
	}
	if left > 0 {
		lines = append(lines, "  "+pad("", siteWidth)+columnGap+fmt.Sprintf("… and %s more", count(left, "step")))
	}
	return lines
}

// merged tells once what happens again and again: the same call in a row, and a handler that begins anew and comes as far
// as it did before.
func merged(steps []pass) (out []pass) {
	round := -1 // where the latest try begins in out; -1 = nowhere
	for i := 0; i < len(steps); i++ {
		s := steps[i]
		s.times = 1
		if s.again != "" {
			try := tryOf(steps[i:])
			if round >= 0 && slices.EqualFunc(try[1:], out[round+1:], pass.same) {
				out[round].times++
				i += len(try) - 1
				continue
			}
			round = len(out)
		} else if n := len(out); n > 0 && s.site != "" && s.mark == "" && out[n-1].same(s) {
			out[n-1].times++
			continue
		}
		out = append(out, s)
	}
	return out
}

// tryOf is how far a handler comes that begins anew at the first step.
func tryOf(steps []pass) []pass {
	for i := 1; i < len(steps); i++ {
		if steps[i].site == "" {
			return steps[:i]
		}
	}
	return steps
}

// same says whether two steps read the same.
func (p pass) same(o pass) bool {
	return p.site == o.site && p.what == o.what && p.then == o.then && p.mark == o.mark
}

// fitting leaves out what is needed least until there is room, and room for saying so.
func fitting(steps []pass, room int) (kept []pass, left int) {
	if len(steps) <= room {
		return steps, 0
	}
	byNeed := slices.Clone(steps)
	slices.SortStableFunc(byNeed, func(a, b pass) int { return a.rank - b.rank })
	kept = byNeed[:max(room-1, 1)]
	slices.SortStableFunc(kept, func(a, b pass) int { return a.order - b.order })
	return kept, len(steps) - len(kept)
}

// shortSites are files and lines as people say them: the file's name, with as much of its package before it as tells it
// from others of that name.
func shortSites(sites []string) []string {
	short := make([]string, len(sites))
	for i, site := range sites {
		parts := 1
		for slices.ContainsFunc(sites, func(o string) bool { return clashes(site, o, parts) }) {
			parts++
		}
		short[i] = lastElements(site, parts)
	}
	return short
}

// clashes says whether two files look the same by their last parts.
func clashes(a, b string, parts int) bool {
	fileA, fileB := fileOf(a), fileOf(b)
	return fileA != fileB && lastElements(fileA, parts) == lastElements(fileB, parts)
}

func fileOf(site string) string {
	if colon := strings.LastIndexByte(site, ':'); colon >= 0 {
		return site[:colon]
	}
	return site
}

// lastElements are the last n elements of a path.
func lastElements(path string, n int) string {
	at := len(path)
	for range n {
		if at = strings.LastIndexByte(path[:at], '/'); at < 0 {
			return path
		}
	}
	return path[at+1:]
}
