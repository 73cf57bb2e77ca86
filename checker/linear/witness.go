package linear

import (
	"cmp"
	"fmt"
	"slices"
)

// Witnessed is an operation with the position at which whoever did it says that it took effect: Never if it did not.
type Witnessed struct {
	Operation
	Point int64
}

// Witness decides whether the order of the points explains a history of an object that is in its first state before:
//
//	every operation with a known answer has a point between its Call and its Return, a pending one has none before its
//	Call; and taken in the order of their points, each gives what it gave
//
// Points at one position are in the order given. Cost: O(n log n). A history that its witness explains is linearizable;
// one that it does not explain may still be, in another order: then who gave the points is wrong about them. Exercised by
// the answers that are known.
func (o *Object) Witness(operations []Witnessed) Result {
	var order []int
	for i := range operations {
		w := &operations[i]
		if problem := o.Problem(&w.Action, !w.Pending()); problem != "" {
			return Result{Verdict: Unknown, Culprit: NoCulprit, Because: problem}
		}
		if why := w.misplaced(); why != "" {
			return broken(i, nil, fmt.Sprintf("%s %s", o.Describe(&w.Action, !w.Pending()), why))
		}
		if w.Point != Never {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(operations[a].Point, operations[b].Point) })
	state := o.Init
	for n, i := range order {
		w := &operations[i]
		after, possible := o.Step(state, &w.Action, !w.Pending())
		if !possible {
			return broken(i, order[max(0, n-maxInvolved+1):n], fmt.Sprintf("%s, where its witness has it meet %s", o.Describe(&w.Action, true), o.Show(state)))
		}
		state = after
	}
	return Result{Steps: int64(len(order)), Culprit: NoCulprit}
}

// misplaced says why an operation cannot have taken effect at its point: "" = it can.
func (w *Witnessed) misplaced() string {
	switch {
	case w.Point == Never && !w.Pending():
		return "was answered, and is said never to have taken effect"
	case w.Point < w.Call:
		return "is said to have taken effect before it was asked for"
	case w.Point > w.Return:
		return "is said to have taken effect after it was answered"
	}
	return ""
}

func broken(culprit int, before []int, because string) Result {
	involved := append([]int{culprit}, before...)
	slices.Sort(involved)
	return Result{Verdict: Violated, Culprit: culprit, Involved: involved, Because: because}
}
