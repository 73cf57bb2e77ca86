package blackbox

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/checker/ops"
)

// kafkaLog is Λ: the records for which there is evidence, by key and offset. Positions are counted through all keys;
// only those of one key are ever compared.
type kafkaLog struct {
	order []int32    // records
	at    []int32    // by position: where its first record is in order; one more at the end
	of    [][2]int32 // by key: its first position, and the one after its last
	read  []int32    // by key: the last position that an acknowledged poll returned; none = nothing was
}

// newKafkaLog gives the records their positions. Polls are evidence already; here the committed sends become it.
func newKafkaLog(s *kafkaStore) kafkaLog {
	for i := range int32(len(s.ops)) {
		if !s.committed(i) {
			continue
		}
		for _, r := range s.sendsOf(i) {
			if rec := &s.records[r]; rec.shown == none {
				rec.shown = i
			}
		}
	}
	l := kafkaLog{order: s.evidence(), of: make([][2]int32, len(s.keys)), read: make([]int32, len(s.keys))}
	key, offset := none, noOffset
	for n, r := range l.order {
		rec := &s.records[r]
		if k := s.values[rec.value].key; k != key || rec.offset != offset {
			pos := int32(len(l.at))
			if l.at = append(l.at, int32(n)); k != key {
				l.of[k][0] = pos
			}
			l.of[k][1] = pos + 1
			key, offset = k, rec.offset
		}
		rec.pos = int32(len(l.at)) - 1
	}
	l.at = append(l.at, int32(len(l.order)))
	s.placeValues(l.order)
	s.placeUntold()
	l.reach(s)
	return l
}

// reach notes how far acknowledged polls read.
func (l *kafkaLog) reach(s *kafkaStore) {
	for k := range l.read {
		l.read[k] = none
	}
	for i := range int32(len(s.ops)) {
		if s.ops[i].outcome != ops.OK {
			continue
		}
		for _, r := range s.readsOf(i) {
			if r != nextPoll {
				k := s.keyOf(r)
				l.read[k] = max(l.read[k], s.records[r].pos)
			}
		}
	}
}

// evidence are the records with an offset for which there is evidence, by key and offset. They are dealt out to their
// keys first: what is left to sort of a key came nearly in its order.
func (s *kafkaStore) evidence() []int32 {
	shown := func(r *kafkaRecord) bool { return r.shown != none && r.offset != noOffset }
	begin := make([]int32, len(s.keys)+1)
	for r := range s.records {
		if rec := &s.records[r]; shown(rec) {
			begin[s.values[rec.value].key+1]++
		}
	}
	for k := range s.keys {
		begin[k+1] += begin[k]
	}
	out := make([]int32, begin[len(s.keys)])
	next := slices.Clone(begin)
	for r := range s.records {
		if rec := &s.records[r]; shown(rec) {
			k := s.values[rec.value].key
			out[next[k]] = int32(r)
			next[k]++
		}
	}
	for k := range s.keys {
		slices.SortFunc(out[begin[k]:begin[k+1]], func(a, b int32) int {
			return cmp.Or(cmp.Compare(s.records[a].offset, s.records[b].offset), cmp.Compare(a, b))
		})
	}
	return out
}

// placeValues notes between which positions each value lies.
func (s *kafkaStore) placeValues(order []int32) {
	for _, r := range order {
		v, pos := &s.values[s.records[r].value], s.records[r].pos
		if v.lowest == none {
			v.lowest = pos
		}
		v.last = pos
	}
}

// placeUntold gives records without an offset the position of their value, if it has just one.
func (s *kafkaStore) placeUntold() {
	for i := range s.records {
		if r := &s.records[i]; r.offset == noOffset {
			if first, last := s.positions(r.value); first == last {
				r.pos = first
			}
		}
	}
}

// positions are the first and the last position of a value; none if there is no evidence of any. They are kept and not
// sought: a broker that repeats one value for ever must not make its records be walked for each of them.
func (s *kafkaStore) positions(value int32) (first, last int32) {
	v := &s.values[value]
	return v.lowest, v.last
}

// records at a position, more than one if its offset is inconsistent.
func (l *kafkaLog) records(pos int32) []int32 { return l.order[l.at[pos]:l.at[pos+1]] }

// judgeRecords judges the log itself:
//
//	inconsistent-offsets   |Λ_k(o)| ≥ 2
//	duplicate              v ∈ Λ_k(o) and v ∈ Λ_k(o'), o ≠ o'
//
// The second is a violation if producers were promised to be idempotent. Cost: linear in the records.
func (j *kafkaJudge) judgeRecords() {
	for pos := range int32(len(j.log.at) - 1) {
		if at := j.log.records(pos); len(at) > 1 {
			a, b := at[0], at[1]
			j.find("inconsistent-offsets", ops.SeverityFail, func(found *ops.Anomaly) {
				x, y := j.records[a].shown, j.records[b].shown
				j.evidenceOf(found, x, y)
				found.Detail = fmt.Sprintf("offset %d of key %s holds %s for one client and %s for another", j.records[a].offset, j.keys[j.keyOf(a)], j.show(a), j.show(b))
				found.Story = []string{j.saw(x, a), j.saw(y, b)}
			})
		}
	}
	severity := ops.SeverityFail
	if j.options.Promise != "" && j.options.Promise != exactlyOnce {
		severity = ops.SeverityInfo
	}
	for v := range int32(len(j.values)) {
		if first, last := j.positions(v); first != last {
			j.find("duplicate", severity, func(found *ops.Anomaly) {
				a, b := j.recordAt(v, first), j.recordAt(v, last)
				x, y := j.records[a].shown, j.records[b].shown
				j.evidenceOf(found, x, y)
				found.Detail = fmt.Sprintf("value %s of key %s is at offset %d and again at offset %d", j.show(a), j.keys[j.keyOf(a)], j.records[a].offset, j.records[b].offset)
				found.Story = []string{j.saw(x, a), j.saw(y, b)}
			})
		}
	}
}

// recordAt is the record of a value at a position.
func (j *kafkaJudge) recordAt(value, pos int32) int32 {
	r := j.values[value].first
	for j.records[r].pos != pos || j.records[r].offset == noOffset {
		r = j.records[r].next
	}
	return r
}

// judgeReads judges what each poll returned, by the writer of the value alone:
//
//	phantom-read        nobody sent it; any poll, whatever its outcome
//	G1a                 the poll is acknowledged and the send failed
//	precommitted-read   the poll and the send are of one operation, whatever its outcome
//
// A send without a known outcome may have happened, so its value may be returned. Cost: linear in the returned records.
func (j *kafkaJudge) judgeReads() {
	for i := range int32(len(j.ops)) {
		o := &j.ops[i]
		for _, r := range j.readsOf(i) {
			if r == nextPoll {
				continue
			}
			switch w := j.values[j.records[r].value].writer; {
			case w == none:
				j.find("phantom-read", ops.SeverityFail, func(a *ops.Anomaly) { j.tellPhantom(a, i, r) })
			case w == i:
				j.find("precommitted-read", ops.SeverityFail, func(a *ops.Anomaly) {
					j.evidenceOf(a, i)
					a.Detail = fmt.Sprintf("%s polled value %s of key %s, which it sends itself: consumers must see nothing before it is committed", j.who(i), j.show(r), j.keys[j.keyOf(r)])
				})
			case o.outcome == ops.OK && j.ops[w].outcome == ops.Fail:
				j.find("G1a", ops.SeverityFail, func(a *ops.Anomaly) {
					j.evidenceOf(a, w, i)
					a.Detail = fmt.Sprintf("%s polled value %s of key %s, though the operation that sent it failed", j.who(i), j.show(r), j.keys[j.keyOf(r)])
					a.Story = []string{j.sent(w, r), j.saw(i, r)}
				})
			}
		}
	}
}

// tellPhantom tells of a value that nobody sent to its key; perhaps somebody sent it to another one.
func (j *kafkaJudge) tellPhantom(a *ops.Anomaly, reader, r int32) {
	v := &j.values[j.records[r].value]
	a.Detail = fmt.Sprintf("%s polled value %s of key %s, which nobody sent there", j.who(reader), j.show(r), j.keys[v.key])
	j.evidenceOf(a, reader)
	for i := range j.values {
		if w := &j.values[i]; w.writer != none && w.kind == v.kind && w.number == v.number && w.text == v.text {
			a.Detail += fmt.Sprintf("; it was sent to key %s", j.keys[w.key])
			j.evidenceOf(a, w.writer)
			return
		}
	}
}
