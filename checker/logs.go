package checker

import (
	"cmp"
	"iter"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// The logs of a history, as their replicas state them: what each replica took, in order of offset, and what it no longer
// holds. A record is known by its origin, the fact by which the first replica took it, so that a copy is the same record.
//
// A log with one replica need not state truncations: a node that was stopped may find less on its disk, and gives the
// offsets out again. A replica that takes a record at an offset that it already holds, with neither a truncation nor a
// stop in between, has given one offset to two records; that is kept as a conflict.
//
// Cost: linear in the facts of records, a binary search per truncation. Built when the first checker asks.
type partitionLog struct {
	name      string
	replicas  []*replica
	leader    string // node of the last election; "" = none was stated
	unclean   int64  // the last election that may have lost what was committed
	conflicts []conflict
	disorder  bool // some record was not taken behind all others that its replica ever took
	high      tops // its high watermarks
}

// file reports what became of something that was stated before a fact. What an election discarded since that its operator let
// be unclean was their choice: it is noted, and breaks no guarantee.
func (p *partitionLog) file(r *Report, since int64, f history.Finding) {
	if p.unclean > since {
		r.note(f.Property, func() history.Finding { return f })
		return
	}
	r.find(f)
}

// replica is the log of one node. Records of a log have ascending offsets; gaps mean nothing.
type replica struct {
	node    string
	records []entry
	gone    []entry // cut off, in the order of the cuts
	touched int64   // the last fact by which it took or cut something
}

// entry is a record or a marker in a replica's log.
type entry struct {
	offset int64
	origin int64 // the fact appended or marked
	epoch  int64 // of the leader that took it; -1 = none
	by     int64 // of a record that is gone, the fact that took it away; else the fact by which this replica took it
}

// conflict is one offset given to two records.
type conflict struct{ held, taken entry }

// logs are the logs in order of their first fact.
func (l *ledger) logs() []*partitionLog {
	if l.logList == nil {
		b := logBuilder{l: l, byName: map[string]*partitionLog{}}
		for f := range l.kinds(history.KindAppended, history.KindReplicated, history.KindMarked, history.KindTruncated,
			history.KindElected, history.KindWatermark) {
			b.see(f)
		}
		l.logList, l.logByName = b.list, b.byName
	}
	return l.logList
}

// log is the log of a partition; nil = none was stated.
func (l *ledger) log(partition string) *partitionLog {
	l.logs()
	return l.logByName[partition]
}

type logBuilder struct {
	l      *ledger
	list   []*partitionLog
	byName map[string]*partitionLog
}

func (b *logBuilder) see(f *history.Fact) {
	if f.Offset < 0 && f.Kind != history.KindElected {
		return
	}
	p := b.byName[f.Resource]
	if p == nil {
		p = &partitionLog{name: f.Resource}
		b.byName[f.Resource] = p
		b.list = append(b.list, p)
	}
	switch f.Kind {
	case history.KindAppended:
		b.take(p, p.replica(f.Node), entry{f.Offset, f.ID, f.Fence, f.ID})
	case history.KindMarked: // its fence is the producer's
		b.take(p, p.replica(f.Node), entry{f.Offset, f.ID, -1, f.ID})
	case history.KindReplicated:
		if epoch, ok := b.epochOf(f.Cause, f.Fence); ok { // a copy of nothing says nothing
			b.take(p, p.replica(f.Node), entry{f.Offset, f.Cause, epoch, f.ID})
		}
	case history.KindTruncated:
		r := p.replica(f.Node)
		r.cut(f.Offset, f.ID)
		p.disorder = p.disorder || len(r.gone) > 0
	case history.KindElected:
		p.leader = f.Node
		if f.Op == opUnclean {
			p.unclean = f.ID
		}
	case history.KindWatermark:
		if f.Op == opHigh {
			p.high.take(f.Offset, f.ID)
		}
	}
}

// epochOf is the leader epoch of a copy; markers have none. ok is false if the original is neither record nor marker.
func (b *logBuilder) epochOf(original, fence int64) (epoch int64, ok bool) {
	if original == 0 {
		return 0, false
	}
	switch b.l.at(original).Kind {
	case history.KindAppended:
		return fence, true
	case history.KindMarked:
		return -1, true
	}
	return 0, false
}

// Ops of the facts of logs.
const (
	opUnclean   = "unclean"
	opHigh      = "high"
	opTombstone = "tombstone"
	opInit      = "init"
	opBegan     = "began"
	opCommitTx  = "commit"
	opAbort     = "abort"
)

// take adds a record to a replica's log. One that is not behind all others shows that the node lost what it held there, if
// it was stopped; else the node put it before records that it keeps, and gave the offset to two if one of them is there.
func (b *logBuilder) take(p *partitionLog, r *replica, e entry) {
	if n := len(r.records); n > 0 && e.offset <= r.records[n-1].offset {
		p.disorder = true
		i := r.from(e.offset)
		switch held := r.records[i]; {
		case b.l.stoppedBetween(r.node, r.touched, e.by):
			r.cut(e.offset, e.by)
		case held.offset == e.offset:
			p.conflicts = append(p.conflicts, conflict{held, e})
			r.cut(e.offset, e.by)
		default:
			r.records = slices.Insert(r.records, i, e)
			r.touched = e.by
			return
		}
	}
	r.records = append(r.records, e)
	r.touched = e.by
}

// cut takes away what a replica holds from an offset on.
func (r *replica) cut(offset, by int64) {
	i := r.from(offset)
	for _, e := range r.records[i:] {
		e.by = by
		r.gone = append(r.gone, e)
	}
	r.records, r.touched = r.records[:i], by
}

// from is the index of the first record at or behind an offset.
func (r *replica) from(offset int64) int {
	i, _ := slices.BinarySearchFunc(r.records, offset, func(e entry, o int64) int { return cmp.Compare(e.offset, o) })
	return i
}

// holds says whether a record is in a replica's log.
func (r *replica) holds(offset, origin int64) bool {
	i := r.from(offset)
	return i < len(r.records) && r.records[i].offset == offset && r.records[i].origin == origin
}

func (p *partitionLog) replica(node string) *replica {
	for _, r := range p.replicas {
		if r.node == node {
			return r
		}
	}
	p.replicas = append(p.replicas, &replica{node: node})
	return p.replicas[len(p.replicas)-1]
}

// standing is the replica whose log counts in the end: the leader's, or where there was no election that which took
// something last.
func (p *partitionLog) standing() *replica {
	last := &replica{}
	for _, r := range p.replicas {
		if p.leader != "" && r.node == p.leader {
			return r
		}
		if r.touched > last.touched {
			last = r
		}
	}
	return last
}

// committed says whether a leader had stated a high watermark beyond an offset before a fact. A log that states none
// commits what it acknowledges.
func (p *partitionLog) committed(offset, before int64) bool {
	if len(p.high) == 0 {
		return true
	}
	m, ok := p.high.beyond(offset)
	return ok && m.fact < before
}

// acknowledged walks the records that were acknowledged as committed, by the facts that acknowledged them: a log
// acknowledged a record if the cause of KindAccepted is the record's KindAppended.
func (l *ledger) acknowledged() iter.Seq2[*history.Fact, *history.Fact] {
	return func(yield func(accepted, record *history.Fact) bool) {
		for f := range l.kinds(history.KindAccepted) {
			record := l.record(f.Cause)
			if record == nil {
				continue
			}
			if p := l.log(record.Resource); p != nil && p.committed(record.Offset, f.ID) && !yield(f, record) {
				return
			}
		}
	}
}

// stoppedBetween says whether a node ended an incarnation between two facts.
func (l *ledger) stoppedBetween(node string, from, to int64) bool {
	for _, id := range between(l.members, from, to, len(l.members)) {
		if f := l.at(id); f.Kind == history.KindStopped && f.Node == node {
			return true
		}
	}
	return false
}

// goneBy is the fact that took a record away from a replica; 0 = it never held it.
func (r *replica) goneBy(origin int64) int64 {
	for _, e := range r.gone {
		if e.origin == origin {
			return e.by
		}
	}
	return 0
}

// compacted are the origins of the records that some compaction took away; nil = there was none.
func (l *ledger) compacted() map[int64]bool {
	var gone map[int64]bool
	for f := range l.kinds(history.KindCompacted) {
		if gone == nil {
			gone = map[int64]bool{}
		}
		gone[f.Cause] = true
	}
	return gone
}
