package scenarios

import (
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
)

// Part is a kind that scenario files may name.
type Part struct {
	What string // engine, layer, downstream or store
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
