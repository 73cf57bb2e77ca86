package reports

import (
	"strings"
	"unicode/utf8"
)

const (
	pageWidth     = 120
	columnGap     = "  "
	sentenceWidth = 11 // the least that the last column gets beside the columns
)

// line is one printed line of the grid: a name, what it counts, its entries and a piece of the last column.
type line struct {
	name, label string
	entries     []entry
	last        string
	whole       string // a line of text instead of entries, when the last column has no room
}

// text lays the table out for a terminal.
func (t *table) text() []string {
	lines := append(t.header(), "")
	if len(t.columns) == 0 || len(t.in.Stacks) == 0 {
		lines = append(lines, "nothing to compare: no stack or no fault kind")
	} else {
		lines = append(lines,
			"Damage by one fault: mean of the runs (worst run)",
			"extra = critical effects applied once too often · lost = intents that never took effect, ! without a trace",
			t.legend(), "")
		lines = append(lines, t.grid(t.damageLines, "")...)
		lines = append(lines, "", t.control())
		if notify := t.notifyLines(); len(notify) > 0 {
			lines = append(lines, "", "Extra notifications by one fault"+prefixed(": ", t.in.NotifyNote))
			lines = append(lines, t.grid(func(int) []line { return notify }, "notify")...)
		}
	}
	for _, s := range t.sheets() {
		lines = append(lines, s.text()...)
	}
	lines = append(lines, edgeLines(&t.in)...)
	for i, note := range t.notes() {
		if i == 0 {
			lines = append(lines, "")
		}
		lines = append(lines, hangAt(16, note.head, note.text)...)
	}
	return lines
}

// legend explains the marks that are used, and no others.
func (t *table) legend() string {
	var used [4]bool // ?, ·, n/a, °
	for _, s := range t.in.Stacks {
		for _, c := range t.under(s.Name) {
			switch extraEntry(c).mean {
			case "?":
				used[0] = true
			case "·":
				used[1] = true
			case "n/a":
				used[2] = true
			}
			used[3] = used[3] || c.outside() && c.Duplicates+c.Losses > 0
		}
	}
	parts := []string{"– none seen"}
	for i, text := range []string{"? its faults met no work in flight", "· not run", "n/a cannot happen", "° outside the stack's envelope"} {
		if used[i] {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "   ")
}

// damageLines are two lines a stack, and its sentence.
func (t *table) damageLines(width int) []line {
	var lines []line
	for _, s := range t.in.Stacks { // beside its two lines for every stack, or below them for every stack
		if len(wrap(t.sentence(s), width)) > 2 {
			width = 0
		}
	}
	for _, s := range t.in.Stacks {
		cells := t.under(s.Name)
		block := []line{
			{name: s.Name, label: "extra", entries: entries(cells, extraEntry)},
			{label: "lost", entries: entries(cells, lostEntry)},
		}
		lines = append(lines, withSentence(block, t.sentence(s), width)...)
	}
	return lines
}

// withSentence sets the sentence beside a block, or below it when there is no room.
func withSentence(block []line, sentence string, width int) []line {
	if width < sentenceWidth {
		none := make([]entry, len(block[0].entries))
		for _, text := range wrap("→ "+sentence, pageWidth/2) {
			block = append(block, line{entries: none, whole: text})
		}
		return block
	}
	for i, text := range wrap(sentence, width) {
		block[i].last = text
	}
	return block
}

// notifyLines are the stacks that repeated a notification.
func (t *table) notifyLines() []line {
	var lines []line
	for _, s := range t.in.Stacks {
		var sum int64
		cells := t.under(s.Name)
		for _, c := range cells {
			sum += c.DuplicatesByClass.Notify
		}
		if sum > 0 {
			lines = append(lines, line{name: s.Name, entries: entries(cells, notifyEntry)})
		}
	}
	return lines
}

// grid sets lines under the column titles, in as many panels as the page needs; the last column stands in the last panel.
// build is told how much room is left for it.
func (t *table) grid(build func(width int) []line, corner string) []string {
	lines := build(pageWidth) // for the widths of its entries alone
	left := 0
	for _, s := range t.in.Stacks {
		left = max(left, utf8.RuneCountInString(s.Name))
	}
	left = max(left, len(corner)) + len(columnGap) + len("extra")
	widths := t.widths(lines)
	var out []string
	for from := 0; from < len(t.columns); {
		to, used := from, left
		for to < len(t.columns) && (to == from || used+len(columnGap)+widths[to].total() <= pageWidth) {
			used += len(columnGap) + widths[to].total()
			to++
		}
		last := to == len(t.columns)
		if last {
			lines = build(pageWidth - used - len(columnGap))
		}
		if from > 0 {
			out = append(out, "")
		}
		out = append(out, t.panel(lines, widths, left, from, to, last)...)
		from = to
	}
	return out
}

// width of a column: means are set flush right, worst runs flush left beside them.
type width struct{ title, mean, worst int }

func (w width) numbers() int {
	if w.worst == 0 {
		return w.mean
	}
	return w.mean + 1 + w.worst
}

func (w width) total() int { return max(w.title, w.numbers()) }

func (t *table) widths(lines []line) []width {
	widths := make([]width, len(t.columns))
	for i, k := range t.columns {
		above, below := split(k.Title)
		widths[i].title = max(utf8.RuneCountInString(above), utf8.RuneCountInString(below))
		for _, l := range lines {
			widths[i].mean = max(widths[i].mean, utf8.RuneCountInString(l.entries[i].mean))
			widths[i].worst = max(widths[i].worst, utf8.RuneCountInString(l.entries[i].worst))
		}
	}
	return widths
}

func (t *table) panel(lines []line, widths []width, left, from, to int, last bool) []string {
	above, below := pad("", left), pad("", left)
	for i := from; i < to; i++ {
		a, b := split(t.columns[i].Title)
		above += columnGap + pad(a, widths[i].total())
		below += columnGap + pad(b, widths[i].total())
	}
	out := []string{above, below}
	for _, l := range lines {
		row := pad(pad(l.name, left-len(columnGap)-len("extra"))+columnGap+l.label, left)
		if !last && l.label == "" && l.name == "" {
			continue // it holds a piece of the sentence only
		}
		for i := from; i < to; i++ {
			e := l.entries[i]
			numbers := padLeft(e.mean, widths[i].mean) + " " + e.worst
			row += columnGap + pad(strings.TrimRight(numbers, " "), widths[i].total())
		}
		if l.whole != "" {
			row = pad("", left-len("extra")) + l.whole
		} else if last {
			row += columnGap + l.last
		}
		out = append(out, row)
	}
	return out
}

// split breaks a title into two lines at its first blank.
func split(title string) (above, below string) {
	above, below, _ = strings.Cut(title, " ")
	return above, below
}

func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}

func padLeft(s string, n int) string {
	return strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s))) + s
}

// wrap breaks text at blanks into lines of at most width runes; a longer word stands alone.
func wrap(text string, width int) []string { return fill(strings.Fields(text), " ", width) }

// fill joins parts into lines of at most width runes, as many parts a line as fit.
func fill(parts []string, sep string, width int) []string {
	var lines []string
	for i, p := range parts {
		if n := len(lines); i > 0 && utf8.RuneCountInString(lines[n-1]+sep+p) <= width {
			lines[n-1] += sep + p
			continue
		}
		lines = append(lines, p)
	}
	return lines
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
