package partition

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Config says how the log of a replica behaves. The zero value is Kafka of today.
type Config struct {
	// CachedBatches is how many batches are remembered of each producer to know a duplicate by; 0 = 5, as in Kafka
	// (ProducerStateEntry), which is why a Java producer has at most five requests in flight.
	CachedBatches int

	// EvictProducers has retention forget a producer whose last record it takes away: Kafka before 2.4 (KAFKA-7190).
	EvictProducers bool

	// RefuseUnknown has a producer of which no sequence is known refused with ErrUnknownProducer unless it begins at 0:
	// Kafka before 2.5 (KIP-360). Today any first sequence of it is taken.
	RefuseUnknown bool

	Defects model.Defects
}

// Log is the log of one replica: see the package.
type Log struct {
	cfg     Config
	batches []wire.Batch
	shed    int // batches before the first that the array behind batches still keeps in memory

	start, end, high int64

	epochs    []epochStart
	producers []*producer   // by id
	open      []transaction // undecided here, by first offset
	ended     []transaction // by marker
	unstable  int64         // the first offset that a reader of committed records must not see; none = there is no such

	verifications []*Verification // under way, on a leader
}

// none is an offset that is not there.
const none int64 = -1

// New makes an empty log that begins at offset 0.
func New(cfg Config) *Log {
	if cfg.CachedBatches < 0 {
		panic("partition: negative number of cached batches")
	}
	if cfg.CachedBatches == 0 {
		cfg.CachedBatches = 5
	}
	return &Log{cfg: cfg, unstable: none}
}

// Open makes the log that the records of a disk's file hold, up to the first that is torn: taken is how many it took.
// Producers and transactions are known as far as the records tell. Its high watermark is its start: what lay below it
// before is the broker's to remember. A file without records says nothing of where the log began: see StartAt.
func Open(cfg Config, records []string) (l *Log, taken int) {
	l = New(cfg)
	for _, raw := range records {
		b, ok := Decode(raw)
		if !ok {
			break
		}
		if taken == 0 {
			l.StartAt(b.Base)
		}
		l.Append(b)
		taken++
	}
	return l, taken
}

// Start is the log start offset: what is before it was deleted.
func (l *Log) Start() int64 { return l.start }

// End is the log end offset: that of the next record.
func (l *Log) End() int64 { return l.end }

// High is the high watermark as this replica knows it: what is below it is on all replicas that are in sync.
func (l *Log) High() int64 { return l.high }

// Batches are all that the log holds. They are shared: nobody changes them, and what they hold stays as it is whatever
// becomes of the log.
func (l *Log) Batches() []wire.Batch { return slices.Clip(l.batches) }

// Append adds a batch at the end, on the leader and on a follower alike. It judges nothing: that is for the leader to do
// before (Check, CheckTransaction, CheckVerified, CheckMarker), and what a leader has taken a follower takes. The epochs of batches grow;
// see Diverged for when they do not.
func (l *Log) Append(b wire.Batch) {
	l.assertNext(&b)
	l.beginAt(b.LeaderEpoch, b.Base)
	l.batches = append(l.batches, b)
	l.end = b.Next()
	l.note(&b)
}

func (l *Log) assertNext(b *wire.Batch) {
	if b.Base != l.end || b.Records() < 1 || b.LeaderEpoch < 0 {
		panic(fmt.Sprintf("partition: %d records of epoch %d at %d are appended to a log that ends at %d", b.Records(), b.LeaderEpoch, b.Base, l.end))
	}
}

// note has producers and transactions follow what a batch says.
func (l *Log) note(b *wire.Batch) {
	if b.Producer.ID == 0 {
		return
	}
	if b.Transactional {
		l.endVerification(b.Producer.ID)
	}
	p := l.producerOf(b.Producer.ID)
	if b.Control == wire.Data {
		l.noteData(p, b)
	} else {
		l.noteMarker(p, b)
	}
}

// SetHigh moves the high watermark, within the log, and says where it was. It goes back only on a follower, whose new
// leader knows of less than the leader before it: the watermark is each replica's own, and late, knowledge. A leader never
// moves its own back.
func (l *Log) SetHigh(to int64) (was int64) {
	if to < l.start || to > l.end {
		panic(fmt.Sprintf("partition: the high watermark %d is not in the log, %d to %d", to, l.start, l.end))
	}
	was, l.high = l.high, to
	if l.unstable != none || to < was {
		l.unstable = l.firstUnstable()
	}
	return was
}

// Read gives the batches from the one that holds offset from, up to the one with which there are maxRecords records from
// there on, 0 = no limit, as far as they lie wholly below an offset. Nothing is copied, see Batches. The offset must lie in
// the log or be its end.
func (l *Log) Read(from int64, maxRecords int, below int64) []wire.Batch {
	if from < l.start || from > l.end {
		panic(fmt.Sprintf("partition: read at %d of a log from %d to %d", from, l.start, l.end))
	}
	if from >= below {
		return nil
	}
	first, behind := l.at(from), l.whole(below)
	if maxRecords > 0 && from+int64(maxRecords) < below {
		behind = min(behind, l.at(from+int64(maxRecords)-1)+1)
	}
	return l.batches[first:max(first, behind):max(first, behind)]
}

// at is the index of the batch that holds an offset; that behind the last one for what is not yet there. It looks near the
// end first, where most readers are.
func (l *Log) at(offset int64) int {
	if offset >= l.end {
		return len(l.batches)
	}
	lo, hi := 0, len(l.batches)
	for step := 1; hi > step; step *= 2 {
		if l.batches[hi-step].Base <= offset {
			lo = hi - step
			break
		}
		hi -= step
	}
	for lo+1 < hi {
		if mid := (lo + hi) / 2; l.batches[mid].Base <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// whole counts the batches that lie wholly below an offset.
func (l *Log) whole(below int64) int {
	if below <= l.start {
		return 0
	}
	return l.at(below)
}

// Truncate cuts the log: what remains are the batches that lie wholly below an offset. A log that begins behind it is
// emptied and begins there. Epochs that began in what is cut are forgotten, also one of which nothing was appended: it was
// a leader's who wrote nothing before another was elected. The high watermark comes along. What is known of producers is
// again what the remaining records tell, so that producers whose records retention had taken are forgotten here.
func (l *Log) Truncate(to int64) (dropped []wire.Batch) {
	if to < 0 {
		panic(fmt.Sprintf("partition: truncation to %d", to))
	}
	if to < l.start {
		dropped = l.Batches()
		l.StartAt(to)
		return dropped
	}
	keep := l.whole(to)
	if dropped = l.batches[keep:len(l.batches):len(l.batches)]; len(dropped) > 0 {
		l.batches = slices.Clip(l.batches[:keep]) // the next append must not write where a reader still reads
		l.end = dropped[0].Base
		l.high = min(l.high, l.end)
		l.rebuild()
	}
	l.cutEpochs()
	return dropped
}

// StartAt empties the log and has it begin at an offset: a follower that has nothing in common with what its leader still
// holds, or a boot that knows where a log without records began.
func (l *Log) StartAt(offset int64) {
	if offset < 0 {
		panic(fmt.Sprintf("partition: a log that begins at %d", offset))
	}
	l.batches, l.shed = nil, 0
	l.start, l.end, l.high = offset, offset, offset
	l.epochs = l.epochs[:0]
	l.rebuild()
}

// rebuild forgets what is known of producers and transactions and reads it from the records.
func (l *Log) rebuild() {
	l.producers, l.open, l.ended, l.verifications = nil, l.open[:0], l.ended[:0], nil
	for i := range l.batches {
		l.note(&l.batches[i])
	}
	l.unstable = l.firstUnstable()
}

// DropBefore takes away batches that lie wholly below an offset and below the high watermark, as retention does, and says
// how many. Producers stay known though their records go, until they expire or the log is read anew (KAFKA-7190), but see
// Config.EvictProducers. An open transaction does not hold retention up.
func (l *Log) DropBefore(offset int64) (batches int) {
	if batches = l.whole(min(offset, l.high)); batches == 0 {
		return 0
	}
	l.start = l.batches[batches-1].Next()
	l.shedFront(batches)
	l.dropEpochs()
	l.dropEnded()
	if l.cfg.EvictProducers {
		l.evict()
	}
	return batches
}

// shedFront forgets the first batches. The array goes once it holds more that is gone than is there, so that memory
// follows what the log holds at a constant cost for each batch.
func (l *Log) shedFront(batches int) {
	l.batches = l.batches[batches:]
	if l.shed += batches; l.shed > len(l.batches) {
		l.batches, l.shed = slices.Clone(l.batches), 0
	}
}

// ExpireProducers forgets those of which nothing was appended for so long, by the leaders' wall clocks that stamped it and
// this broker's that it is compared with, and that have no transaction open (producer.id.expiration.ms). It says how many.
func (l *Log) ExpireProducers(now sim.Time, older sim.Duration) (forgotten int) {
	had := len(l.producers)
	l.producers = slices.DeleteFunc(l.producers, func(p *producer) bool { return p.since == none && now.Sub(p.last) >= older })
	l.verifications = slices.DeleteFunc(l.verifications, func(v *Verification) bool { return now.Sub(v.asked) >= older })
	return had - len(l.producers)
}
