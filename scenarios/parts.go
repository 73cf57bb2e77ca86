package scenarios

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/cost"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
)

// Part is a kind that scenario files, or cases, may name.
type Part struct {
	What string // engine, layer, downstream, store or planted bug
	Name string
	Doc  string
}

// Parts lists what stacks and their surroundings are made of, from the tables of the models.
func Parts() []Part {
	var parts []Part
	for _, k := range stack.Engines() {
		parts = append(parts, Part{"engine", k.Name, k.Doc})
	}
	for _, k := range stack.Layers() {
		parts = append(parts, Part{"layer", k.Name, k.Doc})
	}
	for _, k := range downstream.Kinds() {
		parts = append(parts, Part{"downstream", k.Name, k.Doc})
	}
	for _, k := range store.Kinds() {
		parts = append(parts, Part{"store", k.Name, k.Doc})
	}
	return parts
}

// CostProfiles lists what broker.costs may name, each with all of its figures, what they rest on and their sources.
func CostProfiles() []Part {
	var list []Part
	for _, p := range cost.Profiles() {
		doc := p.Why + ". In a world brokers are busy by it; clients and links are not. More: docs/costs.md"
		for _, f := range p.Figures() {
			doc += fmt.Sprintf("\n%s: %s (%s) %s", f.Name, strings.TrimSpace(fmt.Sprintf("%d %s", f.N, f.Unit)), f.Evidence, f.Source)
		}
		list = append(list, Part{"cost profile", p.Name, doc})
	}
	return list
}

// PlantedBugs lists the defects that a world can be built with, to show that the checkers would find them.
func PlantedBugs() []Part {
	var bugs []Part
	for _, k := range model.Bugs() {
		bugs = append(bugs, Part{"planted bug", k.Name, k.Doc})
	}
	return bugs
}

func namesOfBugs() []string {
	var names []string
	for _, k := range model.Bugs() {
		names = append(names, k.Name)
	}
	return names
}

// Defects lists the published defects that the brokers and clients of a scenario can have, to reproduce what was published.
func Defects() []Part {
	var list []Part
	for _, k := range model.DefectTable() {
		list = append(list, Part{"published defect", k.Name, k.Doc + "\n" + k.Source})
	}
	return list
}
