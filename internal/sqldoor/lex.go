package sqldoor

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError says where a statement leaves what the modelled database understands.
type SyntaxError struct {
	Line, Column int    // from 1, of the offending word; columns count characters
	Found        string // that word as it was written; "" = the end of the text
	Want         string // what is understood there
}

func (e *SyntaxError) Error() string {
	found := "the end"
	if e.Found != "" {
		found = fmt.Sprintf("%q", e.Found)
	}
	return fmt.Sprintf("sql %d:%d: the modelled database understands %s here, found %s", e.Line, e.Column, e.Want, found)
}

// SQLState is syntax_error: no retry helps.
func (e *SyntaxError) SQLState() string { return "42601" }

type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokWord             // a keyword or a name; text is in lower case, as unquoted names are in Postgres
	tokQuoted           // a name in "" or ``: never a keyword
	tokNumber
	tokText
	tokParam // $n or ?; text is "n" or ""
	tokSymbol
)

type token struct {
	kind     tokenKind
	text     string // of names and texts: without quotes, escapes resolved
	from, to int    // its place in the statement, in bytes
}

// A lexer cuts a text into tokens. A problem is noted once, as the token at which everything stops.
type lexer struct {
	src string
	at  int
}

// tokens lists all tokens of src; the last one is the end.
func tokens(src string) ([]token, error) {
	l := &lexer{src: src}
	var all []token
	for {
		if err := l.skipBlank(); err != nil {
			return nil, err
		}
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
		if t.kind == tokEnd {
			return all, nil
		}
	}
}

// skipBlank passes white space, comments of a line and comments in /* */, which nest as in Postgres.
func (l *lexer) skipBlank() error {
	for l.at < len(l.src) {
		switch rest := l.src[l.at:]; {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.at += end
		case strings.HasPrefix(rest, "/*"):
			end := commentEnd(rest)
			if end < 0 {
				return syntaxError(l.src, l.at, "/*", "a comment that ends with */")
			}
			l.at += end
		default:
			return nil
		}
	}
	return nil
}

// commentEnd is the length of the comment that s begins with, -1 if it has no end.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func (l *lexer) next() (token, error) {
	from := l.at
	if from == len(l.src) {
		return token{kind: tokEnd, from: from, to: from}, nil
	}
	r, size := utf8.DecodeRuneInString(l.src[from:])
	switch {
	case r == utf8.RuneError && size <= 1:
		return token{}, syntaxError(l.src, from, l.src[from:from+1], "UTF-8")
	case r == '_' || unicode.IsLetter(r):
		return l.take(tokWord, l.run(from, isNamePart), strings.ToLower), nil
	case isDigit(r):
		return l.number()
	case r == '\'':
		return l.quoted(tokText, '\'')
	case r == '"' || r == '`':
		return l.quoted(tokQuoted, byte(r))
	case r == '?':
		l.at++
		return token{kind: tokParam, from: from, to: l.at}, nil
	case r == '$':
		t := l.take(tokParam, l.run(from+1, isDigit), func(s string) string { return s[1:] })
		if t.text == "" {
			return token{}, syntaxError(l.src, from, "$", "placeholders $1, $2, …")
		}
		return t, nil
	}
	return l.symbol()
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }
func isNamePart(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// run is where the characters from from on end that are in.
func (l *lexer) run(from int, in func(rune) bool) int {
	if n := strings.IndexFunc(l.src[from:], func(r rune) bool { return !in(r) }); n >= 0 {
		return from + n
	}
	return len(l.src)
}

func (l *lexer) take(kind tokenKind, to int, text func(string) string) token {
	t := token{kind: kind, text: text(l.src[l.at:to]), from: l.at, to: to}
	l.at = to
	return t
}

// number takes 12 and 12.50. Exponents and 0x are no numbers here: the modelled database has no floats.
func (l *lexer) number() (token, error) {
	end := l.run(l.at, isDigit)
	if end+1 < len(l.src) && l.src[end] == '.' && isDigit(rune(l.src[end+1])) {
		end = l.run(end+1, isDigit)
	}
	if word := l.run(end, isNamePart); word > end {
		return token{}, syntaxError(l.src, l.at, l.src[l.at:word], "whole numbers and decimals such as 12.50")
	}
	return l.take(tokNumber, end, func(s string) string { return s }), nil
}

// quoted takes what stands in quotes; a doubled quote is one. A backslash is an ordinary character, as in the standard and
// in Postgres.
func (l *lexer) quoted(kind tokenKind, quote byte) (token, error) {
	from := l.at
	for end := from + 1; end < len(l.src); end++ {
		if l.src[end] != quote {
			continue
		}
		if end+1 < len(l.src) && l.src[end+1] == quote {
			end++
			continue
		}
		l.at = end + 1
		one := string(quote)
		text := strings.ReplaceAll(l.src[from+1:end], one+one, one)
		if !utf8.ValidString(text) {
			return token{}, syntaxError(l.src, from, one, "UTF-8")
		}
		if kind == tokQuoted && text == "" {
			return token{}, syntaxError(l.src, from, one+one, "names of at least one character")
		}
		return token{kind: kind, text: text, from: from, to: l.at}, nil
	}
	return token{}, syntaxError(l.src, from, string(quote), "quotes that are closed")
}

// symbols, the longer of two with one beginning first. :: is a cast, || joins texts.
var symbols = []string{"::", "||", "<>", "!=", "<=", ">=", "(", ")", ",", ";", ".", "=", "<", ">", "+", "-", "*", "/", "%"}

func (l *lexer) symbol() (token, error) {
	for _, s := range symbols {
		if strings.HasPrefix(l.src[l.at:], s) {
			return l.take(tokSymbol, l.at+len(s), func(s string) string { return s }), nil
		}
	}
	_, size := utf8.DecodeRuneInString(l.src[l.at:])
	return token{}, syntaxError(l.src, l.at, l.src[l.at:l.at+size], "names, numbers, 'texts', $1 or ?, and "+strings.Join(symbols, " "))
}

// syntaxError is about the place at in src.
func syntaxError(src string, at int, found, want string) *SyntaxError {
	before := src[:at]
	return &SyntaxError{
		Line:   1 + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]),
		Found:  found,
		Want:   want,
	}
}
