package blackbox

import (
	"math"

	"github.com/twiceless/twiceless/checker/ops"
)

// kafkaLag measures how far behind consumers stood. A position is expired from the first moment at which some
// completed operation had seen a later one; a poll called at t by a consumer that stands at p lags by
//
//	max(0, t − expired(p))
//
// in nanoseconds, a lower bound of the truth. It is measured of keys that a process assigned to itself, and only if the
// history states times. While a consumer stands still its lag grows, so the last poll before it moves has the greatest.
// Cost: linear.
type kafkaLag struct {
	j       *kafkaJudge
	expired []int64 // by position: since when a later one was known; math.MaxInt64 = none is
	begun   []int64 // by key: since when it was known to hold anything
	max     int64
}

func newKafkaLag(j *kafkaJudge) *kafkaLag {
	l := &kafkaLag{j: j, max: none64}
	timed := false
	known := make([]int64, len(j.log.at)-1)
	for p := range known {
		known[p] = math.MaxInt64
	}
	for i := range int32(len(j.ops)) {
		o := &j.ops[i]
		if o.completeTime == ops.NoTime {
			continue
		}
		timed = true
		l.note(known, o.completeTime, j.readsOf(i))
		if j.committed(i) {
			l.note(known, o.completeTime, j.sendsOf(i))
		}
	}
	if timed {
		l.expire(known)
	}
	return l
}

const none64 = int64(-1)

// note lowers the first moments at which positions were known.
func (l *kafkaLag) note(known []int64, at int64, records []int32) {
	for _, r := range records {
		if r == nextPoll {
			continue
		}
		if pos := l.j.records[r].pos; pos != none {
			known[pos] = min(known[pos], at)
		}
	}
}

// expire goes through each key from its end: a position is expired once any later one is known.
func (l *kafkaLag) expire(known []int64) {
	l.expired, l.begun = make([]int64, len(known)), make([]int64, len(l.j.keys))
	for k, of := range l.j.log.of {
		later := int64(math.MaxInt64)
		for pos := of[1] - 1; pos >= of[0]; pos-- {
			l.expired[pos] = later
			later = min(later, known[pos])
		}
		l.begun[k] = later
	}
}

// stood says that a consumer stood at a record of a key when it polled; none is before the first.
func (l *kafkaLag) stood(poll, key, record int32) {
	called := l.j.ops[poll].callTime
	if l.expired == nil || called == ops.NoTime {
		return
	}
	since := l.begun[key]
	if record != none {
		pos := l.j.records[record].pos
		if pos == none {
			return
		}
		since = l.expired[pos]
	}
	l.max = max(l.max, called-min(since, called))
}

func (l *kafkaLag) report() {
	if l.max != none64 {
		l.j.numbers["max-lag-ns"] = l.max
	}
}
