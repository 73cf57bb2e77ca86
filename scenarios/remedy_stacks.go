package scenarios

import (
	"maps"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model/stack"
)

// variant is the case's scenario with one change to the stack.
type variant struct {
	change string // "" = none
	layer  string // kind of the layer that is added or changed
	added  bool
	beyond string // this change with less, which is enough if it holds; "" = none
	sc     *Scenario
}

// variants are the stack as it is, those with one layer more, and those with another value of one parameter, in the
// order of the table.
func (s *Scenario) variants(name string) []variant {
	out := []variant{{sc: s}}
	layers := s.stackNamed(name).Layers
	for _, kind := range stack.Layers() {
		if at := slices.Index(kindsOf(layers), kind.Name); at >= 0 {
			out = append(out, s.changed(name, at, kind)...)
			continue
		}
		out = append(out, s.additions(name, kind)...)
	}
	return out
}

// additions are the stacks with one layer more: with its defaults, then with each alternative of one parameter.
func (s *Scenario) additions(name string, kind stack.LayerKind) (out []variant) {
	var defaults map[string]string
	for _, p := range kind.Params {
		if p.Default != "" {
			defaults = with(defaults, p.Name, p.Default)
		}
	}
	add := func(params map[string]string, beyond string) {
		if sc, ok := s.withLayer(name, Layer{kind.Name, params}); ok {
			out = append(out, variant{added(kind, params), kind.Name, true, beyond, sc})
		}
	}
	add(defaults, "")
	for _, p := range kind.Params {
		for _, value := range alternatives(p, p.Default) {
			beyond := ""
			if p.Type != stack.OneOf {
				beyond = added(kind, defaults)
			}
			add(with(defaults, p.Name, value), beyond)
		}
	}
	return out
}

// alternatives are the values of a parameter worth trying in place of a present one: its default, the other words if
// it is one of several, and no limit if it is a duration that may be 0.
func alternatives(p stack.Param, present string) []string {
	values := []string{p.Default}
	switch {
	case p.Type == stack.OneOf:
		values = append(values, namesOf(p.Of)...)
	case p.Type == stack.Duration && p.Min == "0s":
		values = append(values, p.Min)
	}
	var out []string
	for _, v := range values {
		if v != "" && v != present && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// with is a copy of a map with one more entry.
func with(m map[string]string, name, value string) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	out[name] = value
	return out
}

// added names a layer with what is chosen about it: dedup-store(durable), idempotency-key(event+stage, keep: for ever).
func added(kind stack.LayerKind, with map[string]string) string {
	var chosen []string
	for _, p := range kind.Params {
		switch value := with[p.Name]; {
		case value == "":
		case p.Type == stack.OneOf || p.Type == stack.SomeOf:
			chosen = append(chosen, parameter(p, value))
		case value != p.Default:
			chosen = append(chosen, p.Name+": "+parameter(p, value))
		}
	}
	if chosen == nil {
		return kind.Name
	}
	return kind.Name + "(" + strings.Join(chosen, ", ") + ")"
}

// changed are the stacks in which one parameter of the layer at that place has an alternative value.
func (s *Scenario) changed(name string, at int, kind stack.LayerKind) (out []variant) {
	layer := s.stackNamed(name).Layers[at]
	for _, p := range kind.Params {
		present := layer.With[p.Name]
		for _, value := range alternatives(p, present) {
			sc := s.withLayers(name, func(layers []Layer) []Layer {
				layers[at].With = with(layer.With, p.Name, value)
				return layers
			})
			if len(checkScenario(sc)) == 0 {
				out = append(out, variant{kind.Name + " with " + p.Name + ": " + parameter(p, value), kind.Name, false, "", sc.settled(s)})
			}
		}
	}
	return out
}

// parameter is a value as people say it.
func parameter(p stack.Param, value string) string {
	if p.Type == stack.Duration && value == "0s" {
		return "for ever"
	}
	return strings.ReplaceAll(value, ",", "+")
}

// withLayer is the scenario with one more layer in a stack, where the scenario's checks let it stand: as far inside
// as they do, next to what it guards.
func (s *Scenario) withLayer(name string, layer Layer) (*Scenario, bool) {
	for at := len(s.stackNamed(name).Layers); at >= 0; at-- {
		sc := s.withLayers(name, func(layers []Layer) []Layer { return slices.Insert(layers, at, layer) })
		if len(checkScenario(sc)) == 0 {
			return sc.settled(s), true
		}
	}
	return nil, false
}

// withLayers is the scenario with other layers in a stack; edit is given a copy.
func (s *Scenario) withLayers(name string, edit func([]Layer) []Layer) *Scenario {
	sc := *s
	sc.Stacks = slices.Clone(s.Stacks)
	st := sc.stackNamed(name)
	st.Layers = edit(slices.Clone(st.Layers))
	return &sc
}

// settled gives the run the time that the longest chain of time-outs now takes, and no less than before.
func (s *Scenario) settled(before *Scenario) *Scenario {
	s.Phases.Chain = max(before.Phases.Chain, s.chain())
	s.Phases.Drain = max(before.Phases.Drain, s.drainFloor())
	return s
}
