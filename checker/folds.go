package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/twiceless/twiceless/sim/history"
)

// folds judges every value that an aggregation puts out, not only the last:
//
//	∀ output for key k after input offset o of partition p:
//	    value = fold of the values of k's records in p with offset ≤ o, in order of offsets
//
// The reference is folded here, from the records that the log took: a record that was read twice, or not at all, shows in the
// next output, also if a later error mends the sum. Of two records at one offset the later one counts: the log had lost
// the other. Assumes that a key's inputs lie in one partition, that input records bear their decimal value, and that all
// records of the input topic count: aborted ones must not bear a value. Where nothing but a count is put out records need no
// value, and all of them count.
//
//	sum, count   over no input: 0
//	min, max, last   over no input: no value, so that any output is wrong
//
// Cost: O(n log n) in the inputs; a binary search per output. Noted. Exercised: outputs. Undecided: a fold that is unknown,
// values that are no integers, or a sum beyond 64 bits. One note per output.
func folds() Checker {
	return overLedger(Checker{
		Name:       "folds",
		Doc:        "every value that an aggregation puts out is the fold of the inputs that it claims",
		Properties: []history.Property{history.PropWrongFold},
		Weight:     history.Noted,
	}, judgeFolds)
}

// input is one key's part of a partition.
type input struct{ partition, key string }

// foldOf is what a fold is over some inputs.
type foldOf struct {
	offset int64 // of the last input
	fact   int64 // that input
	value  int64
	ok     bool // it is known
}

// foldable says whether a fold is known, and what it makes of nothing.
func foldable(op string) (ofNothing foldOf, known bool) {
	switch op {
	case "sum", "count":
		return foldOf{offset: -1, ok: true}, true
	case "min", "max", "last":
		return foldOf{offset: -1}, true
	}
	return foldOf{}, false
}

func judgeFolds(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindFolded]) == 0 {
		return r
	}
	inputs := l.inputs()
	type reference struct {
		input
		op string
	}
	prefixes := map[reference][]foldOf{}
	for f := range l.kinds(history.KindFolded) {
		in := input{f.Resource, f.Key}
		of := reference{in, f.Op}
		if prefixes[of] == nil {
			prefixes[of] = l.prefixes(inputs[in], f.Op)
		}
		got, err := strconv.ParseInt(f.Value, 10, 64)
		want, ok := prefixAt(prefixes[of], f.Offset, f.Op)
		empty := want.offset < 0 && !want.ok
		if err != nil || !ok || !want.ok && !empty {
			r.Undecided[history.PropWrongFold]++
			continue
		}
		r.Exercised[history.PropWrongFold]++
		if empty || got != want.value {
			r.note(history.PropWrongFold, func() history.Finding { return l.miscounted(f, &want) })
		}
	}
	return r
}

// inputs are the records of the keys of partitions, ascending by offset, one at each.
func (l *ledger) inputs() map[input][]int64 {
	inputs := map[input][]int64{}
	valued := map[input]bool{}
	for f := range l.kinds(history.KindFolded) {
		in := input{f.Resource, f.Key}
		inputs[in] = nil
		valued[in] = valued[in] || f.Op != "count"
	}
	for f := range l.kinds(history.KindAppended) {
		if in := (input{f.Resource, f.Key}); (f.Value != "" || !valued[in]) && f.Offset >= 0 {
			if list, wanted := inputs[in]; wanted {
				inputs[in] = append(list, f.ID)
			}
		}
	}
	for _, in := range sortedInputs(inputs) {
		list := inputs[in]
		slices.SortStableFunc(list, func(a, b int64) int { return cmp.Compare(l.at(a).Offset, l.at(b).Offset) })
		kept := list[:0]
		for i, id := range list {
			if i+1 == len(list) || l.at(list[i+1]).Offset != l.at(id).Offset {
				kept = append(kept, id)
			}
		}
		inputs[in] = kept
	}
	return inputs
}

func sortedInputs(m map[input][]int64) []input {
	list := make([]input, 0, len(m))
	//det:unordered sorted below
	for in := range m {
		list = append(list, in)
	}
	slices.SortFunc(list, func(a, b input) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.key, b.key))
	})
	return list
}

// prefixes are the folds of all beginnings of a list of inputs.
func (l *ledger) prefixes(records []int64, op string) []foldOf {
	list := make([]foldOf, 0, len(records))
	now, known := foldable(op)
	for _, id := range records {
		f := l.at(id)
		v, err := strconv.ParseInt(f.Value, 10, 64)
		now = now.with(op, v, known && (err == nil || op == "count"))
		now.offset, now.fact = f.Offset, id
		list = append(list, now)
	}
	return list
}

// with takes one more value in.
func (f foldOf) with(op string, v int64, ok bool) foldOf {
	first := f.offset < 0
	f.ok = ok && (f.ok || first)
	switch {
	case op == "count":
		f.value++
	case op == "sum":
		sum := f.value + v // wraps around
		f.ok = f.ok && ((f.value < 0) != (v < 0) || (sum < 0) == (v < 0))
		f.value = sum
	case first || op == "last":
		f.value = v
	case op == "min":
		f.value = min(f.value, v)
	case op == "max":
		f.value = max(f.value, v)
	}
	return f
}

// prefixAt is the fold up to an offset; known is false for a fold that is not known.
func prefixAt(list []foldOf, offset int64, op string) (at foldOf, known bool) {
	i, found := slices.BinarySearchFunc(list, offset, func(f foldOf, o int64) int { return cmp.Compare(f.offset, o) })
	if !found {
		i--
	}
	if i < 0 {
		return foldable(op)
	}
	_, known = foldable(op)
	return list[i], known
}

func (l *ledger) miscounted(f *history.Fact, want *foldOf) history.Finding {
	var ev evidence
	ev.add(f.ID, want.fact)
	ev.causes(l, f.Cause)
	should := strconv.FormatInt(want.value, 10)
	if !want.ok {
		should = "nothing"
	}
	return history.Finding{Property: history.PropWrongFold, Event: f.Event, Stage: f.Stage, Label: history.LabelMiscounted, Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s: %s of key %q up to %s:%d is %s, the inputs give %s", f.Stage, f.Op, f.Key, f.Resource, f.Offset, f.Value, should)}
}
