package partition

import (
	"fmt"

	"github.com/twiceless/twiceless/model/wire"
)

// epochStart is an entry of the leader epoch cache: the epoch and the offset of its first record. Both grow.
type epochStart struct {
	epoch int32
	start int64
}

// NoEpoch is the leader epoch of nothing.
const NoEpoch int32 = -1

// LastEpoch is the newest leader epoch that the log knows; NoEpoch = none.
func (l *Log) LastEpoch() int32 {
	if k := len(l.epochs); k > 0 {
		return l.epochs[k-1].epoch
	}
	return NoEpoch
}

// BeginEpoch notes that an epoch begins at the end of the log: what a new leader does before anything else, so that it can
// tell where the epoch before ended though nothing of its own was written yet. It is for memory only: a boot knows the
// epochs of records.
func (l *Log) BeginEpoch(epoch int32) {
	if epoch < 0 || epoch < l.LastEpoch() {
		panic(fmt.Sprintf("partition: epoch %d begins in a log of epoch %d", epoch, l.LastEpoch()))
	}
	l.beginAt(epoch, l.end)
}

// beginAt enters an epoch. One that began at the same offset and has no record gives way: its leader wrote nothing before
// another was elected. So do newer ones, where logs have diverged: entries grow in both their numbers, whatever happens, or
// no lookup could be answered.
func (l *Log) beginAt(epoch int32, start int64) {
	if l.LastEpoch() == epoch {
		return
	}
	k := len(l.epochs)
	for k > 0 && (l.epochs[k-1].start >= start || l.epochs[k-1].epoch >= epoch) {
		k--
	}
	l.epochs = append(l.epochs[:k], epochStart{epoch, start})
}

// Diverged says whether there is a batch of an older epoch than the one before it, and where the first is: the replica kept
// what its leader did not have, and went on behind it. It is what ByEpoch and ToHighWatermark come to, and fetches that are
// not fenced; with ByMatchedEpoch and fencing it is a bug of ours. It walks the log.
func (l *Log) Diverged() (offset int64, diverged bool) {
	for i := 1; i < len(l.batches); i++ {
		if l.batches[i].LeaderEpoch < l.batches[i-1].LeaderEpoch {
			return l.batches[i].Base, true
		}
	}
	return none, false
}

// cutEpochs forgets epochs that begin at the end or behind it.
func (l *Log) cutEpochs() {
	k := len(l.epochs)
	for k > 0 && l.epochs[k-1].start >= l.end {
		k--
	}
	l.epochs = l.epochs[:k]
}

// dropEpochs forgets epochs that end before the log start; the one that holds it begins there.
func (l *Log) dropEpochs() {
	k := 0
	for k+1 < len(l.epochs) && l.epochs[k+1].start <= l.start {
		k++
	}
	l.epochs = append(l.epochs[:0], l.epochs[k:]...)
	if len(l.epochs) > 0 {
		l.epochs[0].start = max(l.epochs[0].start, l.start)
	}
}

// EpochEnd answers OffsetsForLeaderEpoch (KIP-101): the largest epoch of the log that is not above the one asked about
// (KIP-279), and the offset behind its last record. An epoch older than all has ended where the oldest that is known
// begins. NoEpoch, -1 = the log knows nothing of it: it is newer than all, or the log knows no epoch.
func (l *Log) EpochEnd(epoch int32) (found int32, end int64) {
	last := len(l.epochs) - 1
	if last < 0 || epoch > l.epochs[last].epoch || epoch < 0 {
		return NoEpoch, none
	}
	if epoch == l.epochs[last].epoch {
		return epoch, l.end
	}
	above := last // the first epoch above the one asked about; the newest is, and epochs are few behind it
	for above > 0 && l.epochs[above-1].epoch > epoch {
		above--
	}
	if above == 0 {
		return epoch, l.epochs[0].start
	}
	return l.epochs[above-1].epoch, l.epochs[above].start
}

// Diverges is a leader's check of a follower's fetch, or a consumer's: whether its log, which ends at offset with a record
// of epoch last, has what this one has not; and if so, where their common part ends at the latest (KIP-595's way of
// KIP-279). Found is NoEpoch if this log knows nothing of the epoch: the asker is out of range.
func (l *Log) Diverges(last int32, offset int64) (at wire.EpochEndReply, diverges bool) {
	at.Epoch, at.End = l.EpochEnd(last)
	return at, at.Epoch < last || at.End < offset
}

// Truncation is how a follower finds where to cut its log when a leader begins: the generations of Kafka.
type Truncation uint8

// ByMatchedEpoch, of KIP-279 (2.0) and today's, asks the leader for the end of the own last epoch, and heeds for which epoch it answers.
// ByEpoch, of KIP-101 (0.11), takes the end that the leader answers for its own, so that logs diverge after quick
// elections (KAFKA-6361). ToHighWatermark, before 0.11, asks nobody, and loses what was committed because the watermark is
// late on followers (KIP-101, scenario 1).
const (
	ByMatchedEpoch Truncation = iota
	ByEpoch
	ToHighWatermark
)

// TruncationPoint is where a follower cuts its log, told what the leader answered to the follower's last epoch; and
// whether that is all. If it is not, the follower cuts and asks again with the epoch that is then its last.
func (l *Log) TruncationPoint(by Truncation, leader wire.EpochEndReply) (to int64, done bool) {
	switch {
	case by == ToHighWatermark || leader.End < 0: // a leader that knows no epochs, likewise
		return l.high, true
	case by == ByEpoch:
		return min(leader.End, l.end), true
	}
	epoch, end := l.EpochEnd(leader.Epoch)
	switch {
	case epoch == NoEpoch:
		return min(leader.End, l.end), true
	case epoch != leader.Epoch:
		return min(end, l.end), false
	}
	return min(end, leader.End, l.end), true
}
