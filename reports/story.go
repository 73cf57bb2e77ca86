package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/twiceless/twiceless/sim/history"
)

// StoryOptions are the facts of a story's title and last line. Empty ones are taken from the history's header, or
// left out.
type StoryOptions struct {
	Stack  string
	Fault  string
	Seed   uint64   // 0 = the header's
	Shrunk string   // how far the case was shrunk
	Would  []Remedy // what would have stopped it
	Likely string   // how often it happens
	Amount string   // what it cost, for instance "customer charged 80.00 instead of 40.00"
	Again  string   // the command that shows it again
	Digest string
	Epoch  int // 0 = the header's
}

// storyLines is the most that a timeline takes: with title, cause and command a story stays below 30 lines.
const storyLines = 20

// causeWidth is the column of what stands beside "Why nothing stopped it".
const causeWidth = 25

// WriteStory tells one finding as people would: headline, timeline, why nothing stopped it, and how to see it again.
func WriteStory(w io.Writer, h *history.History, f history.Finding, opt StoryOptions) error {
	t := newTeller(h, f)
	lines := []string{t.headline(opt.Amount), strings.Join(title(h, opt), " · "), ""}
	lines = append(lines, t.timeline()...)
	lines = append(lines, "")
	lines = append(lines, hangAt(causeWidth, "Why nothing stopped it", reason(f.Label))...)
	lines = append(lines, would(opt.Would)...)
	if opt.Likely != "" {
		lines = append(lines, hangAt(causeWidth, "How likely", opt.Likely)...)
	}
	if again := againLine(h, opt); again != "" {
		lines = append(lines, "", again)
	}
	return writeLines(w, lines)
}

// Remedy is a change to the stack and what it would have done; without a name it is a remark.
type Remedy struct{ Name, Outcome string }

// Names of what stands among remedies and is none.
const (
	AsItIs   = "as it is"  // the stack without a change, for comparison
	NoBetter = "no better" // a list of changes that were tried
)

// would lists remedies beside their head. A remark stays on one line: it may be a command to paste.
func would(remedies []Remedy) (lines []string) {
	width := 0
	for _, r := range remedies {
		width = max(width, utf8.RuneCountInString(r.Name))
	}
	head := "What would"
	for _, r := range remedies {
		if r.Name == "" {
			lines = append(lines, pad(head, causeWidth)+r.Outcome)
		} else {
			lines = append(lines, hangAt(causeWidth+width+2, pad(head, causeWidth)+r.Name, r.Outcome)...)
		}
		head = ""
	}
	return lines
}

func title(h *history.History, opt StoryOptions) []string {
	parts := []string{cmp.Or(opt.Stack, h.Header.Stack)}
	if opt.Fault != "" {
		parts = append(parts, opt.Fault)
	}
	parts = append(parts, fmt.Sprintf("seed %d", cmp.Or(opt.Seed, h.Header.Seed)))
	if opt.Shrunk != "" {
		parts = append(parts, opt.Shrunk)
	}
	return parts
}

func againLine(h *history.History, opt StoryOptions) string {
	var parts []string
	if opt.Digest != "" {
		parts = append(parts, "digest "+opt.Digest)
	}
	if epoch := cmp.Or(opt.Epoch, h.Header.Epoch); epoch > 0 {
		parts = append(parts, fmt.Sprintf("epoch %d", epoch))
	}
	proof := strings.Join(parts, " · ")
	if opt.Again == "" {
		return proof
	}
	return "again   " + opt.Again + prefixed("        ", proof)
}

func reason(label history.Label) string {
	for _, l := range history.Labels() {
		if l.Name == label {
			return l.Doc
		}
	}
	return string(label)
}

// timeline lays the chosen moments out as lines.
func (t *teller) timeline() []string {
	moments, left := t.chosen()
	lines := layout(moments)
	if end := t.ending(); end != "" {
		lines = append(lines, "    at the end   "+end)
	}
	if left > 0 {
		lines = append(lines, "    "+leftOut(left))
	}
	return lines
}

func leftOut(facts int) string {
	return fmt.Sprintf("… and %s more, in the history", count(facts, "fact"))
}

func layout(moments []moment) []string {
	const told = 64 // a longer line pushes its own mark aside, not everyone's
	times := make([]string, len(moments))
	var timeWidth, whoWidth, whatWidth int
	for i, m := range moments {
		if m.sub == 0 {
			times[i] = clock(m.fact.Time)
		}
		timeWidth = max(timeWidth, len(times[i]))
		whoWidth = max(whoWidth, utf8.RuneCountInString(m.who))
		whatWidth = max(whatWidth, min(utf8.RuneCountInString(m.what), told))
	}
	lines := make([]string, len(moments))
	for i, m := range moments {
		edge := " "
		after := i+1 < len(moments) && moments[i+1].boxed
		switch {
		case m.boxed && after:
			edge = "│"
		case m.boxed:
			edge = "└"
		case after:
			edge = "┌"
		}
		lines[i] = "  " + edge + " " + padLeft(times[i], timeWidth) + columnGap + pad(m.who, whoWidth) + columnGap + m.what
		if m.mark != "" {
			gap := max(0, whatWidth-utf8.RuneCountInString(m.what))
			lines[i] += strings.Repeat(" ", gap) + columnGap + "◀ " + m.mark
		}
	}
	return lines
}

// clock shows a time in seconds to a tenth of a millisecond.
func clock(ns int64) string {
	return fmt.Sprintf("t=%d.%04ds", ns/1_000_000_000, ns%1_000_000_000/100_000)
}

// hangAt sets a head in a column of that width with its text beside it, within a page.
func hangAt(indent int, head, text string) []string { return hangWithin(pageWidth, indent, head, text) }

// hangWithin is hangAt within other bounds.
func hangWithin(within, indent int, head, text string) []string {
	lines := wrap(text, within-indent)
	for i := range lines {
		lines[i] = pad(head, indent) + lines[i]
		head = ""
	}
	return lines
}
