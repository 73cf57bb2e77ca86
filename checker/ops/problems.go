package ops

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxProblems is how many problems of one file are told in full.
const maxProblems = 20

// Problems gathers what is wrong with a file. The zero value has none.
type Problems struct {
	list   []problem
	more   int
	beyond int  // the line of the first that is not listed
	unread bool // an event could not be read: others may seem to lack what it says
}

type problem struct {
	line int
	text string
}

// Add notes a problem of a line; field says where in it ("value[2]", "time"), "" = the line as a whole.
func (p *Problems) Add(line int, field, format string, args ...any) {
	if len(p.list) == maxProblems {
		if p.more++; p.more == 1 {
			p.beyond = line
		}
		return
	}
	text := fmt.Sprintf(format, args...)
	if field != "" {
		text = field + ": " + text
	}
	p.list = append(p.list, problem{line, oneLine(text)})
}

// oneLine writes control characters as escapes: a problem is one line, whatever the names in the file are.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Len is how many there are.
func (p *Problems) Len() int { return len(p.list) + p.more }

// Full says that further problems would only be counted: a reader may stop.
func (p *Problems) Full() bool { return p.more > 0 }

// Error lists them, a line each, "name:line: field: what is wrong", in the order of lines.
func (p *Problems) Error(name string) error {
	if p.Len() == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b problem) int { return a.line - b.line })
	var b strings.Builder
	for i, q := range p.list {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d: %s", name, q.line, q.text)
	}
	if p.more > 0 {
		fmt.Fprintf(&b, "\n%s:%d: there is more, from here on not listed", name, p.beyond)
	}
	return &BadHistory{b.String()}
}

// BadHistory is the error of a file that cannot be judged. Its text lists every problem.
type BadHistory struct{ text string }

func (e *BadHistory) Error() string { return e.text }
