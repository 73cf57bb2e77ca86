package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// jsonReader builds a tree with positions from JSON. It bounds depth and size before anything is decoded.
type jsonReader struct {
	source  *source
	src     []byte
	decoder *json.Decoder
	offset  int // up to which line and col have been counted
	line    int
	col     int
	nodes   int
}

// Limits of a case file.
const (
	maxCaseBytes = 4 << 20
	maxCaseNodes = 400_000
)

// parseJSON turns one JSON value into a tree.
func parseJSON(file string, src []byte) (*source, *docNode, Problems) {
	s := &source{file: printable(file)}
	switch {
	case len(src) > maxCaseBytes:
		return s, nil, fileProblem(file, "%d bytes; a case has at most %d", len(src), maxCaseBytes)
	case len(bytes.TrimSpace(src)) == 0:
		return s, nil, fileProblem(file, "empty; want a case")
	}
	if ps := s.checkBytes(src); ps != nil {
		return s, nil, ps
	}
	s.lines = strings.Split(string(src), "\n")
	r := &jsonReader{source: s, src: src, line: 1, col: 1}
	if ps := r.checkDepth(); ps != nil {
		return s, nil, ps
	}
	if !json.Valid(src) {
		return s, nil, r.syntax()
	}
	r.decoder = json.NewDecoder(bytes.NewReader(src))
	r.decoder.UseNumber()
	root, ps := r.value()
	return s, root, ps
}

// syntax locates the first syntax error.
func (r *jsonReader) syntax() Problems {
	var v json.RawMessage
	err := json.Unmarshal(r.src, &v)
	var at *json.SyntaxError
	if !errors.As(err, &at) {
		return fileProblem(r.source.file, "not JSON: %v", err)
	}
	r.advance(int(max(at.Offset-1, 0)))
	return r.source.one(r.line, r.col, "not JSON: %v", err)
}

// checkDepth bounds the nesting of brackets outside of strings.
func (r *jsonReader) checkDepth() Problems {
	depth, inString := 0, false
	for i := 0; i < len(r.src); i++ {
		switch c := r.src[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				r.advance(i)
				return r.source.one(r.line, r.col, "nested more than %d deep", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// advance moves line and col to an offset that is not before the last one.
func (r *jsonReader) advance(offset int) {
	part := r.src[r.offset:max(r.offset, min(offset, len(r.src)))]
	r.offset += len(part)
	if n := bytes.Count(part, []byte{'\n'}); n > 0 {
		r.line, r.col = r.line+n, 1
		part = part[bytes.LastIndexByte(part, '\n')+1:]
	}
	r.col += utf8.RuneCount(part)
}

// token reads the next token and puts its position into a node.
func (r *jsonReader) token() (json.Token, *docNode, error) {
	before := int(r.decoder.InputOffset())
	for before < len(r.src) && strings.IndexByte(" \t\r\n,:", r.src[before]) >= 0 {
		before++
	}
	tk, err := r.decoder.Token()
	r.advance(before)
	width := utf8.RuneCount(r.src[before:max(before, int(r.decoder.InputOffset()))])
	return tk, &docNode{line: r.line, col: r.col, width: width}, err
}

func (r *jsonReader) value() (*docNode, Problems) {
	tk, n, err := r.token()
	if err != nil {
		return n, r.broken(err)
	}
	if r.nodes++; r.nodes > maxCaseNodes {
		return n, r.source.one(n.line, n.col, "more than %d values", maxCaseNodes)
	}
	switch tk := tk.(type) {
	case json.Delim:
		if tk == '[' {
			return r.array(n)
		}
		return r.object(n)
	case nil:
	case string:
		n.kind, n.text, n.quoted = scalarNode, tk, true
	case json.Number:
		n.kind, n.text = scalarNode, tk.String()
	default:
		n.kind, n.text = scalarNode, fmt.Sprint(tk)
	}
	return n, nil
}

func (r *jsonReader) broken(err error) Problems {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return r.source.one(r.line, r.col, "not JSON: %v", err)
}

func (r *jsonReader) array(n *docNode) (*docNode, Problems) {
	n.kind = listNode
	for r.decoder.More() {
		item, ps := r.value()
		if ps != nil {
			return n, ps
		}
		n.items = append(n.items, item)
	}
	_, _, err := r.token()
	if err != nil {
		return n, r.broken(err)
	}
	return n, nil
}

func (r *jsonReader) object(n *docNode) (*docNode, Problems) {
	n.kind = mapNode
	for r.decoder.More() {
		key, ps := r.value()
		if ps != nil {
			return n, ps
		}
		value, ps := r.value()
		if ps != nil {
			return n, ps
		}
		n.fields = append(n.fields, docField{key, value})
	}
	_, _, err := r.token()
	if err != nil {
		return n, r.broken(err)
	}
	return n, nil
}

// jsonFields lists the fields of a struct as JSON names them.
func jsonFields(t reflect.Type) (names []string, types []reflect.Type) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			names, types = append(names, name), append(types, t.Field(i).Type)
		}
	}
	return names, types
}

// strict reports fields that the type does not have, fields that occur twice, and maps and lists out of place, which
// encoding/json would let pass or name without a position.
func (d *fileDecoder) strict(n *docNode, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	wants := map[reflect.Kind]nodeKind{reflect.Struct: mapNode, reflect.Map: mapNode, reflect.Slice: listNode}
	want := scalarNode
	if k, ok := wants[t.Kind()]; ok {
		want = k
	}
	mayBeEmpty := want == listNode || t.Kind() == reflect.Map
	if n.kind != want && (n.kind != emptyNode || !mayBeEmpty) {
		d.report(n, path, "", "want %s, not %s", (&docNode{kind: want}).kindName(), n.what())
		return
	}
	names, types := []string(nil), []reflect.Type(nil)
	if t.Kind() == reflect.Struct {
		names, types = jsonFields(t)
	}
	seen := map[string]bool{}
	for _, f := range n.fields {
		at := joinPath(path, f.key.text)
		if seen[f.key.text] {
			d.report(f.key, at, "", "duplicate field")
		}
		seen[f.key.text] = true
		if t.Kind() == reflect.Map {
			d.strict(f.value, t.Elem(), at)
		} else if i := slices.Index(names, f.key.text); i >= 0 {
			d.strict(f.value, types[i], at)
		} else {
			d.report(f.key, at, didYouMean(f.key.text, names), "unknown field")
		}
	}
	for i, item := range n.items {
		d.strict(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
	}
}

// kindName names what a node of this kind is.
func (n *docNode) kindName() string {
	switch n.kind {
	case listNode:
		return "a list"
	case mapNode:
		return "a map with fields"
	}
	return "a text, a number or a truth value"
}
