package reports

import "strings"

// markdown lays the table out for a pull request or a README.
func (t *table) markdown() []string {
	lines := []string{"**" + escape(t.in.Scenario) + "**: damage by one fault", ""}
	for _, l := range t.header() {
		lines = append(lines, escape(l)+"  ")
	}
	lines = append(lines, "", "Mean of the runs (worst run). Extra: critical effects applied once too often. Lost: intents that never took effect, `!` without a trace. "+t.legend(), "")
	head, rule := "| stack |", "|---|"
	for _, k := range t.columns {
		head += " " + escape(k.Title) + " |"
		rule += "---|"
	}
	lines = append(lines, head+" in a word |", rule+"---|")
	for _, s := range t.in.Stacks {
		row := "| `" + s.Name + "` |"
		for _, c := range t.under(s.Name) {
			row += " " + both(c) + " |"
		}
		lines = append(lines, row+" "+escape(t.sentence(s))+" |")
	}
	lines = append(lines, "", escape(t.control()))
	for _, l := range t.notifyLines() {
		row := "extra notifications, `" + l.name + "`:"
		for i, k := range t.columns {
			if l.entries[i].worst != "" {
				row += " " + escape(k.Title) + " " + flat(l.entries[i]) + ";"
			}
		}
		lines = append(lines, "", strings.TrimSuffix(row, ";"))
	}
	if t.in.NotifyNote != "" {
		lines = append(lines, "", escape(t.in.NotifyNote))
	}
	for _, s := range t.sheets() {
		lines = append(lines, s.markdown()...)
	}
	lines = append(lines, edgeMarkdown(&t.in)...)
	for _, n := range t.notes() {
		lines = append(lines, "", "**"+n.head+"** "+escape(n.text))
	}
	return lines
}

// both names what a cell has, one line each.
func both(c *cell) string {
	extra, lost := extraEntry(c), lostEntry(c)
	var parts []string
	if extra.worst != "" {
		parts = append(parts, flat(extra)+" extra")
	}
	if lost.worst != "" {
		parts = append(parts, flat(lost)+" lost")
	}
	if len(parts) == 0 {
		return extra.mean
	}
	return strings.Join(parts, "<br>")
}

func flat(e entry) string {
	if e.worst == "" {
		return e.mean
	}
	return e.mean + " " + e.worst
}

// escape keeps a text from being read as markup of a table.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}
