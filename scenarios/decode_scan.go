package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a scenario file, checked before the parser sees it.
const (
	maxFileBytes  = 1 << 20
	maxDepth      = 32
	maxNodes      = 20_000
	maxLines      = 5_000
	maxIndicators = 100_000 // characters that may begin a token
)

// source is an input text with its lines.
type source struct {
	file  string
	noun  string // what the text should be: a scenario
	lines []string
}

// problem makes a problem at a position.
func (s *source) problem(line, col, width int, path, message, hint string) Problem {
	p := Problem{File: s.file, Line: line, Col: col, Path: path, Message: message, Hint: hint}
	p.excerpt(s.lines, width)
	return p
}

func (s *source) one(line, col int, format string, args ...any) Problems {
	return Problems{s.problem(line, col, 1, "", fmt.Sprintf(format, args...), "")}
}

// parseYAML turns a file into a tree, or says why not. It bounds time and memory before the third-party parser runs.
func parseYAML(file, noun string, src []byte) (*source, *docNode, Problems) {
	s := &source{file: printable(file), noun: noun}
	if len(src) > maxFileBytes {
		return s, nil, fileProblem(file, "%d bytes; %s has at most %d", len(src), noun, maxFileBytes)
	}
	if ps := s.checkBytes(src); ps != nil {
		return s, nil, ps
	}
	body := strings.TrimPrefix(strings.ReplaceAll(string(src), "\r\n", "\n"), "\ufeff")
	s.lines = strings.Split(body, "\n")
	if ps := s.checkLines(); ps != nil {
		return s, nil, ps
	}
	tokens, err := tokenize(body)
	if err != nil {
		return s, nil, fileProblem(file, "%v", err)
	}
	if ps := s.checkTokens(tokens); ps != nil {
		return s, nil, ps
	}
	root, ps := s.parseTokens(tokens)
	return s, root, ps
}

// checkBytes refuses what is not text.
func (s *source) checkBytes(src []byte) Problems {
	line, col := 1, 1
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			return s.one(line, col, "byte %#02x is not UTF-8; is this a text file?", src[i])
		case r == '\r' && i+1 < len(src) && src[i+1] == '\n', r == '\t':
		case r == '\n':
			line, col = line+1, 0
		case r < ' ' || r == 0x7f:
			return s.one(line, col, "control character %#02x; is this a text file?", r)
		case r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\ufeff' && i > 0:
			return s.one(line, col, "character %U is not allowed", r)
		}
		i, col = i+size, col+1
	}
	return nil
}

// checkLines bounds the number of lines, the nesting of blocks and the number of tokens.
func (s *source) checkLines() Problems {
	if len(s.lines) > maxLines {
		return s.one(maxLines+1, 1, "more than %d lines", maxLines)
	}
	var columns []int
	indicators, blank := 0, true
	for i, line := range s.lines {
		starts := blockStarts(line)
		blank = blank && len(starts) == 0
		for _, col := range starts {
			for len(columns) > 0 && columns[len(columns)-1] >= col {
				columns = columns[:len(columns)-1]
			}
			if columns = append(columns, col); len(columns) > maxDepth {
				return s.one(i+1, col+1, "nested more than %d deep", maxDepth)
			}
		}
		for j := range len(line) {
			if strings.IndexByte("[]{},:-?&*!|>%#'\"", line[j]) >= 0 {
				indicators++
			}
		}
		if indicators > maxIndicators {
			return s.one(i+1, 1, "more than %d brackets, commas and colons", maxIndicators)
		}
	}
	if blank {
		return fileProblem(s.file, "empty; want %s", s.noun)
	}
	return nil
}

// blockStarts are the columns, from 0, at which a line may open a block: its first text, and what follows "- " and "? ".
func blockStarts(line string) []int {
	var out []int
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ' || c == '\t':
			continue
		case c == '#' && len(out) == 0:
			return nil
		case (c == '-' || c == '?' || c == ':') && (i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'):
			out = append(out, i)
		default:
			return append(out, i)
		}
	}
	return out
}

// tokenize and parseSafely turn a panic of the third-party code into an error.
func tokenize(body string) (tokens token.Tokens, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML scanner failed: %v", r)
		}
	}()
	return lexer.Tokenize(body), nil
}

func parseSafely(tokens token.Tokens) (f *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser failed: %v", r)
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// checkTokens refuses what a scenario never has, and bounds the depth of brackets.
func (s *source) checkTokens(tokens token.Tokens) Problems {
	var ps Problems
	depth, nodes := 0, 0
	for _, tk := range tokens {
		message := ""
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.AnchorType:
			message = "anchors (&) are not allowed; write the value out"
		case token.AliasType:
			message = "aliases (*) are not allowed; write the value out, or put a text in quotes"
		case token.MergeKeyType:
			message = "merge keys (<<) are not allowed; write the fields out"
		case token.TagType:
			message = "tags (!) are not allowed; put a text in quotes"
		case token.DirectiveType:
			message = "directives (%) are not allowed"
		case token.MappingKeyType:
			message = "keys after a question mark are not allowed"
		}
		if nodes++; message != "" && len(ps) < 2*maxProblems {
			ps = append(ps, s.problem(tk.Position.Line, tk.Position.Column, 1, "", message, ""))
		}
		if depth > maxDepth {
			return s.one(tk.Position.Line, tk.Position.Column, "nested more than %d deep", maxDepth)
		}
		if nodes > 4*maxNodes {
			return s.one(tk.Position.Line, tk.Position.Column, "more than %d values", maxNodes)
		}
	}
	return ps
}

// parseTokens runs the parser and turns its tree into ours.
func (s *source) parseTokens(tokens token.Tokens) (*docNode, Problems) {
	f, err := parseSafely(tokens)
	var located interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &located) && located.GetToken() != nil {
		at := located.GetToken().Position
		return nil, s.one(at.Line, at.Column, "%s", located.GetMessage())
	}
	if err != nil {
		return nil, fileProblem(s.file, "%v", err)
	}
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d != nil && d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		return nil, fileProblem(s.file, "empty; want %s", s.noun)
	case len(bodies) > 1:
		at := tokenOf(bodies[1]).Position
		return nil, s.one(at.Line, at.Column, "a second document; want %s alone", s.noun)
	}
	c := converter{source: s}
	root := c.convert(bodies[0], 0)
	return root, c.problems
}
