package linear

import (
	"fmt"
	"slices"
)

// LogKind is what an operation on a log did.
type LogKind uint8

// The kinds.
const (
	LogAppend LogKind = iota
	LogRead           // all values, from the beginning
	LogTail           // how many there are
)

// NoRequired says that an append did not require a tail.
const NoRequired = -1

// LogOp is an operation on an append-only log that is empty at first. Values are numbered from 0, without large gaps.
// What was refused, or failed definitely for any other reason, is no operation: it changed nothing, and its not taking
// place says nothing of the log.
type LogOp struct {
	Span
	Kind     LogKind
	Value    int32   // of an append
	Tail     int64   // of an append that returned, how many values there were after it; of a LogTail how many there are
	Required int64   // of an append: it takes place only where there are so many values before it; negative = anywhere
	Values   []int32 // of a read that returned
}

// What a log's history can show.
const (
	logNoSuchTail  = "an append left fewer than one value in the log, or a tail was negative"
	logTooLong     = "there was more in the log than was ever appended"
	logRequired    = "an append took place where the tail was not the one that it required"
	logOneOffset   = "two appends were given one offset"
	logDisagree    = "two reads show different values at one offset"
	logMoved       = "a read shows another value where an append was acknowledged"
	logNeverAppend = "a read shows a value that was never appended"
	logElsewhere   = "a read shows a value at another offset than its append was given"
	logTwice       = "a read shows a value twice that was appended once"
	logHole        = "no append can have put a value at an offset below the tail by the time that later offsets were known"
	logOrder       = "an append was called after another had returned, and was given the lower offset"
	logFuture      = "a value was seen in the log before its append was called"
	logMissed      = "an answer knows nothing of an append that was acknowledged before it was asked for"
	logBack        = "an answer shows less of the log than one that was given before it was asked for"
	logAmbiguous   = "two appends of unknown outcome had one value, so which of the two a read shows is open"
)

// several stands for more than one operation.
const several = -2

// Log decides whether operations on an append-only log are linearizable. Offsets are the order: an append that left n
// values has offset n-1, and an answer of n values stands after offset n-1 and before offset n. So
//
//	no two appends have one offset, and one that required a tail has that for an offset
//	reads are prefixes of one list, which agrees with the offsets of acknowledged appends
//	no a stands before b in that order where b returned before a was called
//
// Assumes that no two appends of unknown outcome have one value, if a read shows it: else Unknown. Sorting apart linear
// in operations and in the values that were read. Complete, also for operations that never returned:
//
// Reads and tails of unknown outcome say nothing. An append of unknown outcome is where a read shows its value. Those
// that no read shows can be at offsets below the greatest tail that nothing else explains, and are left out beyond it:
// nothing stands there that could miss them. Such an offset can be filled by an append that was called before all that
// stands after the offset returned; an append of unknown outcome has no return that could forbid anything. That demand
// is the later the higher the offset, so the earliest call goes to the lowest offset: if any assignment will do, so will
// this one. One that required a tail is of use at that offset only, and so goes first there.
func Log(ops []LogOp) Result {
	l := &log{ops: ops, placed: make([]bool, len(ops)), longest: none}
	for _, rule := range []func() *Result{l.place, l.readAlike, l.reveal} {
		if bad := rule(); bad != nil {
			return *bad
		}
	}
	l.arrange()
	if bad := l.fill(); bad != nil {
		return *bad
	}
	return l.inOrder()
}

// log is a history by offsets.
type log struct {
	ops     []LogOp
	at      []int32 // appends by offset, none = nobody knows
	placed  []bool  // by operation: an append of unknown outcome that a read shows
	longest int32   // the longest read, none = nothing was read
	answers []int32 // reads and tails by how many values they show, then by call
	from    []int32 // where those of each number of values begin in answers
}

// shows is how many values an answer shows.
func (o *LogOp) shows() int64 {
	if o.Kind == LogRead {
		return int64(len(o.Values))
	}
	return o.Tail
}

// returned says that an operation returned.
func (o *LogOp) returned() bool { return o.Return != Never }

// misses says that an append required another tail than the one at an offset.
func (o *LogOp) misses(offset int64) bool { return o.Required >= 0 && o.Required != offset }

// place gives acknowledged appends their offsets.
func (l *log) place() *Result {
	appends, tail, top := int64(0), int64(0), int32(none)
	for i := range l.ops {
		o := &l.ops[i]
		if o.Kind == LogAppend {
			appends++
		}
		if !o.returned() {
			continue
		}
		if o.shows() < 0 || o.Kind == LogAppend && o.Tail < 1 {
			r := violated(logNoSuchTail, int32(i))
			return &r
		}
		if o.shows() > tail {
			tail, top = o.shows(), int32(i)
		}
		if o.Kind == LogRead && (l.longest == none || len(o.Values) > len(l.ops[l.longest].Values)) {
			l.longest = int32(i)
		}
	}
	if tail > appends {
		r := violated(logTooLong, top)
		return &r
	}
	l.at = slices.Repeat([]int32{none}, int(tail))
	for i := range l.ops {
		o := &l.ops[i]
		if o.Kind != LogAppend || !o.returned() {
			continue
		}
		offset := o.Tail - 1
		if o.misses(offset) {
			r := violated(logRequired, int32(i))
			return &r
		}
		if other := l.at[offset]; other != none {
			r := violated(logOneOffset, int32(i), other)
			return &r
		}
		l.at[offset] = int32(i)
	}
	return nil
}

// readAlike compares every read with the longest one.
func (l *log) readAlike() *Result {
	if l.longest == none {
		return nil
	}
	all := l.ops[l.longest].Values
	for i := range l.ops {
		o := &l.ops[i]
		if o.Kind == LogRead && o.returned() && !slices.Equal(o.Values, all[:len(o.Values)]) {
			r := violated(logDisagree+atOffset(firstDifference(o.Values, all)), int32(i), l.longest)
			return &r
		}
	}
	return nil
}

func firstDifference(a, b []int32) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	panic("linear: lists that differ are alike")
}

func atOffset(offset int) string { return fmt.Sprintf(" (offset %d)", offset) }

// reveal finds the appends of the values that were read.
func (l *log) reveal() *Result {
	if l.longest == none {
		return nil
	}
	shown := l.ops[l.longest].Values
	doubtful, acknowledged := l.byValue(shown)
	var open *Result
	for offset, value := range shown {
		if i := l.at[offset]; i != none {
			if l.ops[i].Value != value {
				r := violated(logMoved+atOffset(offset), l.longest, i)
				return &r
			}
			continue
		}
		i := doubtful[value]
		switch {
		case i == several:
			r := undecided(logAmbiguous)
			open = &r
			continue
		case i == none && acknowledged[value] != none:
			r := violated(logElsewhere+atOffset(offset), l.longest, acknowledged[value])
			return &r
		case i == none:
			r := violated(logNeverAppend+atOffset(offset), l.longest)
			return &r
		case l.placed[i]:
			r := violated(logTwice+atOffset(offset), l.longest, i)
			return &r
		case l.ops[i].misses(int64(offset)):
			r := violated(logRequired, l.longest, i)
			return &r
		}
		l.at[offset], l.placed[i] = i, true
	}
	return open
}

// byValue are the appends of each value that was read: of unknown outcome, and acknowledged ones.
func (l *log) byValue(shown []int32) (doubtful, acknowledged []int32) {
	n := int32(0)
	for _, v := range shown {
		n = max(n, v+1)
	}
	doubtful, acknowledged = slices.Repeat([]int32{none}, int(n)), slices.Repeat([]int32{none}, int(n))
	for i := range l.ops {
		o := &l.ops[i]
		switch {
		case o.Kind != LogAppend || o.Value >= n:
		case o.returned():
			acknowledged[o.Value] = int32(i)
		case doubtful[o.Value] != none:
			doubtful[o.Value] = several
		default:
			doubtful[o.Value] = int32(i)
		}
	}
	return doubtful, acknowledged
}

// arrange sorts the answers.
func (l *log) arrange() {
	l.from = make([]int32, len(l.at)+2)
	var calls []moment
	for i := range l.ops {
		if o := &l.ops[i]; o.Kind != LogAppend && o.returned() {
			l.from[o.shows()+1]++
			calls = append(calls, moment{o.Call, int32(i)})
		}
	}
	for n := 1; n < len(l.from); n++ {
		l.from[n] += l.from[n-1]
	}
	sortMoments(calls)
	l.answers = make([]int32, len(calls))
	next := slices.Clone(l.from)
	for _, m := range calls {
		n := l.ops[m.of].shows()
		l.answers[next[n]] = m.of
		next[n]++
	}
}

// showing are the answers of n values.
func (l *log) showing(n int) []int32 { return l.answers[l.from[n]:l.from[n+1]] }

// fill puts appends of unknown outcome at the offsets that nothing else explains.
func (l *log) fill() *Result {
	until, by := l.demands()
	if until == nil {
		return nil
	}
	spare, guarded := l.spare()
	for offset := range l.at {
		if l.at[offset] != none {
			continue
		}
		if i := guarded[offset]; i != none && l.ops[i].Call < until[offset] {
			l.at[offset] = i
			continue
		}
		if len(spare) == 0 || spare[0].at > until[offset] {
			r := violated(logHole+atOffset(offset), by[offset])
			return &r
		}
		l.at[offset], spare = spare[0].of, spare[1:]
	}
	return nil
}

// demands are, for each offset, the first return of what stands after it, and whose it is; nil if no offset is open.
func (l *log) demands() (until []int64, by []int32) {
	if !slices.Contains(l.at, none) {
		return nil, nil
	}
	until, by = make([]int64, len(l.at)), make([]int32, len(l.at))
	first, whose := int64(Never), int32(none)
	note := func(i int32) {
		if i != none && l.ops[i].Return < first {
			first, whose = l.ops[i].Return, i
		}
	}
	for offset := len(l.at) - 1; offset >= 0; offset-- {
		for _, i := range l.showing(offset + 1) {
			note(i)
		}
		until[offset], by[offset] = first, whose
		note(l.at[offset])
	}
	return until, by
}

// spare are the appends of unknown outcome that no read shows: those that may be anywhere, by call, and for each offset
// the first that requires it.
func (l *log) spare() (anywhere []moment, at []int32) {
	at = slices.Repeat([]int32{none}, len(l.at))
	for i := range l.ops {
		o := &l.ops[i]
		switch {
		case o.Kind != LogAppend || o.returned() || l.placed[i]:
		case o.Required < 0:
			anywhere = append(anywhere, moment{o.Call, int32(i)})
		case o.Required < int64(len(at)):
			if first := &at[o.Required]; *first == none || o.Call < l.ops[*first].Call {
				*first = int32(i)
			}
		}
	}
	sortMoments(anywhere)
	return anywhere, at
}

// inOrder walks the order with the latest call so far: nothing that stands later may have returned before it.
func (l *log) inOrder() Result {
	latest := int32(none)
	for n := range len(l.at) + 1 {
		if n > 0 {
			if bad := l.after(&latest, l.at[n-1]); bad != nil {
				return *bad
			}
		}
		for _, i := range l.showing(n) {
			if bad := l.after(&latest, i); bad != nil {
				return *bad
			}
		}
	}
	return linearizable()
}

func (l *log) after(latest *int32, i int32) *Result {
	switch {
	case *latest == none || l.ops[*latest].Call < l.ops[i].Call:
		*latest = i
	case l.ops[i].Before(l.ops[*latest].Span):
		r := l.misplaced(*latest, i)
		return &r
	}
	return nil
}

// misplaced says which rule is broken where i stands after a and returned before a was called.
func (l *log) misplaced(a, i int32) Result {
	switch first, second := l.ops[a].Kind == LogAppend, l.ops[i].Kind == LogAppend; {
	case first && second:
		return violated(logOrder, a, i)
	case first:
		return violated(logFuture, i, a)
	case second:
		return violated(logMissed, a, i)
	default:
		return violated(logBack, a, i)
	}
}
