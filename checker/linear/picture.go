package linear

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"github.com/anishathalye/porcupine"
)

// A picture shows the whole history up to the violation if that is short, else the stretch in which it lies. It holds
// the longest orders that are possible, as many as it has room for.
const (
	maxPictured      = 200     // operations of a history that is shown from its beginning
	maxPicturedPiece = 2000    // operations of a stretch that is shown at all
	maxPicturedSteps = 20_000  // steps of all orders together
	pictureBudget    = 100_000 // steps of the search for them
)

// ErrNoPicture is returned where there is nothing to show: no violation was found, or it has too many operations.
var ErrNoPicture = errors.New("linear: no picture")

// Picture writes a page of HTML that shows the first violation of a history, with the orders that explain the longest
// parts of it. It repeats the search, with the same budget. The same history gives the same bytes.
func (o *Object) Picture(operations []Operation, budget int64, to io.Writer) error {
	s := search{object: o, budget: budget}
	all := o.ordered(o.prune(operations))
	if s.run(all).Verdict != Violated {
		return ErrNoPicture
	}
	shown := piece{o.Init, all}
	if before := shown.before(s.first.Return); len(before) > maxPictured {
		shown = *s.wrong
	}
	drawn := shown.before(s.first.Return)
	if len(drawn) > maxPicturedPiece {
		return ErrNoPicture
	}
	number(drawn)
	searching := search{object: o, budget: pictureBudget}
	_, info := porcupine.CheckOperationsVerbose(searching.model(shown.from, len(drawn)), drawn, 0)
	for i, orders := range info.PartialLinearizations() {
		info.PartialLinearizations()[i] = longest(orders)
	}
	return porcupine.Visualize(o.drawing(shown.from), info, to)
}

// longest are the longest orders that have room; porcupine gives them in no order.
func longest(orders [][]int) [][]int {
	slices.SortFunc(orders, func(a, b []int) int { return cmp.Or(cmp.Compare(len(b), len(a)), slices.Compare(a, b)) })
	steps := 0
	for i := range orders {
		if steps += len(orders[i]); steps > maxPicturedSteps && i > 0 {
			return orders[:i]
		}
	}
	return orders
}

// number gives each client its line, in the order of first calls.
func number(operations []porcupine.Operation) {
	lines := map[string]int{}
	for i := range operations {
		client := operations[i].Input.(*entry).Client
		if _, known := lines[client]; !known {
			lines[client] = len(lines)
		}
		operations[i].ClientId = lines[client]
	}
}

// drawing is the object without a budget: what was found to be possible is taken again.
func (o *Object) drawing(from State) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return from },
		Step: func(state, input, output any) (bool, any) {
			after, possible := o.Step(state, &input.(*entry).Action, output.(bool))
			return possible, after
		},
		DescribeOperation: func(input, output any) string { return o.Describe(&input.(*entry).Action, output.(bool)) },
		DescribeState:     func(state any) string { return o.Show(state) },
	}
}
