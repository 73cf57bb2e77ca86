package reports

import (
	"strings"
	"unicode/utf8"
)

// sheet is a small table of texts below the damage table: rows are stacks.
type sheet struct {
	above string     // what it shows
	heads []string   // of the columns
	names []string   // of the rows
	rows  [][]string // as many texts as heads
	notes []note
}

// text lays a sheet out for a terminal, in as many panels as the page needs. Heads stand in two lines.
func (s *sheet) text() []string {
	lines := append([]string{""}, wrap(s.above, pageWidth)...)
	left := 0
	for _, n := range s.names {
		left = max(left, utf8.RuneCountInString(n))
	}
	widths := s.widths()
	for from := 0; from < len(s.heads) && len(s.rows) > 0; {
		to, used := from, left
		for to < len(s.heads) && (to == from || used+len(columnGap)+widths[to] <= pageWidth) {
			used += len(columnGap) + widths[to]
			to++
		}
		if from > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, s.panel(widths, left, from, to)...)
		from = to
	}
	for _, n := range s.notes {
		lines = append(lines, hangAt(16, n.head, n.text)...)
	}
	return lines
}

func (s *sheet) widths() []int {
	widths := make([]int, len(s.heads))
	for i, head := range s.heads {
		above, below := split(head)
		widths[i] = max(utf8.RuneCountInString(above), utf8.RuneCountInString(below))
		for _, row := range s.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	return widths
}

func (s *sheet) panel(widths []int, left, from, to int) []string {
	above, below := pad("", left), pad("", left)
	for i := from; i < to; i++ {
		a, b := split(s.heads[i])
		above += columnGap + pad(a, widths[i])
		below += columnGap + pad(b, widths[i])
	}
	lines := []string{above, below}
	for i, row := range s.rows {
		line := pad(s.names[i], left)
		for j := from; j < to; j++ {
			line += columnGap + pad(row[j], widths[j])
		}
		lines = append(lines, line)
	}
	return lines
}

// markdown lays a sheet out for a pull request or a README.
func (s *sheet) markdown() []string {
	lines := []string{"", escape(s.above)}
	if len(s.rows) > 0 {
		lines = append(lines, "", markdownRow("stack", s.heads), "|---|"+strings.Repeat("---|", len(s.heads)))
		for i, row := range s.rows {
			lines = append(lines, markdownRow("`"+s.names[i]+"`", row))
		}
	}
	for _, n := range s.notes {
		lines = append(lines, "", "**"+n.head+"** "+escape(n.text))
	}
	return lines
}

func markdownRow(name string, texts []string) string {
	row := "| " + name + " |"
	for _, text := range texts {
		row += " " + escape(text) + " |"
	}
	return row
}
