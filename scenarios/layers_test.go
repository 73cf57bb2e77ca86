package scenarios

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/stack"
)

// throttle is a layer that no table has, with a parameter of every type. All that this package does with it, it does
// along its row.
func throttle() stack.LayerKind {
	return stack.LayerKind{
		Name: "throttle",
		Doc:  "lets few through",
		Params: []stack.Param{
			{Name: "every", Type: stack.Duration, Min: "1ms", Max: "1m", Default: "20ms", Doc: "Between two."},
			{Name: "burst", Type: stack.Count, Min: "1", Max: "5", Unit: "events", Default: "2", Doc: "At once."},
			{Name: "mode", Type: stack.OneOf, Of: "hard|soft", Default: "hard", Doc: "How strictly."},
			{Name: "classes", Type: stack.SomeOf, Of: "critical|state|notify", Doc: "Of which effects."},
			{Name: "spill", Type: stack.Topic, Doc: "Where the rest goes."},
		},
		Check: func(s *stack.Site, v stack.Values) {
			if v.Word("spill") == s.Source {
				s.Report("spill", "%s is the source", s.Source)
			}
			for _, outer := range s.Outside {
				s.Report("", "stands inside %s with a burst of %d", outer, v.Count("burst"))
			}
		},
	}
}

// decodeLayer reads one entry of a list of layers.
func decodeLayer(t *testing.T, src string, kind stack.LayerKind) (Layer, Problems) {
	t.Helper()
	source, root, ps := parseYAML("x.yaml", "a scenario", []byte(src))
	require.Empty(t, ps)
	return decodeTree(source, root, kind)
}

func decodeTree(source *source, root *docNode, kind stack.LayerKind) (l Layer, ps Problems) {
	d := &fileDecoder{source: source, root: root}
	d.layer(root, &l, "layers[0]", []stack.LayerKind{kind})
	return l, d.problems
}

func TestPlantedLayerDecodes(t *testing.T) {
	for src, want := range map[string]map[string]string{
		"throttle:":                              {"every": "20ms", "burst": "2", "mode": "hard"},
		"throttle: { every: 1000us, burst: 5 }":  {"every": "1ms", "burst": "5", "mode": "hard"},
		"throttle: { mode: soft, spill: a.b }":   {"every": "20ms", "burst": "2", "mode": "soft", "spill": "a.b"},
		"throttle: { classes: [state, notify] }": {"every": "20ms", "burst": "2", "mode": "hard", "classes": "state,notify"},
	} {
		got, ps := decodeLayer(t, src, throttle())
		require.Empty(t, ps, src)
		require.Equal(t, Layer{"throttle", want}, got, src)
	}
}

func TestPlantedLayerMessages(t *testing.T) {
	for src, want := range map[string]string{
		"throttel: {}":                                        "x.yaml:1:1: layers[0].throttel: unknown layer (did you mean throttle?)",
		"throttle: { evry: 1s }":                              "x.yaml:1:13: layers[0].throttle.evry: unknown field (did you mean every?)",
		"throttle: { every: 0s }":                             "x.yaml:1:20: layers[0].throttle.every: 0s; at least 1ms",
		"throttle: { every: 5 }":                              "x.yaml:1:20: layers[0].throttle.every: duration \"5\": unknown or missing unit \"\"; want ns, us, ms, s, m, h or d",
		"throttle: { burst: 6 }":                              "x.yaml:1:20: layers[0].throttle.burst: 6 events; at most 5",
		"throttle: { burst: 1, burst: 1 }":                    "x.yaml:1:23: layers[0].throttle.burst: duplicate field; the first is in line 1",
		"throttle: { mode: sof }":                             "x.yaml:1:19: layers[0].throttle.mode: unknown mode \"sof\" (did you mean soft?)",
		"throttle: { classes: [sate] }":                       "x.yaml:1:23: layers[0].throttle.classes[0]: unknown classes \"sate\" (did you mean state?)",
		"throttle: { classes: [state, state, state, state] }": "x.yaml:1:22: layers[0].throttle.classes: 4 entries; at most 3",
		"throttle: { spill: A }":                              "x.yaml:1:20: layers[0].throttle.spill: \"A\" is not a name: want lower-case letters, digits and single hyphens, beginning with a letter",
		"throttle: 5":                                         "x.yaml:1:11: layers[0].throttle: want a map with fields, not \"5\"",
		"{ throttle: {}, other: }":                            "x.yaml:1:17: layers[0].other: unknown layer (known: throttle)",
		"[]":                                                  "x.yaml:1:1: layers[0]: want a map with fields, not a list",
		"{}":                                                  "x.yaml:1:1: layers[0]: 0 kinds in one entry of the list; want one, such as { retry: {} }",
	} {
		_, ps := decodeLayer(t, src, throttle())
		require.NotEmpty(t, ps, src)
		require.Equal(t, want, ps[0].Error(), src)
	}
}

func TestPlantedLayerComesBackFromItsTree(t *testing.T) {
	l, _ := decodeLayer(t, "throttle: { every: 60s, burst: 3, classes: [notify, critical], spill: a.b }", throttle())
	require.Equal(t, "1m", l.With["every"])
	back, ps := decodeTree(&source{}, l.treeOf(throttle()), throttle())
	require.Empty(t, ps)
	require.Equal(t, l, back)
	l.With["other"] = "1"
	_, ps = decodeTree(&source{}, l.treeOf(throttle()), throttle())
	require.Len(t, ps, 1, "what the kind does not have is reported, not dropped")
}

func TestPlantedLayerChecksItself(t *testing.T) {
	l, _ := decodeLayer(t, "throttle: { spill: orders }", throttle())
	c := &crossChecks{s: &Scenario{Workload: Workload{Topic: "orders"}}}
	c.layer("stacks[0].layers[1].throttle", &Stack{Layers: []Layer{{Kind: "retry"}, l}}, 1, throttle())
	require.Equal(t, []issue{
		{path: "stacks[0].layers[1].throttle.spill", message: "orders is the source"},
		{path: "stacks[0].layers[1].throttle", message: "stands inside retry with a burst of 2"},
	}, c.issues)
}

func TestPlantedLayerIsInTheSchema(t *testing.T) {
	text, err := json.Marshal(layerSchema([]stack.LayerKind{throttle()}))
	require.NoError(t, err)
	require.JSONEq(t, `{"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1, "properties": {
		"throttle": {"type": ["object", "null"], "description": "lets few through", "additionalProperties": false, "properties": {
			"every": {"type": ["string", "integer"], "description": "Between two.", "default": "20ms", "minimum": 0, "maximum": 0,
				"maxLength": 64, "pattern": "^[0-9.]+[0-9.nuµμmshd]*$"},
			"burst": {"type": "integer", "description": "At once.", "default": 2, "minimum": 1, "maximum": 5},
			"mode": {"type": "string", "description": "How strictly.", "default": "hard", "enum": ["hard", "soft"]},
			"classes": {"type": "array", "description": "Of which effects.", "maxItems": 3,
				"items": {"type": "string", "enum": ["critical", "state", "notify"]}},
			"spill": {"type": "string", "description": "Where the rest goes.", "maxLength": 64,
				"pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*(\\.[a-z][a-z0-9]*(-[a-z0-9]+)*)*$"}
		}}}}`, string(text))
}

// A default that is not canonical would make a case differ from the file that it came from.
func TestLayerDefaultsAreCanonical(t *testing.T) {
	for _, k := range stack.Layers() {
		l := Layer{Kind: k.Name}
		for _, p := range k.Params {
			if p.Default != "" {
				if l.With == nil {
					l.With = map[string]string{}
				}
				l.With[p.Name] = p.Default
			}
		}
		back, ps := decodeTree(&source{}, l.tree(), k)
		require.Empty(t, ps, k.Name)
		require.Equal(t, l, back, "stated and left out are the same")
	}
}
