package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model/stack"
)

// Layers are not in the field table of scenario files: each declares its parameters itself, in stack.Layers, and the
// functions below make fields of them.

// layer decodes an entry of a list of layers: one kind with its parameters. It fills in the static defaults.
func (d *fileDecoder) layer(n *docNode, l *Layer, path string, kinds []stack.LayerKind) {
	if n.kind != mapNode {
		d.noMap(n, path)
		return
	}
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	d.fields(n, path, "layer", names, func(i int, value *docNode, at string) {
		*l = Layer{Kind: names[i], With: d.parameters(value, at, kinds[i].Params)}
	})
	if len(n.fields) != 1 {
		d.report(n, path, "", "%d kinds in one entry of the list; want one, such as { retry: {} }", len(n.fields))
	}
}

// parameters decodes those of one layer, which may be left empty, into canonical texts.
func (d *fileDecoder) parameters(n *docNode, path string, params []stack.Param) map[string]string {
	if n.kind != mapNode && n.kind != emptyNode {
		d.noMap(n, path)
		return nil
	}
	var names []string
	with := map[string]string{}
	for _, p := range params {
		names = append(names, p.Name)
		if p.Default != "" {
			with[p.Name] = p.Default
		}
	}
	d.fields(n, path, "field", names, func(i int, value *docNode, at string) {
		v, before := reflect.New(parameterType(params[i])).Elem(), len(d.problems)
		d.decode(value, v, at, parameterTag(params[i]))
		if len(d.problems) == before {
			with[names[i]] = canonicalText(v)
		}
	})
	if len(with) == 0 {
		return nil // as after a round trip through JSON
	}
	return with
}

// parameterType is the type of a file's field that holds the parameter.
func parameterType(p stack.Param) reflect.Type {
	switch p.Type {
	case stack.Duration:
		return reflect.TypeFor[period]()
	case stack.Count:
		return reflect.TypeFor[whole]()
	case stack.OneOf:
		return reflect.TypeFor[choice]()
	case stack.SomeOf:
		return reflect.TypeFor[[]choice]()
	case stack.Topic:
		return reflect.TypeFor[dotted]()
	}
	panic("scenarios: parameter " + p.Name + " has no type")
}

// parameterTag is the tag of that field. A list has each word at most once, so that their number bounds it.
func parameterTag(p stack.Param) reflect.StructTag {
	return reflect.StructTag(fmt.Sprintf(`min:%q max:%q enum:%q len:"%d" default:%q unit:%q doc:%q`,
		p.Min, p.Max, p.Of, len(namesOf(p.Of)), p.Default, p.Unit, p.Doc))
}

// canonicalText is the value of such a field as a Layer has it.
func canonicalText(v reflect.Value) string {
	switch v := v.Interface().(type) {
	case bounded:
		return v.show(v.value())
	case []choice:
		var words []string
		for _, w := range v {
			words = append(words, string(w))
		}
		return strings.Join(words, ",")
	}
	return v.String()
}

// tree is the layer in the form of a file.
func (l *Layer) tree() *docNode {
	kind, _ := stack.LayerByName(l.Kind)
	return l.treeOf(kind)
}

func (l *Layer) treeOf(kind stack.LayerKind) *docNode {
	n := &docNode{kind: mapNode}
	for _, name := range SortedKeys(l.With) {
		n.set(name, parameterTree(kind, l.With, name))
	}
	return new(docNode).set(l.Kind, n)
}

// parameterTree keeps what the kind does not declare, for the decoder to report.
func parameterTree(kind stack.LayerKind, with map[string]string, name string) *docNode {
	isList := slices.ContainsFunc(kind.Params, func(p stack.Param) bool { return p.Name == name && p.Type == stack.SomeOf })
	if !isList {
		return leaf(with[name])
	}
	return listOf(kind.Values(with).Words(name), func(word *string) *docNode { return leaf(*word) })
}
