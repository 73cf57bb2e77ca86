package scenarios

import (
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/twiceless/twiceless/model/stack"
)

// Schema is the JSON Schema of scenario files, for editors. It is made of the field table that the decoder uses; the
// copy beside the library is library/twiceless.schema.json.
func Schema() []byte {
	root := schemaOf(reflect.TypeFor[fileScenario](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Scenario of Twiceless"
	root["description"] = "What is simulated: a broker, a workload, a flow of stages, services, and the stacks compared."
	out, err := json.MarshalIndent(root, "", "  ") // sorts the keys
	if err != nil {
		panic("scenarios: schema: " + err.Error())
	}
	return append(out, '\n')
}

// schemaOf describes a type of the file structs whose field has the given tag.
func schemaOf(t reflect.Type, tag reflect.StructTag) map[string]any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var out map[string]any
	if s, ok := reflect.New(t).Interface().(scalar); ok {
		out = scalarSchema(s, tag)
	} else if t == reflect.TypeFor[Layer]() {
		out = layerSchema(stack.Layers())
	} else {
		switch t.Kind() {
		case reflect.Struct:
			out = recordSchema(t)
		case reflect.Map:
			out = map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), ""), "propertyNames": keySchema(tag.Get("keys"))}
			setLimit(out, "maxProperties", tag.Get("len"))
		default:
			items := reflect.StructTag("")
			if enum := tag.Get("enum"); enum != "" {
				items = reflect.StructTag(`enum:"` + enum + `"`)
			}
			out = map[string]any{"type": "array", "items": schemaOf(t.Elem(), items)}
			setLimit(out, "maxItems", tag.Get("len"))
		}
	}
	if doc := tag.Get("doc"); doc != "" {
		out["description"] = doc
	}
	return out
}

// recordSchema describes a struct.
func recordSchema(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	names, fields := fieldsOf(t)
	for i, f := range fields {
		properties[names[i]] = schemaOf(f.Type, f.Tag)
		if f.Tag.Get("need") != "" {
			required = append(required, names[i])
		}
	}
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// layerSchema describes an entry of a list of layers.
func layerSchema(kinds []stack.LayerKind) map[string]any {
	layers := map[string]any{}
	for _, k := range kinds {
		parameters := map[string]any{}
		for _, p := range k.Params {
			parameters[p.Name] = schemaOf(parameterType(p), parameterTag(p))
		}
		layers[k.Name] = map[string]any{"type": []string{"object", "null"}, "additionalProperties": false, "properties": parameters, "description": k.Doc}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": layers, "minProperties": 1, "maxProperties": 1}
}

// keySchema describes the names of a table.
func keySchema(keys string) map[string]any {
	switch keys {
	case "@ident":
		return scalarSchema(new(ident), "")
	case "@topic":
		return scalarSchema(new(dotted), "")
	}
	return map[string]any{"enum": namesOf(keys)}
}

// scalarSchema describes a scalar.
func scalarSchema(s scalar, tag reflect.StructTag) map[string]any {
	form := s.shape()
	out := map[string]any{"type": form.types}
	if len(form.types) == 1 {
		out["type"] = form.types[0]
	}
	if form.pattern != "" {
		out["pattern"] = form.pattern
	}
	if form.max > 0 {
		out["maxLength"] = form.max
	}
	if known := namesOf(tag.Get("enum")); known != nil {
		out["enum"] = known
	}
	if text := tag.Get("default"); text != "" {
		out["default"] = text
	}
	switch s.(type) {
	case *whole:
		setLimit(out, "minimum", tag.Get("min"))
		setLimit(out, "maximum", tag.Get("max"))
		setLimit(out, "default", tag.Get("default"))
	case *period: // a number needs a unit, unless it is 0
		out["minimum"], out["maximum"] = 0, 0
	case *cents:
		out["minimum"] = 0
	}
	return out
}

// setLimit adds a whole number, if there is one.
func setLimit(out map[string]any, key, text string) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		out[key] = i
	}
}
