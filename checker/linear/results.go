package linear

import (
	"cmp"
	"slices"
)

// none stands for an operation that is not there.
const none = -1

// violated names the broken rule and the operations that show it; those that are not there are left out.
func violated(because string, culprit int32, involved ...int32) Result {
	r := Result{Verdict: Violated, Culprit: int(culprit), Because: because}
	for _, i := range append(involved, culprit) {
		if i != none {
			r.Involved = append(r.Involved, int(i))
		}
	}
	slices.Sort(r.Involved)
	r.Involved = slices.Compact(r.Involved)
	return r
}

// undecided says which assumption of a special algorithm does not hold.
func undecided(because string) Result {
	return Result{Verdict: Unknown, Culprit: NoCulprit, Because: because}
}

// linearizable is the verdict of a special algorithm that found nothing: it is complete, and took no step of a search.
func linearizable() Result { return Result{Culprit: NoCulprit} }

// moment is when something of a number takes place.
type moment struct {
	at int64
	of int32
}

func sortMoments(list []moment) {
	slices.SortFunc(list, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
}

// distinct is how many values there are. They are numbered from 0 by the caller, which is why the algorithms need no map;
// a negative number is a bug of the caller.
func distinct[T any](ops []T, value func(*T) int32) int {
	n := int32(0)
	for i := range ops {
		v := value(&ops[i])
		if v < 0 {
			panic("linear: values are numbered from 0")
		}
		n = max(n, v+1)
	}
	return int(n)
}

// returnQueue is a binary heap: the operation that returns first comes first.
type returnQueue []moment

func (q *returnQueue) push(m moment) {
	h := append(*q, m)
	for i := len(h) - 1; i > 0 && h[i].at < h[(i-1)/2].at; i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
	*q = h
}

func (q *returnQueue) pop() moment {
	h := *q
	first, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].at < h[least].at {
				least = child
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	*q = h
	return first
}
