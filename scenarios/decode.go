package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model/stack"
)

// Decode reads a scenario file and resolves it. The error is of type Problems and lists all that is wrong.
func Decode(file string, src []byte) (*Scenario, error) {
	source, root, ps := parseYAML(file, "a scenario", src)
	if len(ps) > 0 {
		return nil, ps.sorted()
	}
	return decodeScenario(source, root)
}

// decodeScenario is Decode for a file that is parsed.
func decodeScenario(source *source, root *docNode) (*Scenario, error) {
	d := &fileDecoder{source: source, root: root}
	var f fileScenario
	d.decode(root, reflect.ValueOf(&f).Elem(), "", "")
	s := resolveFile(&f)
	d.add(checkBounds(&f))
	d.add(checkScenario(s))
	d.add(checkPolicy(s, &f))
	if err := d.problems.orNil(); err != nil {
		return nil, err
	}
	return s, nil
}

// fileDecoder walks a tree along a file struct and collects everything wrong, with its path.
type fileDecoder struct {
	source   *source
	root     *docNode
	problems Problems
}

// report adds a problem at a node.
func (d *fileDecoder) report(n *docNode, path, hint, format string, args ...any) {
	d.problems = append(d.problems, d.source.problem(n.line, n.col, n.width, path, fmt.Sprintf(format, args...), hint))
}

// decode stores a node into v, whose field has the given tag. path is that of the input, e.g. stacks[1].layers.
func (d *fileDecoder) decode(n *docNode, v reflect.Value, path string, tag reflect.StructTag) {
	if v.Kind() == reflect.Pointer {
		target := reflect.New(v.Type().Elem())
		before := len(d.problems)
		d.decode(n, target.Elem(), path, tag)
		if _, isScalar := target.Interface().(scalar); len(d.problems) == before || !isScalar {
			v.Set(target)
		}
		return
	}
	if s, ok := v.Addr().Interface().(scalar); ok {
		d.scalar(n, s, path, tag)
		return
	}
	if o, ok := v.Addr().Interface().(*overlay); ok {
		if o.node = n; n.kind != mapNode {
			d.noMap(n, path)
		}
		return
	}
	if l, ok := v.Addr().Interface().(*Layer); ok {
		d.layer(n, l, path, stack.Layers())
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.record(n, v, path)
	case reflect.Map:
		d.table(n, v, path, tag)
	case reflect.Slice:
		d.list(n, v, path, tag)
	}
}

func (d *fileDecoder) scalar(n *docNode, s scalar, path string, tag reflect.StructTag) {
	if n.kind != scalarNode {
		d.report(n, path, "", "want %s, not %s", s.shape().want, n.what())
		return
	}
	if err := s.set(n); err != nil {
		d.report(n, path, "", "%v", err)
		return
	}
	if known := namesOf(tag.Get("enum")); known != nil && !slices.Contains(known, n.text) {
		d.report(n, path, hintOr(n.text, known, "known: "+strings.Join(known, ", ")), "unknown %s %s", lastName(path), quoteShort(n.text))
		return
	}
	if b, ok := s.(bounded); ok {
		if message := outOfBounds(b, tag); message != "" {
			d.report(n, path, "", "%s", message)
		}
	}
}

// outOfBounds compares a value with the tags min and max.
func outOfBounds(b bounded, tag reflect.StructTag) string {
	unit := tag.Get("unit")
	if unit != "" {
		unit = " " + unit
	}
	if low, err := b.parse(tag.Get("min")); err == nil && b.value() < low {
		return b.show(b.value()) + unit + "; at least " + b.show(low)
	}
	if high, err := b.parse(tag.Get("max")); err == nil && b.value() > high {
		return b.show(b.value()) + unit + "; at most " + b.show(high)
	}
	return ""
}

// fieldsOf lists the fields of a file struct: name and index.
func fieldsOf(t reflect.Type) (names []string, fields []reflect.StructField) {
	for i := range t.NumField() {
		fields = append(fields, t.Field(i))
		names = append(names, t.Field(i).Tag.Get("f"))
	}
	return names, fields
}

// record decodes a map with fixed fields.
func (d *fileDecoder) record(n *docNode, v reflect.Value, path string) {
	if n.kind != mapNode {
		d.noMap(n, path)
		return
	}
	names, fields := fieldsOf(v.Type())
	d.fields(n, path, "field", names, func(i int, value *docNode, at string) {
		d.decode(value, v.Field(i), at, fields[i].Tag)
	})
	for i, f := range fields {
		if example := f.Tag.Get("need"); example != "" && n.field(names[i]) == nil {
			d.report(n, joinPath(path, names[i]), "", "missing; want for example %s", example)
		}
	}
}

func (d *fileDecoder) noMap(n *docNode, path string) {
	d.report(n, path, "", "want a map with fields, not %s", n.what())
}

// fields hands each field of a map to store, with its place in names, and reports those that are not what the map has.
func (d *fileDecoder) fields(n *docNode, path, what string, names []string, store func(i int, value *docNode, at string)) {
	seen := map[string]*docNode{}
	for _, f := range n.fields {
		key, at := f.key.text, joinPath(path, f.key.text)
		i := slices.Index(names, key)
		switch {
		case seen[key] != nil:
			d.report(f.key, at, "", "duplicate field; the first is in line %d", seen[key].line)
		case i >= 0:
			store(i, f.value, at)
		case laterField(pathPattern(at)) != "":
			d.report(f.key, at, "", "%s", laterField(pathPattern(at)))
		case f.value.kind == emptyNode && strings.Contains(key, ")") && !strings.Contains(key, "("):
			d.report(f.key, path, "", "%s is cut off at a comma: inside { } put the value in quotes", quoteShort(key))
		default:
			d.report(f.key, at, hintOr(key, names, "known: "+strings.Join(names, ", ")), "unknown %s", what)
		}
		seen[key] = f.key
	}
}

// hintOr is the hint for an unknown name, or a list of what is known.
func hintOr(name string, known []string, otherwise string) string {
	if hint := didYouMean(name, known); hint != "" {
		return hint
	}
	return otherwise
}

// table decodes a map whose keys are names.
func (d *fileDecoder) table(n *docNode, v reflect.Value, path string, tag reflect.StructTag) {
	if n.kind != mapNode {
		d.report(n, path, "", "want a map of names, not %s", n.what())
		return
	}
	if most, _ := strconv.Atoi(tag.Get("len")); len(n.fields) > most {
		d.report(n, path, "", "%d entries; at most %d", len(n.fields), most)
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	seen := map[string]*docNode{}
	for _, f := range n.fields {
		key, at := f.key.text, joinPath(path, f.key.text)
		if first := seen[key]; first != nil {
			d.report(f.key, at, "", "duplicate name; the first is in line %d", first.line)
			continue
		}
		seen[key] = f.key
		if !d.keyKnown(f.key, at, tag.Get("keys")) {
			continue
		}
		entry := reflect.New(v.Type().Elem()).Elem()
		d.decode(f.value, entry, at, tag)
		v.SetMapIndex(reflect.ValueOf(key), entry)
	}
}

// keyKnown checks the key of a table.
func (d *fileDecoder) keyKnown(key *docNode, path, keys string) bool {
	var err error
	switch keys {
	case "@ident":
		err = new(ident).set(key)
	case "@topic":
		err = new(dotted).set(key)
	default:
		if known := namesOf(keys); !slices.Contains(known, key.text) {
			d.report(key, path, hintOr(key.text, known, "known: "+strings.Join(known, ", ")), "unknown %s", strings.TrimPrefix(keys, "@"))
			return false
		}
	}
	if err != nil {
		d.report(key, path, "", "%v", err)
	}
	return err == nil
}

func (d *fileDecoder) list(n *docNode, v reflect.Value, path string, tag reflect.StructTag) {
	if n.kind != listNode {
		d.report(n, path, "", "want a list, not %s", n.what())
		return
	}
	if most, _ := strconv.Atoi(tag.Get("len")); len(n.items) > most {
		d.report(n, path, "", "%d entries; at most %d", len(n.items), most)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.decode(item, v.Index(i), path+"["+strconv.Itoa(i)+"]", tag)
	}
}
