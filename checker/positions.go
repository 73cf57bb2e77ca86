package checker

import (
	"cmp"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// position is what the facts say about one group's position in one partition.
type position struct {
	group string
	facts []int64 // committing, committed, commit-failed, ascending
	moved tops    // its durable moves
}

// move is a fact that moved something to an offset.
type move struct{ offset, fact int64 }

// tops are the moves to an offset above all before: ascending in both fields.
type tops []move

// take adds a move if it goes above all before.
func (t *tops) take(offset, fact int64) {
	if n := len(*t); n == 0 || offset > (*t)[n-1].offset {
		*t = append(*t, move{offset, fact})
	}
}

// beyond is the first move to beyond an offset, of all and not only of the tops; ok is false if there is none.
func (t tops) beyond(offset int64) (m move, ok bool) {
	i, _ := slices.BinarySearchFunc(t, offset, func(m move, o int64) int {
		if m.offset > o {
			return 1
		}
		return -1 // also where they are equal
	})
	if i == len(t) {
		return move{}, false
	}
	return t[i], true
}

// before is the highest move that comes before a fact; the zero value = none.
func (t tops) before(fact int64) move {
	i, _ := slices.BinarySearchFunc(t, fact, func(m move, id int64) int { return cmp.Compare(m.fact, id) })
	if i == 0 {
		return move{}
	}
	return t[i-1]
}

// place is one slot of a log.
type place struct {
	partition string
	offset    int64
}

// noteCommit keeps a fact about a position.
func (l *ledger) noteCommit(f *history.Fact) {
	p := l.position(f)
	p.facts = append(p.facts, f.ID)
	if f.Kind == history.KindCommitted {
		p.moved.take(f.Offset, f.ID)
	}
}

func (l *ledger) position(f *history.Fact) *position {
	list := l.commits[f.Resource]
	for _, p := range list {
		if p.group == f.Op {
			return p
		}
	}
	p := &position{group: f.Op}
	l.commits[f.Resource] = append(list, p)
	return p
}

// passed is the first fact by which a group's position moved past a record durably, or by which a queue took it out, 0 =
// none. The group is known if it was handed the record; else every group that reads the partition counts.
func (l *ledger) passed(partition string, offset int64, group string) int64 {
	first := l.queues().settledBy(partition, offset)
	for _, p := range l.commits[partition] {
		if group != "" && p.group != "" && p.group != group {
			continue
		}
		if m, ok := p.moved.beyond(offset); ok && (first == 0 || m.fact < first) {
			first = m.fact
		}
	}
	return first
}

// commitsBetween are the facts about the positions of a delivery's partition between two facts, at most n of a group: up to
// the first position behind the record, for what moves on from there says no more about it.
func (l *ledger) commitsBetween(delivered *history.Fact, from, to int64, n int) []int64 {
	var ids []int64
	for _, p := range l.commits[delivered.Resource] {
		for _, id := range between(p.facts, from, to, n) {
			ids = append(ids, id)
			if f := l.at(id); f.Kind == history.KindCommitted && f.Offset > delivered.Offset {
				break
			}
		}
	}
	return ids
}

// between are the ids of a sorted list between two facts, at most n of them.
func between(ids []int64, from, to int64, n int) []int64 {
	i, _ := slices.BinarySearch(ids, from)
	j, _ := slices.BinarySearch(ids, to)
	return ids[i:max(i, min(j, i+n))]
}

// truncated says whether the log has lost this record: the log that counts in the end does not hold it, or, of a log that knows no
// leaders, another event took its place later.
func (l *ledger) truncated(appended *history.Fact) bool {
	if appended.Offset < 0 {
		return false
	}
	if p := l.log(appended.Resource); p != nil && p.leader != "" {
		return !p.standing().holds(appended.Offset, appended.ID)
	}
	if l.reused == nil {
		l.reused = map[place]int64{}
		for f := range l.kinds(history.KindAppended) {
			l.reused[place{f.Resource, f.Offset}] = f.ID
		}
	}
	last := l.reused[place{appended.Resource, appended.Offset}]
	return last != appended.ID && l.at(last).Event != appended.Event
}
