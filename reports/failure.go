package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
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
)

// WriteFailure tells a team what broke their test, in at most 25 lines of 100 columns: what happened, by which lines of
// their code (facts with a site; see history.Fact), where the fault fell, what was never reached, what would have held,
// and how to see it again. Without sites it tells the calls all the same. Of an outcome that is no failure it prints the
// headline.
func WriteFailure(w io.Writer, o *Outcome) error {
	lines := atMost(headlineLines, wrap(o.Title(), failureWidth))
	if o.Kind == Passed || o.Kind == PassedAccepted {
		return writeLines(w, lines)
	}
	lines = append(lines, clip(o.found(), failureWidth), "")
	foot := o.foot()
	lines = append(lines, o.happened(failureLines-len(lines)-len(foot)-1)...)
	return writeLines(w, append(append(lines, ""), foot...))
}

// Title is what the outcome is called where there is one line for it.
func (o *Outcome) Title() string {
	switch o.Kind {
	case Passed, PassedAccepted:
		return "held"
	case Broke:
		return o.broke()
	case Uncovered:
		return prefixedBy("too few awaits were put to the test", firstLine(o.Detail))
	}
	return prefixedBy(o.Kind.String(), firstLine(o.Detail))
}

// String is what a kind is called in one or two words.
func (k OutcomeKind) String() string {
	return [...]string{"passed", "passed, with accepted findings", "broken", "crashed", "hung", "not deterministic", "vacuous", "undecided", "uncovered"}[k]
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
	if o.To != (OutcomeSize{}) {
		shrunk := fmt.Sprintf("shrunk to %s, %s", count(o.To.Faults, "fault"), count(int(o.To.Events), "event"))
		if o.RanOut {
			shrunk += ", perhaps not the smallest"
		}
		parts = append(parts, shrunk)
	}
	if o.Stack != "" {
		parts = append(parts, o.Stack)
	}
	return strings.Join(append(parts, fmt.Sprintf("seed %d", o.Seed)), " · ")
}

// happened is the story in so many lines: the event's way through the code, or what is known of a run that had none.
func (o *Outcome) happened(room int) []string {
	if o.History != nil && o.Finding != nil {
		return layWay(newTeller(o.History, *o.Finding).way(), room)
	}
	var lines []string
	if o.Site != "" {
		lines = append(lines, "  at "+o.Site)
	}
	for _, text := range strings.Split(strings.TrimSpace(o.Detail), "\n")[1:] {
		lines = append(lines, "  "+text)
	}
	for _, frame := range o.Trace {
		lines = append(lines, "  "+frame)
	}
	for _, fault := range o.Faults {
		lines = append(lines, "  ✗ "+fault)
	}
	if len(lines) == 0 {
		lines = []string{"  no run of it is left to tell"}
	}
	for i := range lines {
		lines[i] = clip(lines[i], failureWidth)
	}
	return atMost(room, lines)
}

// foot is what stands below the story.
func (o *Outcome) foot() (lines []string) {
	hang := func(most int, head, text string) {
		if text != "" {
			lines = append(lines, atMost(most, hangWithin(failureWidth, headWidth, head, text))...)
		}
	}
	if o.Finding != nil {
		hang(reasonLines, "why", reason(o.Finding.Label))
	}
	lines = append(lines, atMost(wouldLines, remedyLines("would hold", headWidth, failureWidth, o.Would))...)
	if o.Again != "" {
		lines = append(lines, pad("again", headWidth)+o.Again)
	}
	if o.Case != "" {
		lines = append(lines, pad("case", headWidth)+o.Case+o.caseNote())
	}
	hang(awaitLines, "awaits", o.Awaits.text())
	for _, a := range o.Accepted {
		if a.Ended {
			hang(endedLines, "accepted", fmt.Sprintf("%s until %s (%s): that day is over", a.Finding, a.Until, a.Issue))
		}
	}
	return lines
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
		if s.times > 1 {
			line += fmt.Sprintf(" (%d times)", s.times)
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

// merged tells what happens again and again once.
func merged(steps []pass) (out []pass) {
	for _, s := range steps {
		if n := len(out); n > 0 && s.site != "" && out[n-1].site == s.site && out[n-1].what == s.what && out[n-1].then == s.then && s.mark == "" {
			out[n-1].times++
			continue
		}
		s.times = 1
		out = append(out, s)
	}
	return out
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
