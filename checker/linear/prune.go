package linear

import "slices"

// prune leaves out pending operations that cannot matter: those that read, and those that are idle by what the object
// says of all its operations (see Object.Idle, and the proof at each). They cost most: each doubles what a search may have
// to look at, and overlaps everything after it.
func (o *Object) prune(operations []Operation) []entry {
	calls := make([]Known, len(operations))
	pending := false
	for i := range operations {
		calls[i] = Known{&operations[i].Action, !operations[i].Pending()}
		pending = pending || !calls[i].Known
	}
	idle := noneIdle
	if pending && o.Idle != nil {
		idle = o.Idle(calls)
	}
	kept := make([]entry, 0, len(operations))
	for i := range operations {
		op := &operations[i]
		if op.Pending() && (slices.Contains(o.Reads, op.F) || idle(&op.Action)) {
			continue
		}
		kept = append(kept, entry{Operation: op, number: i})
	}
	return kept
}
