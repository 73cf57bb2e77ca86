package reports

import (
	"io"
	"strings"
)

// WriteOutcomeMarkdown is WriteOutcome as the summary of a step of CI: at most 25 lines of Markdown under a heading. The
// story stands in a fence that nothing in it can end.
func WriteOutcomeMarkdown(w io.Writer, o *Outcome) error {
	const around = 5 // heading, the fence, empty lines
	lines := o.below(failureLines - around)
	fence := "```"
	for strings.Contains(strings.Join(lines, "\n"), fence) {
		fence += "`"
	}
	head := "### " + verbatim(o.Test) + prefixed(": ", verbatim(clip(o.Title(), 2*failureWidth)))
	if len(lines) == 0 {
		return writeLines(w, []string{head, ""})
	}
	out := append([]string{head, "", fence + "text"}, lines...)
	return writeLines(w, append(out, fence, ""))
}

// verbatim has Markdown and HTML show a text as it is, on one line.
func verbatim(text string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(text), " ") {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|~&$", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
