package scenarios

import (
	"slices"
	"strconv"
	"strings"
)

// issue is a problem of a resolved scenario, at a path of the file form.
type issue struct{ path, message, hint string }

// add reports each issue at the position of the longest part of its path that the input has, unless something has
// been said about this path before: then the issue may be a consequence.
func (d *fileDecoder) add(issues []issue) {
	before := d.problems
	for _, is := range issues {
		said := slices.ContainsFunc(before, func(p Problem) bool { return withinPath(p.Path, is.path) || withinPath(is.path, p.Path) })
		if !said {
			d.report(findNode(d.root, is.path), is.path, is.hint, "%s", is.message)
		}
	}
}

// withinPath reports whether path is outer or lies in it.
func withinPath(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[' || outer == "")
}

// joinPath appends a field's name to a path.
func joinPath(path, name string) string {
	name = quoteOdd(name)
	if path == "" {
		return name
	}
	return path + "." + name
}

// quoteOdd quotes what could be taken for several steps of a path.
func quoteOdd(name string) string {
	if name == "" || len(name) > maxName || strings.ContainsAny(name, ".[] \t\n\"") {
		return quoteShort(name)
	}
	return name
}

// lastName is the field's name at the end of a path.
func lastName(path string) string {
	p := pathPattern(path)
	return strings.TrimSuffix(p[strings.LastIndexByte(p, '.')+1:], "[]")
}

// pathPattern replaces indices by [] and the names of topics by *.
func pathPattern(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		b.WriteByte(path[i])
		if path[i] == '[' {
			for i+1 < len(path) && path[i+1] >= '0' && path[i+1] <= '9' {
				i++
			}
		}
	}
	out := b.String()
	const topics = "broker.topics."
	if rest, ok := strings.CutPrefix(out, topics); ok {
		if i := strings.LastIndexByte(rest, '.'); i >= 0 {
			return topics + "*" + rest[i:]
		}
	}
	return out
}

// findNode walks a path from the root as far as the input has it.
func findNode(root *docNode, path string) *docNode {
	n := root
	for path != "" {
		next, rest := stepPath(n, path)
		if next == nil {
			break
		}
		n, path = next, rest
	}
	return n
}

// stepPath takes the first step of a path, nil if the node has none.
func stepPath(n *docNode, path string) (*docNode, string) {
	path = strings.TrimPrefix(path, ".")
	if index, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]"); ok && path[0] == '[' {
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= len(n.items) {
			return nil, ""
		}
		return n.items[i], rest
	}
	for _, f := range n.fields {
		name := quoteOdd(f.key.text)
		if rest, ok := strings.CutPrefix(path, name); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return f.value, rest
		}
	}
	return nil, ""
}
