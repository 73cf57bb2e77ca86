package scenarios

import (
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// The kinds of node of an input.
type nodeKind uint8

const (
	emptyNode nodeKind = iota
	scalarNode
	listNode
	mapNode
)

// docNode is one value of an input, of a scenario file or a case file, with its position.
type docNode struct {
	kind      nodeKind
	line, col int // from 1; 0 = unknown
	width     int
	text      string // of a scalar, as written or without its quotes
	quoted    bool
	fields    []docField
	items     []*docNode
}

type docField struct {
	key   *docNode
	value *docNode
}

// what names the node in a message.
func (n *docNode) what() string {
	switch {
	case n.kind == listNode:
		return "a list"
	case n.kind == mapNode:
		return "a map"
	case n.kind == emptyNode:
		return "nothing"
	case n.quoted:
		return "the text " + quoteShort(n.text)
	}
	return quoteShort(n.text)
}

// field finds the value of a key, or nil.
func (n *docNode) field(key string) *docNode {
	for _, f := range n.fields {
		if f.key.text == key {
			return f.value
		}
	}
	return nil
}

// converter turns the parser's tree into ours.
type converter struct {
	source   *source
	nodes    int
	problems Problems
}

// tokenOf is the first token of a node; it is never nil.
func tokenOf(n ast.Node) *token.Token {
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return tk
	}
	return &token.Token{Position: &token.Position{}}
}

func (c *converter) convert(n ast.Node, depth int) *docNode {
	if n == nil {
		return &docNode{}
	}
	tk := tokenOf(n)
	out := &docNode{line: tk.Position.Line, col: tk.Position.Column, width: utf8.RuneCountInString(tk.Value)}
	if c.nodes++; c.nodes > maxNodes || depth > 2*maxDepth {
		if c.nodes <= maxNodes+1 {
			c.refuse(out, fmt.Sprintf("more than %d values, or nested more than %d deep", maxNodes, maxDepth))
		}
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.kind = mapNode
		c.fields(out, n.Values, depth)
	case *ast.MappingValueNode:
		out.kind = mapNode
		c.fields(out, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out.kind = listNode
		for _, v := range n.Values {
			out.items = append(out.items, c.convert(v, depth+1))
		}
	case *ast.LiteralNode:
		out.kind, out.quoted = scalarNode, true
		if n.Value != nil {
			out.text = n.Value.Value
		}
	case *ast.NullNode:
		out.width = 1
	case *ast.StringNode:
		out.kind, out.text = scalarNode, n.Value
		if out.quoted = tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType; out.quoted {
			out.width += 2
		}
	case ast.ScalarNode:
		out.kind, out.text = scalarNode, tk.Value
	default:
		c.refuse(out, fmt.Sprintf("a %s is not allowed here", n.Type().YAMLName()))
	}
	return out
}

func (c *converter) fields(out *docNode, values []*ast.MappingValueNode, depth int) {
	for i, v := range values {
		key := c.convert(v.Key, depth+1)
		if key.kind != scalarNode {
			c.refuse(key, "want a name before the colon, not "+key.what())
			continue
		}
		if i == 0 && key.line > 0 && (key.line < out.line || key.line == out.line && key.col < out.col) || out.line == 0 {
			out.line, out.col, out.width = key.line, key.col, key.width
		}
		out.fields = append(out.fields, docField{key, c.convert(v.Value, depth+1)})
	}
}

func (c *converter) refuse(n *docNode, message string) {
	c.problems = append(c.problems, c.source.problem(n.line, n.col, n.width, "", message, ""))
}
