package partition

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// rig is a leader's log under a random life, and what is expected of it, told in the simplest way from its batches.
type rig struct {
	t     *rapid.T
	l     *Log
	epoch int32
	now   sim.Time
}

// act is one event of it.
func (r *rig) act() {
	switch rapid.IntRange(0, 9).Draw(r.t, "act") {
	case 0:
		r.epoch++
		r.l.BeginEpoch(r.epoch)
	case 1:
		r.l.SetHigh(rapid.Int64Range(r.l.Start(), r.l.End()).Draw(r.t, "high"))
	case 2:
		r.l.Truncate(max(0, r.l.End()-rapid.Int64Range(0, 6).Draw(r.t, "cut")))
	case 3, 4:
		r.mark()
	default:
		r.produce()
	}
	r.now++
	require.NoError(r.t, r.l.Invariants())
}

// identity is mostly that of a producer whose epoch has not passed, and its coordinator's is not either.
func (r *rig) identity() (id wire.ProducerID, coordinator int32) {
	id.ID = rapid.Int64Range(0, 3).Draw(r.t, "id")
	if p := r.l.producer(id.ID); p != nil {
		id.Epoch, coordinator = p.epoch, p.coordinatorEpoch
	}
	by := rapid.SampledFrom([]int32{0, 0, 0, 0, 0, 1, -1})
	return wire.ProducerID{ID: id.ID, Epoch: max(0, id.Epoch+by.Draw(r.t, "epoch"))}, max(0, coordinator+by.Draw(r.t, "coordinator"))
}

func (r *rig) produce() {
	id, _ := r.identity()
	pb := &wire.ProduceBatch{Producer: id, Messages: make([]model.Message, rapid.IntRange(1, 3).Draw(r.t, "records"))}
	version := rapid.IntRange(0, 1).Draw(r.t, "transactional")
	pb.Sequence = r.likely(pb.Producer.ID)
	if v := r.l.Check(pb, r.now); v.Err != nil || v.Duplicate || r.l.CheckTransaction(pb, version) != nil {
		return
	}
	r.take(wire.Batch{Producer: pb.Producer, Sequence: pb.Sequence, Transactional: version > 0 && pb.Producer.ID > 0, Messages: pb.Messages})
}

// likely is a sequence that has a chance to be the next, or to be a duplicate.
func (r *rig) likely(id int64) int64 {
	p := r.l.producer(id)
	switch {
	case id == 0:
		return -1
	case p == nil || len(p.recent) == 0:
		return rapid.SampledFrom([]int64{0, 0, wire.MaxSequence - 1}).Draw(r.t, "sequence")
	}
	return (p.recent[len(p.recent)-1].last + 1 + rapid.SampledFrom([]int64{0, 0, 0, 1, -1}).Draw(r.t, "off by")) & wire.MaxSequence
}

func (r *rig) mark() {
	id, coordinator := r.identity()
	if id.ID == 0 || r.l.CheckMarker(id, coordinator) != nil {
		return
	}
	control := rapid.SampledFrom([]wire.Control{wire.CommitMarker, wire.AbortMarker}).Draw(r.t, "control")
	r.take(wire.Batch{Producer: id, Sequence: -1, Control: control, Transactional: true, CoordinatorEpoch: coordinator})
}

func (r *rig) take(b wire.Batch) {
	b.Base, b.LeaderEpoch, b.Time = r.l.End(), r.epoch, r.now
	r.l.Append(b)
}

func live(t *rapid.T) *rig {
	r := &rig{t: t, l: New(Config{CachedBatches: rapid.IntRange(1, 5).Draw(t, "cached")})}
	for range rapid.IntRange(1, 100).Draw(t, "events") {
		r.act()
	}
	return r
}

// What a log knows is what its records tell: whoever boots from them knows the same.
func TestRebuiltIsIncremental(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := live(t)
		var records []string
		for _, b := range r.l.Batches() {
			records = append(records, Encode(&b))
		}
		opened, taken := Open(r.l.cfg, records)
		require.Len(t, records, taken)
		opened.SetHigh(r.l.High())
		require.NoError(t, opened.Invariants())
		require.Equal(t, len(r.l.producers), len(opened.producers))
		for i, p := range r.l.producers {
			require.ElementsMatch(t, p.recent, opened.producers[i].recent)
			q := *opened.producers[i]
			q.recent = p.recent
			require.Equal(t, *p, q)
		}
		require.ElementsMatch(t, r.l.open, opened.open)
		require.ElementsMatch(t, r.l.ended, opened.ended)
		require.Equal(t, r.l.LastStable(), opened.LastStable())
		r.l.Truncate(r.l.End()) // an epoch without a record is not on the disk
		require.ElementsMatch(t, r.l.epochs, opened.epochs)
	})
}

// fate is how the transaction of each transactional batch ends, told by looking for the marker.
func fate(batches []wire.Batch, i int) (ended bool, marker int64, aborted bool) {
	for _, b := range batches[i:] {
		if b.Producer.ID == batches[i].Producer.ID && b.Control != wire.Data {
			return true, b.Base, b.Control == wire.AbortMarker
		}
	}
	return false, none, false
}

// The last stable offset is the first record whose transaction has no marker below the high watermark, or the watermark.
func TestLastStableIsWhatTheRecordsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := live(t).l
		want := l.High()
		for i, b := range l.Batches() {
			if b.Control == wire.Data && b.Transactional {
				if ended, marker, _ := fate(l.Batches(), i); !ended || marker >= l.High() {
					want = min(want, b.Base)
				}
			}
		}
		require.Equal(t, want, l.LastStable())
	})
}

// A consumer that leaves out what it is told was aborted sees what was committed, and all of it, wherever it begins.
func TestReadersOfCommittedRecordsSeeThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := live(t).l
		from, below := rapid.Int64Range(l.Start(), l.End()).Draw(t, "from"), l.LastStable()
		batches := l.Read(from, 0, below)
		var seen, want []int64
		aborted, aborting := l.Aborted(from, below), map[int64]bool{}
		slices.SortFunc(aborted, func(a, b wire.AbortedTxn) int { return cmp.Compare(a.First, b.First) })
		for _, b := range batches { // as Kafka's consumer does it
			for len(aborted) > 0 && aborted[0].First < b.Next() {
				aborting[aborted[0].Producer], aborted = true, aborted[1:]
			}
			switch {
			case b.Control == wire.AbortMarker:
				delete(aborting, b.Producer.ID)
			case b.Control == wire.Data && (!b.Transactional || !aborting[b.Producer.ID]):
				seen = append(seen, b.Base)
			}
		}
		for i, b := range l.Batches() {
			_, _, aborted := fate(l.Batches(), i)
			if b.Next() > from && b.Next() <= below && b.Control == wire.Data && (!b.Transactional || !aborted) {
				want = append(want, b.Base)
			}
		}
		require.Equal(t, want, seen)
	})
}

// Of a part of the log the reader is told what reaches into it, and nothing else.
func TestAbortedReachIntoTheRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := live(t).l
		from := rapid.Int64Range(l.Start(), l.End()).Draw(t, "from")
		to := rapid.Int64Range(from, l.End()).Draw(t, "to")
		var want []wire.AbortedTxn
		began := map[int64]int64{}
		for _, b := range l.Batches() {
			first, open := began[b.Producer.ID]
			switch {
			case b.Control == wire.Data && b.Transactional && !open:
				began[b.Producer.ID] = b.Base
			case b.Control != wire.Data:
				if delete(began, b.Producer.ID); open && b.Control == wire.AbortMarker && first < to && b.Base >= from {
					want = append(want, wire.AbortedTxn{Producer: b.Producer.ID, First: first})
				}
			}
		}
		require.Equal(t, want, l.Aborted(from, to))
	})
}

// In the log, what one producer wrote in one epoch is numbered without a gap.
func TestSequencesAreContiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := map[wire.ProducerID]int64{}
		for _, b := range live(t).l.Batches() {
			if b.Producer.ID == 0 || b.Control != wire.Data {
				continue
			}
			if before, ok := last[b.Producer]; ok {
				require.Equal(t, nextSequence(before), b.Sequence, "at %d", b.Base)
			}
			last[b.Producer] = lastSequence(b.Sequence, len(b.Messages))
		}
	})
}

// A batch that is in the log and among the last of its producer is never taken again.
func TestDuplicatesAreKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := live(t).l
		for _, p := range l.producers {
			for _, s := range p.recent {
				b := l.Read(s.base, 1, l.End())[0]
				v := l.Check(&wire.ProduceBatch{Producer: b.Producer, Sequence: b.Sequence, Messages: b.Messages}, 0)
				require.NoError(t, v.Err)
				require.True(t, v.Duplicate)
				require.Equal(t, b.Base, v.Base)
				require.Len(t, v.Stored, len(b.Messages))
			}
		}
	})
}

// A follower that asks by epoch, with the epoch matched, keeps what it has in common with its leader, and nothing else.
func TestFollowersKeepTheCommonPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logs := []*Log{New(Config{}), New(Config{}), New(Config{})}
		for epoch := range rapid.Int32Range(1, 8).Draw(t, "elections") {
			leader := logs[rapid.IntRange(0, 2).Draw(t, "leader")]
			leader.BeginEpoch(epoch)
			for range rapid.IntRange(0, 3).Draw(t, "appends") {
				leader.Append(wire.Batch{Base: leader.End(), LeaderEpoch: epoch, Sequence: -1, Messages: make([]model.Message, rapid.IntRange(1, 2).Draw(t, "records"))})
			}
			for i, follower := range logs {
				if follower != leader && rapid.Bool().Draw(t, "follows") {
					common := prefix(follower.Batches(), leader.Batches())
					catchUp(follower, leader)
					require.Equal(t, common, prefix(follower.Batches(), leader.Batches()), "replica %d kept what is common", i)
					require.Len(t, follower.Batches(), common, "replica %d has nothing else", i)
					for _, b := range leader.Read(follower.End(), rapid.IntRange(0, 3).Draw(t, "fetched"), leader.End()) {
						follower.Append(b)
					}
				}
				require.NoError(t, follower.Invariants())
				_, diverged := follower.Diverged()
				require.False(t, diverged)
			}
		}
	})
}

// catchUp cuts what the leader does not have.
func catchUp(follower, leader *Log) {
	for done := false; !done; {
		var reply wire.EpochEndReply
		reply.Epoch, reply.End = leader.EpochEnd(follower.LastEpoch())
		var to int64
		if to, done = follower.TruncationPoint(ByMatchedEpoch, reply); follower.LastEpoch() == NoEpoch {
			to = 0
		}
		follower.Truncate(to)
	}
}

// prefix counts the batches that two logs have in common. An epoch has one leader: offset and epoch say which record it is.
func prefix(a, b []wire.Batch) (n int) {
	for n < len(a) && n < len(b) && a[n].LeaderEpoch == b[n].LeaderEpoch && a[n].Base == b[n].Base {
		n++
	}
	return n
}

func TestEncodeDecode(t *testing.T) {
	text := rapid.StringMatching(`[a-z:0-9 é]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		b := wire.Batch{Base: rapid.Int64Range(0, 1<<40).Draw(t, "base"), LeaderEpoch: rapid.Int32Range(0, 99).Draw(t, "epoch"),
			Producer: wire.ProducerID{ID: rapid.Int64Range(0, 9).Draw(t, "id"), Epoch: rapid.Int32Range(0, wire.MaxEpoch).Draw(t, "producer epoch")},
			Sequence: rapid.Int64Range(-1, wire.MaxSequence).Draw(t, "sequence"), Transactional: rapid.Bool().Draw(t, "transactional"),
			Control: wire.Control(rapid.IntRange(0, 2).Draw(t, "control")), CoordinatorEpoch: rapid.Int32().Draw(t, "coordinator"),
			Time: sim.Time(rapid.Int64().Draw(t, "time"))}
		for range rapid.IntRange(0, 3).Draw(t, "records") {
			b.Messages = append(b.Messages, model.Message{Intent: model.Intent{Event: text.Draw(t, "event"), Stage: text.Draw(t, "stage"), Key: text.Draw(t, "key"),
				Correlation: text.Draw(t, "correlation")}, Payload: text.Draw(t, "payload"), Schema: text.Draw(t, "schema"), Amount: rapid.Int64().Draw(t, "amount"),
				Attempt: rapid.Int().Draw(t, "attempt"), IdempotencyKey: text.Draw(t, "key"), Headers: text.Draw(t, "headers"),
				Cause: rapid.Int64().Draw(t, "cause"), Stored: rapid.Int64().Draw(t, "stored")})
		}
		b.Raw = Encode(&b)
		got, ok := Decode(b.Raw)
		require.True(t, ok)
		require.Equal(t, b, got)
		for cut := range len(b.Raw) {
			_, ok := Decode(b.Raw[:cut])
			require.False(t, ok, "torn at %d", cut)
		}
	})
}
