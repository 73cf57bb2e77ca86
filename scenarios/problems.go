package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twiceless/twiceless/internal/words"
)

// maxProblems is the number of problems that an error prints; it counts the rest.
const maxProblems = 50

// Problem is one thing wrong with an input.
type Problem struct {
	File    string
	Line    int // from 1; 0 = unknown
	Col     int // from 1, in runes
	Path    string
	Message string
	Hint    string // printed in parentheses
	Excerpt string // the line, made printable; "" = none
	Caret   int    // column of the caret in Excerpt, from 0
	Width   int    // of the caret
}

// Error is the one line of the problem, without the excerpt.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(printable(p.Path) + ": ")
	}
	b.WriteString(printable(p.Message))
	if p.Hint != "" {
		b.WriteString(" (" + printable(p.Hint) + ")")
	}
	return b.String()
}

// Problems is everything wrong with an input, sorted by position.
type Problems []Problem

// Error prints the problems with their excerpts, at most 50 of them.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i == maxProblems {
			fmt.Fprintf(&b, "and %d more problems\n", len(ps)-i)
			break
		}
		b.WriteString(p.Error() + "\n")
		if p.Excerpt != "" {
			number := strconv.Itoa(p.Line)
			fmt.Fprintf(&b, "    %s | %s\n", number, p.Excerpt)
			fmt.Fprintf(&b, "    %*s | %s%s\n", len(number), "", strings.Repeat(" ", p.Caret), strings.Repeat("^", max(p.Width, 1)))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// sorted returns the problems by position and path, each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool { return a == b })
}

// orNil turns an empty list into the nil error.
func (ps Problems) orNil() error {
	if len(ps) == 0 {
		return nil
	}
	return ps.sorted()
}

// fileProblem is an error about a file as a whole.
func fileProblem(file, format string, args ...any) Problems {
	return Problems{{File: printable(file), Message: fmt.Sprintf(format, args...)}}
}

// Limits of an excerpt, in runes.
const (
	excerptWidth  = 96
	excerptBefore = 48
)

// excerpt fills in the line of the problem's position, cut to a window around it.
func (p *Problem) excerpt(lines []string, width int) {
	if p.Line < 1 || p.Line > len(lines) {
		return
	}
	line, at := lines[p.Line-1], max(p.Col-1, 0)
	from, before := 0, at
	if len(line) > excerptWidth && at > excerptBefore {
		from = skipRunes(line, at-excerptBefore)
		before = excerptBefore
	}
	to := from + skipRunes(line[from:], excerptWidth)
	text := printable(line[from:to])
	if strings.TrimSpace(text) == "" {
		return
	}
	runes := utf8.RuneCountInString(text)
	before = min(before, runes)
	p.Width = max(1, min(width, runes-before))
	if from > 0 {
		text, before = "…"+text, before+1
	}
	if to < len(line) {
		text += "…"
	}
	p.Excerpt, p.Caret = text, before
}

// skipRunes is the offset behind the first n runes.
func skipRunes(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// printable replaces what would disturb a terminal: tabs become a space, other unprintable runes a question mark.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// didYouMean is the hint for an unknown name: the known one that was meant, or "".
func didYouMean(name string, known []string) string {
	if best := words.Nearest(name, known); best != "" {
		return "did you mean " + best + "?"
	}
	return ""
}

// quote shortens and quotes a text of the input for a message.
func quoteShort(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return strconv.Quote(s)
}
