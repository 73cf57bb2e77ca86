package checker

import (
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// Liveness is judged after faults have stopped, in virtual time, and only if the run was given its chance. An ending says
// whether it was:
//
//	healed   the end of the last fault, or of the phase of faults, or the last visit of an operator, whichever is later
//	limit    Header.Heal: within that time after healed all work must have come to an end
//	settled  what has not happened will not: the run ended by itself, quiescent or stuck, or lasted healed + limit
//
// A history whose header states no limit promises no end and exercises nothing of this. One that ended before it was settled
// is undecided wherever something is still to do: it might have been done. After a visit nothing is late, for how long the
// work takes that an operator brings is not stated; what is not done when the run has settled is not done.
type ending struct {
	judged  bool
	healed  int64 // ns
	late    int64 // ns, from when on work comes too late; 0 = never
	end     int64 // ns, of the last fact
	settled bool
	stuck   bool  // by the word of the run
	last    int64 // the last fact
	began   int64 // the fact at which it was healed, 0 = there is none
}

// Notes of phases and of reasons to stop.
const (
	phaseHeal   = "heal"
	phaseReplay = "replay"

	stopQuiescent = "quiescent"
	stopStuck     = "stuck"
)

// ending reads how the run ended.
func (l *ledger) ending() ending {
	n := l.h.Len()
	if n == 0 || l.h.Header.Heal <= 0 {
		return ending{}
	}
	e := ending{judged: true, last: int64(n), end: l.h.Facts[n-1].Time}
	w := l.faultWindow()
	if w.any {
		e.healed, e.began = w.end, l.lastFault()
	}
	visited := false
	for f := range l.kinds(history.KindPhase) {
		if f.Note == phaseHeal || f.Note == phaseReplay {
			visited = visited || f.Note == phaseReplay
			if f.Time >= e.healed {
				e.healed, e.began = f.Time, f.ID
			}
		}
	}
	if !visited {
		e.late = e.healed + l.h.Header.Heal
	}
	stop := l.stopReason()
	e.stuck = strings.HasPrefix(stop, stopStuck)
	e.settled = e.stuck || strings.HasPrefix(stop, stopQuiescent) || e.end >= e.healed+l.h.Header.Heal
	return e
}

// cutShort says that the history tells how it ended, and it is by a limit or an error and not by itself. What it leaves
// half done might have been finished. A history that does not tell is taken for a whole one.
func (l *ledger) cutShort() bool {
	stop := l.stopReason()
	return stop != "" && !strings.HasPrefix(stop, stopQuiescent) && !strings.HasPrefix(stop, stopStuck)
}

// stopReason is the note of the last stop, "" = none is told.
func (l *ledger) stopReason() (reason string) {
	for f := range l.kinds(history.KindStopReason) {
		reason = f.Note
	}
	return reason
}

// lastFault is the last fact about a fault.
func (l *ledger) lastFault() (id int64) {
	for f := range l.kinds(history.KindFaultBegan, history.KindFaultEnded) {
		id = f.ID
	}
	return id
}

// since is the first fact after a time, Len+1 = there is none. Facts lie in order of time.
func (l *ledger) since(time int64) int64 {
	lo, hi := 0, l.h.Len()
	for lo < hi {
		if mid := (lo + hi) / 2; l.h.Facts[mid].Time > time {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return int64(lo) + 1
}

// reader is a group at a partition.
type reader struct{ group, partition string }

// reading of a partition by a group, at the end.
type backlog struct {
	reader
	end      int64 // offset after the last record that a log took
	position int64 // next to read
	appended int64 // the fact of the last record
	moved    int64 // the last fact that moved the position, or took a message out of the queue, 0 = none
	waiting  int64 // messages that a queue holds; -1 = it is a log
}

func (b *backlog) lag() int64 {
	if b.waiting >= 0 {
		return b.waiting
	}
	return max(0, b.end-b.position)
}

// backlogs are the partitions of the topics that a group reads, with records, by group and partition in the order in which
// facts first name them. A topic is read by a group that was handed a record of it or moved a position in it: a topic of dead
// letters, which nobody reads, has no lag.
func (l *ledger) backlogs() []backlog {
	readers := l.readers()
	var list []backlog
	index := map[reader]int{}
	for f := range l.kinds(history.KindAppended) {
		if f.Offset < 0 {
			continue
		}
		for _, group := range readers[topicOf(f.Resource)] {
			at := reader{group, f.Resource}
			i, known := index[at]
			if !known {
				i = len(list)
				index[at] = i
				list = append(list, backlog{reader: at})
			}
			b := &list[i]
			if f.Offset+1 >= b.end {
				b.end, b.appended = f.Offset+1, f.ID
			}
		}
	}
	q := l.queues()
	for i := range list {
		b := &list[i]
		if b.waiting = -1; q.topics[topicOf(b.partition)] {
			b.waiting, b.moved = int64(len(q.waiting[b.partition])), q.last[b.partition]
			continue
		}
		l.readPosition(b)
	}
	return list
}

// readers are the groups that read each topic, by first appearance.
func (l *ledger) readers() map[string][]string {
	readers := map[string][]string{}
	var last reader
	for f := range l.kinds(history.KindDelivered, history.KindCommitted) {
		if now := (reader{f.Op, f.Resource}); now != last {
			last = now
			topic := topicOf(f.Resource)
			if !slices.Contains(readers[topic], f.Op) {
				readers[topic] = append(readers[topic], f.Op)
			}
		}
	}
	return readers
}

// readPosition fills in where a group stands: its last move, which an operator's may have set back.
func (l *ledger) readPosition(b *backlog) {
	for _, p := range l.commits[b.partition] {
		if p.group != b.group {
			continue
		}
		for i := len(p.facts) - 1; i >= 0; i-- {
			if f := l.at(p.facts[i]); f.Kind == history.KindCommitted {
				b.position, b.moved = f.Offset, f.ID
				return
			}
		}
	}
}
