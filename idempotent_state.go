package twiceless

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const (
	maxStateWidth = 100 // runes of a state that is shown whole
	maxStateLines = 6   // parts of larger states that are shown where they differ
	maxStateDepth = 12  // of what points to what
)

// stateLines shows two states that differ: whole if they are small, otherwise the parts that differ.
func stateLines(first, second string, a, b any) []string {
	x, y := stateText(reflect.ValueOf(a), 0), stateText(reflect.ValueOf(b), 0)
	if width(x) <= maxStateWidth && width(y) <= maxStateWidth && x != y {
		return []string{"end state   " + first + "  " + x, "            " + second + "  " + y}
	}
	return stateParts(first, second, leavesOf(a), leavesOf(b))
}

func stateParts(first, second string, a, b map[string]string) []string {
	var paths []string
	for path, text := range a {
		if b[path] != text {
			paths = append(paths, path)
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	lines := []string{"end state"}
	for _, path := range paths[:min(len(paths), maxStateLines)] {
		lines = append(lines, fmt.Sprintf("  %s   %s %s   %s %s", path, first, orMissing(a, path), second, orMissing(b, path)))
	}
	switch more := len(paths) - maxStateLines; {
	case more > 0:
		lines = append(lines, fmt.Sprintf("  and %d parts more", more))
	case len(paths) == 0:
		lines = append(lines, "  prints the same, but differs to reflect.DeepEqual: in a type, a nil, a function or a time's location")
	}
	return lines
}

func orMissing(leaves map[string]string, path string) string {
	if text, ok := leaves[path]; ok {
		return brief(text)
	}
	return "none"
}

// stateText is a value in the style of JSON without its quotes around names; map keys are sorted.
func stateText(v reflect.Value, depth int) string {
	if depth > maxStateDepth {
		return "…"
	}
	switch v.Kind() {
	case reflect.Invalid:
		return "nil"
	case reflect.Pointer, reflect.Interface:
		return stateText(v.Elem(), depth+1)
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		var parts []string
		for _, p := range partsOf(v) {
			text := stateText(p.value, depth+1)
			if p.name != "" {
				text = p.name + ": " + text
			}
			parts = append(parts, text)
		}
		open, end := "{", "}"
		if v.Kind() == reflect.Slice || v.Kind() == reflect.Array {
			open, end = "[", "]"
		}
		return open + strings.Join(parts, ", ") + end
	default:
		return fmt.Sprint(v)
	}
}

// statePart is a field, an entry or (without a name) an element.
type statePart struct {
	name  string
	value reflect.Value
}

func partsOf(v reflect.Value) (parts []statePart) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			parts = append(parts, statePart{v.Type().Field(i).Name, v.Field(i)})
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			parts = append(parts, statePart{fmt.Sprint(entries.Key()), entries.Value()})
		}
		slices.SortFunc(parts, func(a, b statePart) int { return strings.Compare(a.name, b.name) })
	default:
		for i := range v.Len() {
			parts = append(parts, statePart{"", v.Index(i)})
		}
	}
	return parts
}

// leavesOf takes a state apart, down to what has no parts.
func leavesOf(state any) map[string]string {
	leaves := map[string]string{}
	var walk func(path string, v reflect.Value, depth int)
	walk = func(path string, v reflect.Value, depth int) {
		switch kind := v.Kind(); {
		case depth > maxStateDepth:
			leaves[path] = "…"
		case kind == reflect.Pointer || kind == reflect.Interface:
			walk(path, v.Elem(), depth+1)
		case (kind == reflect.Struct || kind == reflect.Map || kind == reflect.Slice || kind == reflect.Array) && len(partsOf(v)) > 0:
			for i, p := range partsOf(v) {
				if p.name == "" {
					walk(fmt.Sprintf("%s[%d]", path, i), p.value, depth+1)
				} else {
					walk(strings.TrimPrefix(path+"."+p.name, "."), p.value, depth+1)
				}
			}
		default:
			leaves[path] = stateText(v, depth)
		}
	}
	walk("", reflect.ValueOf(state), 0)
	return leaves
}
