package stack_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim/rng"
)

func TestTablesAreSorted(t *testing.T) {
	var engines, layers []string
	for _, k := range stack.Engines() {
		engines = append(engines, k.Name)
		e, ok := stack.EngineByName(k.Name)
		require.True(t, ok)
		require.Equal(t, k.Name, e.Name())
		require.NotEmpty(t, k.Doc)
	}
	for _, k := range stack.Layers() {
		layers = append(layers, k.Name)
		_, ok := stack.LayerByName(k.Name)
		require.True(t, ok)
		require.Equal(t, k.Name, k.New(k.Values(nil)).Name(), "a layer can be made of its defaults")
		require.NotEmpty(t, k.Doc)
	}
	require.True(t, slices.IsSorted(engines))
	require.True(t, slices.IsSorted(layers))
	_, ok := stack.EngineByName("exactly-once")
	require.False(t, ok)
	_, ok = stack.LayerByName("magic")
	require.False(t, ok)
}

func TestParameters(t *testing.T) {
	for _, k := range stack.Layers() {
		var names []string
		for _, p := range k.Params {
			require.NotContains(t, names, p.Name, k.Name)
			names = append(names, p.Name)
			require.NotEmpty(t, p.Doc, "%s.%s", k.Name, p.Name)
			if p.Default != "" {
				require.Empty(t, wrongDefault(p), "%s.%s", k.Name, p.Name)
			}
		}
	}
}

// wrongDefault says what is wrong with a default.
func wrongDefault(p stack.Param) string {
	switch p.Type {
	case stack.Duration:
		return outside(p, rng.ParseDuration)
	case stack.Count:
		return outside(p, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	case stack.OneOf, stack.SomeOf:
		for word := range strings.SplitSeq(p.Default, ",") {
			if !slices.Contains(wordsOf(p), word) {
				return word + " is not one of " + p.Of
			}
		}
	}
	return ""
}

func outside(p stack.Param, parse func(string) (int64, error)) string {
	v, err := parse(p.Default)
	if err != nil {
		return err.Error()
	}
	if low, err := parse(p.Min); p.Min != "" && (err != nil || v < low) {
		return "below " + p.Min
	}
	if high, err := parse(p.Max); p.Max != "" && (err != nil || v > high) {
		return "above " + p.Max
	}
	return ""
}

func wordsOf(p stack.Param) (words []string) {
	for word := range strings.SplitSeq(p.Of, "|") {
		if word != "@store" {
			words = append(words, word)
			continue
		}
		for _, k := range store.Kinds() {
			words = append(words, k.Name)
		}
	}
	return words
}

func sample() stack.LayerKind {
	return stack.LayerKind{Name: "sample", Params: []stack.Param{
		{Name: "wait", Type: stack.Duration, Default: "1m"},
		{Name: "tries", Type: stack.Count, Default: "8"},
		{Name: "mode", Type: stack.OneOf, Of: "hard|soft", Default: "hard"},
		{Name: "parts", Type: stack.SomeOf, Of: "a|b", Default: "a,b"},
		{Name: "topic", Type: stack.Topic},
	}}
}

func TestValues(t *testing.T) {
	v := sample().Values(nil)
	require.Equal(t, "1m", v.Duration("wait").String())
	require.Equal(t, 8, v.Count("tries"))
	require.Equal(t, "hard", v.Word("mode"))
	require.Equal(t, []string{"a", "b"}, v.Words("parts"))
	require.Empty(t, v.Word("topic"))
	for _, p := range sample().Params {
		require.False(t, v.Given(p.Name), p.Name)
	}

	v = sample().Values(map[string]string{"wait": "0s", "tries": "1", "mode": "hard", "parts": "", "topic": "x.dlq"})
	require.Zero(t, v.Duration("wait"))
	require.Equal(t, 1, v.Count("tries"))
	require.Empty(t, v.Words("parts"))
	require.Equal(t, "x.dlq", v.Word("topic"))
	require.False(t, v.Given("mode"), "the default, stated")
	for _, name := range []string{"wait", "tries", "parts", "topic"} {
		require.True(t, v.Given(name), name)
	}
}

func TestValuesRefuseWhatIsNotDeclared(t *testing.T) {
	v := sample().Values(map[string]string{"tries": "many", "other": "1"})
	require.PanicsWithValue(t, "stack: layer sample has no such parameter: other", func() { v.Count("other") })
	require.PanicsWithValue(t, "stack: layer sample has no such parameter: wait", func() { v.Count("wait") })
	require.Panics(t, func() { v.Given("other") })
	require.Panics(t, func() { v.Count("tries") })
	require.Panics(t, func() { v.Word("parts") })
	require.Panics(t, func() { v.Words("mode") })
	require.Panics(t, func() { v.Duration("topic") })
}

// Where the engine commits before it handles, nothing comes again: what works on repetitions says so.
func TestChecksKnowTheEngine(t *testing.T) {
	for _, name := range []string{"dead-letter", "dedup-store", "retry"} {
		after := stack.Site{Engine: "commit-after", Inside: []string{"retry"}, Source: "orders"}
		require.Empty(t, flaws(t, name, after, nil), name)
		before := after
		before.Engine = "commit-before"
		found := flaws(t, name, before, nil)
		require.Len(t, found, 1, name)
		require.Empty(t, found[0].Field)
		require.Contains(t, found[0].Message, "use engine: commit-after")
	}
}
