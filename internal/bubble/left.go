package bubble

import (
	"bytes"
	"runtime/pprof"
	"strconv"
	"strings"
)

// Left lists the goroutines of groups that still are: for each where it waits, in the code of whoever started it, and how
// many of them. wanted says by its label whether a group counts.
func Left(wanted func(label string) bool, hidden ...string) []string {
	var b bytes.Buffer
	if pprof.Lookup("goroutine").WriteTo(&b, 1) != nil {
		return nil
	}
	var out []string
	for _, part := range strings.Split(b.String(), "\n\n") {
		head, rest, _ := strings.Cut(part, "\n# labels: ")
		label, frames, labelled := strings.Cut(rest, "\n")
		if !labelled || !wanted(labelOf(label)) {
			continue
		}
		lines := strings.Split(head, "\n")
		count, _, _ := strings.Cut(lines[len(lines)-1], " ")
		out = append(out, count+" at "+innermost(frames, hidden))
	}
	return out
}

// labelOf reads the group's label of {"twiceless-group":"…"}.
func labelOf(labels string) string {
	_, value, _ := strings.Cut(labels, strconv.Quote(groupLabel)+":")
	quoted, err := strconv.QuotedPrefix(value)
	if err != nil {
		return ""
	}
	s, _ := strconv.Unquote(quoted)
	return s
}

// innermost is the first frame of a profile's stack that is neither of the standard library nor hidden: function and
// file:line.
func innermost(frames string, hidden []string) string {
	for line := range strings.Lines(frames) {
		fields := strings.Fields(line) // # 0x… function+0x… file:line
		if len(fields) < 4 {
			continue
		}
		function, _, _ := strings.Cut(fields[2], "+0x")
		if !standard(function) && !hasPrefix(function, hidden) {
			return fields[3][strings.LastIndexByte(fields[3], '/')+1:] + " (" + function + ")"
		}
	}
	return "an unknown place"
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
