package faults

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twiceless/twiceless/sim/rng"
)

// ParseError is one thing that is wrong with one line of a plan.
type ParseError struct {
	Line   int // of the plan, from 1; 0 = a single line was read
	Column int // in characters, from 1
	Msg    string
	Hint   string // what to write instead; "" = nothing to say
}

// Error is one line: "line 2, column 4: unknown verb "kil"; did you mean kill?".
func (e *ParseError) Error() string {
	s := fmt.Sprintf("column %d: %s", e.Column, e.Msg)
	if e.Line > 0 {
		s = fmt.Sprintf("line %d, %s", e.Line, s)
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Problems are all that is wrong with a plan, in order of lines.
type Problems []*ParseError

// Error has one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, e := range p {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// word is a part of the line with the byte at which it starts.
type word struct {
	text  string
	start int
}

// skip is w without its first n bytes.
func (w word) skip(n int) word { return word{w.text[n:], w.start + n} }

// parser reads one line. After the first error it reads nothing more.
type parser struct {
	line  string
	words []word
	at    int
	err   error
}

// split finds the words: what stands between spaces.
func (p *parser) split() {
	start := -1
	for i := 0; i <= len(p.line); i++ {
		if i < len(p.line) && (p.line[i] < ' ' || p.line[i] == 0x7F) {
			p.fail(word{"", i}, "a tab, a line end or another control character", "words are separated by spaces")
		}
		if i == len(p.line) || p.line[i] == ' ' {
			if start >= 0 {
				p.words = append(p.words, word{p.line[start:i], start})
			}
			start = -1
		} else if start < 0 {
			start = i
		}
	}
}

// fail keeps the first error.
func (p *parser) fail(w word, msg, hint string) {
	if p.err == nil {
		p.err = &ParseError{Column: utf8.RuneCountInString(p.line[:w.start]) + 1, Msg: msg, Hint: hint}
	}
}

// peek looks at the next word.
func (p *parser) peek() (word, bool) {
	if p.err != nil || p.at >= len(p.words) {
		return word{"", len(p.line)}, false
	}
	return p.words[p.at], true
}

// next takes a word; a missing one is an error.
func (p *parser) next(what, hint string) (word, bool) {
	w, ok := p.peek()
	if !ok {
		p.fail(w, what+" is missing", hint)
		return w, false
	}
	p.at++
	return w, true
}

// duration takes a duration from lo to hi, ns; 0 is refused where a fault would do nothing.
func (p *parser) duration(lo, hi int64, example string) int64 {
	w, ok := p.next("a duration", "as in "+example)
	if !ok {
		return 0
	}
	ns, err := rng.ParseDuration(w.text)
	switch {
	case err != nil:
		p.fail(w, err.Error(), "as in "+example)
	case ns < lo || ns > hi || ns == 0 && lo != 0:
		hint := "from " + rng.FormatDuration(lo) + " to " + rng.FormatDuration(hi)
		if lo < 0 {
			hint += ", but not 0s"
		}
		p.fail(w, w.text+" is out of range", hint)
	default:
		return ns
	}
	return 0
}

// percent takes a percentage above 0, in parts per million.
func (p *parser) percent() int64 {
	w, ok := p.next("a percentage", "as in 10%")
	if !ok {
		return 0
	}
	r, err := rng.ParseRatio(w.text)
	switch {
	case err != nil:
		p.fail(w, err.Error(), "as in 10%")
	case !strings.HasSuffix(w.text, "%") || r.Num == 0 || r.Num*percentage%r.Den != 0:
		p.fail(w, w.text+" is no loss", "a percentage of at most 4 decimals above 0%, as in 10% or 0.25%")
	default:
		return int64(r.Num * percentage / r.Den)
	}
	return 0
}

// number reads a count from 1 to most.
func (p *parser) number(w word, most int) int {
	n, ok := digits(w.text, most)
	if !ok || n == 0 {
		p.fail(w, fmt.Sprintf("%q is no count", w.text), fmt.Sprintf("#1 is the first hit; at most #%d", most))
		return 0
	}
	return n
}

// digits reads a decimal number in its shortest form.
func digits(s string, most int) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != s || n > uint64(most) {
		return 0, false
	}
	return int(n), true
}

// splitList cuts at commas; starts are relative to s.
func splitList(s string) []word {
	var out []word
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == ',' {
			out = append(out, word{s[start:i], start})
			start = i + 1
		}
	}
	return out
}

// targets reads the targets of a verb.
func (p *parser) targets(v verb, t *Trigger) []string {
	list := p.list(v.target, t)
	if v.single && len(list) > 1 {
		p.fail(p.words[p.at-1].skip(len(list[0])), v.name+" takes one target", "write one line for each")
	}
	return list
}

// list reads names separated by commas.
func (p *parser) list(kind targetKind, t *Trigger) []string {
	w, ok := p.next("a target", "name a "+targetTable[kind])
	if !ok {
		return nil
	}
	var out []string
	for _, part := range splitList(w.text) {
		at := word{part.text, w.start + part.start}
		if part.text == "" {
			p.fail(at, "an empty name in a list", "names are separated by one comma and no space")
			return nil
		}
		if msg, hint := checkTarget(part.text, kind, t); msg != "" {
			p.fail(at, msg, hint)
			return nil
		}
		for _, before := range out {
			if before == part.text {
				p.fail(at, fmt.Sprintf("%s is named twice", part.text), "")
				return nil
			}
		}
		out = append(out, part.text)
	}
	return out
}

// checkTarget says what is wrong with one target, as far as its text shows.
func checkTarget(s string, kind targetKind, t *Trigger) (msg, hint string) {
	if strings.Contains(keywordSet, " "+s+" ") {
		return fmt.Sprintf("a target is missing before %q", s), "name a " + targetTable[kind]
	}
	if kind == targetMessage {
		if s != message {
			return fmt.Sprintf("%q cannot stand here", s), "the message at the hook is " + message
		}
		return "", ""
	}
	if s[0] != '$' {
		if !isName(s, "-_") {
			return fmt.Sprintf("%q is no name of a %s", s, targetTable[kind]), "letters, digits, - and _, as in consumer-2"
		}
		return "", ""
	}
	if kind != targetNodes {
		return fmt.Sprintf("%s cannot stand here", s), "name a " + targetTable[kind]
	}
	if s == "$caller" || s == "$node" {
		if t.Timed() {
			return fmt.Sprintf("%s needs a hook, and a time has none", s), "name the node, or begin with \"when\""
		}
		return "", ""
	}
	if _, _, ok := leaderOf(s); ok {
		return "", ""
	}
	return fmt.Sprintf("unknown target %q", s), "$caller, $node or $leader(orders/3)"
}

// leaderOf reads "$leader(orders/3)".
func leaderOf(s string) (topic string, partition int, ok bool) {
	body, isLeader := strings.CutPrefix(s, "$leader(")
	body, closed := strings.CutSuffix(body, ")")
	slash := strings.LastIndexByte(body, '/')
	if !isLeader || !closed || slash < 0 || !isName(body[:slash], "-_.") {
		return "", 0, false
	}
	n, ok := digits(body[slash+1:], 1<<20)
	return body[:slash], n, ok
}

// isName says whether s is a letter or digit followed by letters, digits and the others.
func isName(s, others string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && strings.IndexByte(others, c) >= 0:
		default:
			return false
		}
	}
	return true
}
