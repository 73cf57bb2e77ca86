package stack

import (
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// ParamType is how a scenario file spells a parameter.
type ParamType uint8

// Duration is a time such as 250ms, Count a whole number, OneOf one word of a set, SomeOf a list of words of a set,
// Topic the name of a topic.
const (
	Duration ParamType = iota
	Count
	OneOf
	SomeOf
	Topic
)

// Param is one parameter of a layer. Scenario files are decoded, checked and described along these rows. All texts
// are canonical, as Values has them: 24h, 8, exponential, or "event,stage" for a list.
type Param struct {
	Name, Doc string
	Type      ParamType
	Default   string // "" = no value that is always the same; then Doc says what stands for it
	Min, Max  string // of a Duration or Count; "" = none
	Of        string // words of OneOf and SomeOf: "event|stage"; "@" and a table stands for its names: "cache|@store"
	Unit      string // what a Count counts; "" = nothing named
}

// Values are the parameters of one layer. To ask for one that its kind does not declare, or as another type, is a
// bug of the layer, as is a text that no check would have let pass: both panic.
type Values struct {
	kind LayerKind
	with map[string]string
}

// Values makes the parameters of a layer from their canonical texts; what is not there has its static default.
func (k LayerKind) Values(with map[string]string) Values { return Values{k, with} }

// Given reports whether the scenario says something else than the static default. A parameter without one has a
// value only then.
func (v Values) Given(name string) bool {
	p := v.param(name)
	return v.text(p) != p.Default
}

// Duration is a parameter of that type.
func (v Values) Duration(name string) sim.Duration {
	ns, err := rng.ParseDuration(v.text(v.param(name, Duration)))
	if err != nil {
		v.broken(name, err)
	}
	return sim.Duration(ns)
}

// Count is a parameter of that type.
func (v Values) Count(name string) int {
	n, err := strconv.Atoi(v.text(v.param(name, Count)))
	if err != nil {
		v.broken(name, err)
	}
	return n
}

// Word is a parameter of type OneOf or Topic; "" = it is not given and has no static default.
func (v Values) Word(name string) string { return v.text(v.param(name, OneOf, Topic)) }

// Words is a parameter of type SomeOf, in the order of the file; it may be empty.
func (v Values) Words(name string) []string {
	text := v.text(v.param(name, SomeOf))
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// param finds a row that has one of the types, or any if there are none.
func (v Values) param(name string, types ...ParamType) Param {
	for _, p := range v.kind.Params {
		if p.Name == name && (len(types) == 0 || slices.Contains(types, p.Type)) {
			return p
		}
	}
	panic("stack: layer " + v.kind.Name + " has no such parameter: " + name)
}

func (v Values) text(p Param) string {
	if text, has := v.with[p.Name]; has {
		return text
	}
	return p.Default
}

func (v Values) broken(name string, err error) {
	panic("stack: parameter " + name + " of layer " + v.kind.Name + ": " + err.Error())
}
