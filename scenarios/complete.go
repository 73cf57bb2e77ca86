package scenarios

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A case holds its scenario with nothing left to defaults, so that a later default cannot change what it runs. But a
// layer may gain a parameter, and a scenario a field, after the case was written. What a case does not say then has
// its default, as it would in a scenario file: forget takes it out of the tree that is resolved again, and fill takes
// its value from what that gives. What the case says is never touched, and what nobody knows is an error.

// forget takes out of a scenario in file form what its JSON, of that type, does not have. Fields that have another
// name in a file stay: they are made of several fields, or are the kinds of layers.
func forget(file, written *docNode, of reflect.Type) {
	switch of.Kind() {
	case reflect.Struct:
		names, types := jsonFields(of)
		file.fields = slices.DeleteFunc(file.fields, func(f docField) bool {
			i := slices.Index(names, f.key.text)
			if i < 0 {
				return false
			}
			value := written.field(f.key.text)
			if value != nil {
				forget(f.value, value, types[i])
			}
			return value == nil
		})
	case reflect.Map:
		for _, f := range file.fields {
			forget(f.value, written.field(f.key.text), of.Elem())
		}
	case reflect.Slice:
		for i := range file.items {
			forget(file.items[i], written.items[i], of.Elem())
		}
	}
}

// fill copies from a resolved value what the JSON of another one does not have, and returns the paths of what was
// missing there: an empty field that JSON leaves out is not.
func fill(v, resolved reflect.Value, written *docNode, path string) (missing []string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name == "-" || !v.Type().Field(i).IsExported() {
				continue
			}
			at, node := joinPath(path, name), written.field(name)
			switch {
			case node != nil:
				missing = append(missing, fill(v.Field(i), resolved.Field(i), node, at)...)
				continue
			case option != "omitempty" || !resolved.Field(i).IsZero():
				missing = append(missing, at)
			}
			v.Field(i).Set(resolved.Field(i))
		}
	case reflect.Map:
		return fillMap(v, resolved, written, path)
	case reflect.Slice:
		for i := range min(v.Len(), resolved.Len()) {
			missing = append(missing, fill(v.Index(i), resolved.Index(i), written.items[i], path+"["+strconv.Itoa(i)+"]")...)
		}
	}
	return missing
}

func fillMap(v, resolved reflect.Value, written *docNode, path string) (missing []string) {
	keys := map[string]reflect.Value{}
	//det:unordered into a map whose keys are sorted below
	for _, k := range resolved.MapKeys() {
		keys[k.String()] = k
	}
	if v.IsNil() && len(keys) > 0 {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, name := range SortedKeys(keys) {
		value, at := resolved.MapIndex(keys[name]), joinPath(path, name)
		if node := written.field(name); node != nil {
			own := reflect.New(v.Type().Elem()).Elem()
			own.Set(v.MapIndex(keys[name]))
			missing = append(missing, fill(own, value, node, at)...)
			value = own
		} else {
			missing = append(missing, at)
		}
		v.SetMapIndex(keys[name], value)
	}
	return missing
}
