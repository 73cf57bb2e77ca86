package blackbox

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/checker/ops"
)

// setFullJudge judges a set by every read that is ok. An element is known from the first moment at which anybody can be
// sure of it: the return of its first add that is ok, or of the first read that shows it. Only a read called after that
// says something by missing the element (one that overlaps the add may have come before it). Let M be those, and S the
// reads that show the element:
//
//	lost         the last call in M is after every return in S: whoever looked last saw it gone
//	stable       some call in S is after every return in M: it came, perhaps late, to stay
//	stale        M is not empty and the element is not lost: it was known, and a read missed it
//	never-read   its add is ok, and M and S are empty: nobody looked
//	unexpected   a read shows an element of which no add was called before the read returned, but for failed ones
//	duplicated   a read shows an element twice
//
// An element that was missed is neither lost nor stable if the last reads that show and miss it overlap; then it is
// undecided whether it is lost. So is one that was never read.
//
// Assumes that nothing is ever removed. Stale fails under linearizable, and is told only under eventual. Cost:
// O(R log R + S + E × P) for R reads that show S elements in all, E elements and P processes; every read is kept.
// Exercised: elements that are lost or stable; a history without one is vacuous.
type setFullJudge struct {
	problems *ops.Problems
	promise  string
	values   valueNumbers
	adds     []setElement // by number of the element
	reads    []setRead    // in the report ascending by call
	byReturn []int32      // places of reads, the latest return first
	seenBy   []int32      // per read the number of the element that was last marked in it, plus one
	stable   []int64      // per stable element ns from when it was known to the last call of a read that missed it, else 0
	lost     []int64      // per lost element ns from when it was known to the last return of a read that showed it, else 0
	untimed  bool         // a time of these is not stated
}

func setFull() Model {
	return Model{
		Name:      "set-full",
		Doc:       "what was added is in every later read",
		Functions: setFunctions(),
		Promises:  []string{"eventual", linearizable},
		Anomalies: []AnomalyKind{
			{Name: "lost", Doc: "an element was known to be there, and the last read of it misses it"},
			{Name: "stale", Doc: "an element was known to be there, a read called later misses it, and it is not lost"},
			{Name: "never-read", Doc: "an element was acknowledged, and no read was called later: it is not known whether it is lost"},
			{Name: "unexpected", Doc: "a read shows an element that nobody had tried to add by then; failed adds do not count"},
			{Name: "duplicated", Doc: "a read shows an element twice"},
		},
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			return &setFullJudge{problems: p, promise: o.Promise, values: newValueNumbers()}
		},
	}
}

// linearizable is the promise that every read shows what was known when it was called.
const linearizable = "linearizable"

// Take keeps adds and reads.
func (j *setFullJudge) Take(o *ops.Operation) {
	if o.F == "add" {
		takeAdd(o, &j.values, &j.adds, j.problems)
	} else if read, ok := takeRead(o, &j.values, j.problems); ok {
		j.reads = append(j.reads, read)
	}
}

// Report classifies every element.
func (j *setFullJudge) Report() *ops.Report {
	r := &ops.Report{Numbers: map[string]int64{"reads": int64(len(j.reads)), "stable": 0, "stale-reads": 0, "stale-reads-max": 0}}
	j.adds = grown(j.adds, j.values.len())
	j.order()
	for v, shown := range j.showing(r) {
		e := &j.adds[v]
		count(r, "attempted", e.attempted)
		count(r, "acknowledged", e.acknowledged)
		if e.attempted {
			j.judge(r, int32(v), j.view(int32(v), shown))
		}
	}
	if r.Undecided > 0 {
		r.Why = append(r.Why, fmt.Sprintf("%d elements may be lost: no read was called after they were known, or the last reads that show and that miss them overlap", r.Undecided))
	}
	if r.Exercised == 0 {
		r.Why = append(r.Why, "no element was read after it was known")
	}
	if !j.untimed {
		percentiles(r, "stable-latency-ns", j.stable)
		percentiles(r, "lost-latency-ns", j.lost)
	}
	return r
}

// order sorts reads by call, and their places by return.
func (j *setFullJudge) order() {
	slices.SortFunc(j.reads, func(a, b setRead) int { return cmp.Compare(a.call, b.call) })
	j.seenBy = make([]int32, len(j.reads))
	for i := range j.reads {
		j.byReturn = append(j.byReturn, int32(i))
	}
	slices.SortFunc(j.byReturn, func(a, b int32) int { return cmp.Compare(j.reads[b].returned, j.reads[a].returned) })
}

// showing lists for each element the places of the reads that show it, ascending and each once, and finds what is wrong
// with reads by themselves. A read that shows an element from the future says nothing else of it.
func (j *setFullJudge) showing(r *ops.Report) [][]int32 {
	shown := make([][]int32, len(j.adds))
	times := make([]int32, len(j.adds))
	for i := range j.reads {
		read := &j.reads[i]
		for _, v := range read.shown {
			times[v]++
		}
		for _, v := range read.shown {
			n := times[v]
			times[v] = 0
			e := &j.adds[v]
			switch {
			case n == 0: // told already
			case !e.attempted || e.called > read.returned:
				foundUnexpected(r, e, read, j.values.value(v))
			default:
				shown[v] = append(shown[v], int32(i))
			}
			if n > 1 {
				foundDuplicated(r, read, j.values.value(v), n)
			}
		}
	}
	return shown
}

// setView is what the reads say of an element.
type setView struct {
	known        bool
	knownAt      int64    // position
	knownTime    int64    // ns
	shown        *setRead // the one that was called last; nil = none
	shownReturn  int64    // the latest return of one that shows it, -1 = none
	shownTime    int64    // and when that was, in ns
	missed       *setRead // the one that was called last, of those called after it was known; nil = none
	missedReturn int64    // the latest return of one of these
	misses       int64    // how many there are
}

// view gathers what the reads say of an element. Both walks end soon: the first steps back over reads that show it, the
// second also over those that overlap the moment at which it became known, of which there is one a process.
func (j *setFullJudge) view(v int32, shown []int32) setView {
	e := &j.adds[v]
	w := setView{known: e.acknowledged, knownAt: e.returned, knownTime: e.returnTime, shownReturn: -1}
	for _, i := range shown {
		read := &j.reads[i]
		j.seenBy[i] = v + 1
		if !w.known || read.returned < w.knownAt {
			w.known, w.knownAt, w.knownTime = true, read.returned, read.completeTime
		}
		if w.shown = read; read.returned > w.shownReturn {
			w.shownReturn, w.shownTime = read.returned, read.completeTime
		}
	}
	if !w.known {
		return w
	}
	after := firstAfter(j.reads, w.knownAt)
	w.misses = int64(len(j.reads) - after)
	for _, i := range shown {
		if int(i) >= after {
			w.misses--
		}
	}
	for i := len(j.reads) - 1; i >= after && w.missed == nil; i-- {
		if j.seenBy[i] != v+1 {
			w.missed = &j.reads[i]
		}
	}
	for _, i := range j.byReturn {
		if w.missed == nil || int(i) >= after && j.seenBy[i] != v+1 {
			w.missedReturn = j.reads[i].returned
			break
		}
	}
	return w
}

// firstAfter is the place of the first read that was called after a position.
func firstAfter(reads []setRead, at int64) int {
	i, _ := slices.BinarySearchFunc(reads, at, func(r setRead, at int64) int { return cmp.Compare(r.call, at) })
	return i
}

// judge decides what became of an element.
func (j *setFullJudge) judge(r *ops.Report, v int32, w setView) {
	lost := w.missed != nil && w.missed.call > w.shownReturn
	stable := w.shown != nil && (w.missed == nil || w.shown.call > w.missedReturn)
	switch {
	case lost:
		r.Exercised++
		j.foundLost(r, v, w)
	case stable:
		r.Exercised++
		r.Numbers["stable"]++
		j.timeStable(w)
	case w.known:
		r.Undecided++
	}
	if w.missed != nil && !lost {
		j.foundStale(r, v, w)
	}
	if w.known && w.missed == nil && w.shown == nil {
		r.Find("never-read", ops.SeverityInfo, func(a *ops.Anomaly) {
			a.Evidence = evidence(j.adds[v].add)
			a.Detail = fmt.Sprintf("%s was added and acknowledged, and no read was called later", j.values.value(v))
		})
	}
}

func (j *setFullJudge) foundLost(r *ops.Report, v int32, w setView) {
	until := w.knownTime
	if w.shown != nil {
		until = w.shownTime
	}
	j.lost = append(j.lost, j.between(w.knownTime, until))
	r.Find("lost", ops.SeverityFail, func(a *ops.Anomaly) {
		a.Evidence = evidence(j.adds[v].add, w.missed.trace)
		a.Detail = fmt.Sprintf("%s was added and acknowledged, and no later read shows it", j.values.value(v))
		if w.shown != nil {
			a.Evidence = evidence(j.adds[v].add, w.shown.trace, w.missed.trace)
			a.Detail = fmt.Sprintf("%s was shown, and the last read misses it", j.values.value(v))
		}
	})
}

func (j *setFullJudge) foundStale(r *ops.Report, v int32, w setView) {
	r.Numbers["stale-reads"] += w.misses
	r.Numbers["stale-reads-max"] = max(r.Numbers["stale-reads-max"], w.misses)
	severity := ops.SeverityInfo
	if j.promise == linearizable {
		severity = ops.SeverityFail
	}
	r.Find("stale", severity, func(a *ops.Anomaly) {
		a.Evidence = evidence(j.adds[v].add, w.missed.trace, w.shown.trace)
		a.Detail = fmt.Sprintf("%s was known to be there, and a read that was called later misses it; reads that miss it: %d", j.values.value(v), w.misses)
	})
}

func (j *setFullJudge) timeStable(w setView) {
	until := w.knownTime
	if w.missed != nil {
		until = w.missed.callTime
	}
	j.stable = append(j.stable, j.between(w.knownTime, until))
}

// between is how long it was from one time to another, 0 if that lies before.
func (j *setFullJudge) between(from, to int64) int64 {
	if from == ops.NoTime || to == ops.NoTime {
		j.untimed = true
		return 0
	}
	return max(0, to-from)
}

// percentiles are the nearest ranks of a list of times. None of an empty list.
func percentiles(r *ops.Report, name string, list []int64) {
	slices.Sort(list)
	for _, p := range []int{50, 95, 99, 100} {
		if n := len(list); n > 0 {
			r.Numbers[fmt.Sprintf("%s-p%d", name, p)] = list[(n*p+99)/100-1]
		}
	}
}
