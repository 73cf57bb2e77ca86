package wire

import "github.com/twiceless/twiceless/sim"

// Topic is how a topic is set up: the controller and the brokers are given the same. Names are those of Kafka's topic
// configuration; what is zero is Kafka's default, but for retention, which is for ever here.
type Topic struct {
	Name       string
	Partitions int  // from 1
	Replicas   int  // default 3, or as many as there are brokers
	MinInSync  int  // min.insync.replicas: default 1
	Unclean    bool // unclean.leader.election.enable: a replica may lead that may lack what was committed

	FlushMessages int          // flush.messages: fsync when so many batches are not on the disk; 0 = never
	FlushAfter    sim.Duration // flush.ms: fsync so long after an append, on the broker's monotonic clock; 0 = never

	Retention        sim.Duration // retention.ms: by the wall clocks that stamped the batches and the leader's; 0 = for ever
	RetentionRecords int64        // in place of retention.bytes: how many records are kept; 0 = all
}

// WithInternal adds the topics that brokers keep for themselves, of so many partitions each, unless they are given: three
// replicas, and a transaction log that takes nothing with fewer than two in sync (transaction.state.log.min.isr). 0
// partitions = 3, where Kafka has 50.
func WithInternal(topics []Topic, offsets, transactions int) []Topic {
	out := append([]Topic(nil), topics...)
	for _, t := range []Topic{{Name: OffsetsTopic, Partitions: offsets}, {Name: TransactionsTopic, Partitions: transactions, MinInSync: 2}} {
		if t.Partitions == 0 {
			t.Partitions = 3
		}
		if !hasTopic(out, t.Name) {
			out = append(out, t)
		}
	}
	return out
}

func hasTopic(topics []Topic, name string) bool {
	for i := range topics {
		if topics[i].Name == name {
			return true
		}
	}
	return false
}

// Internal says whether brokers keep a topic for themselves.
func Internal(topic string) bool { return topic == OffsetsTopic || topic == TransactionsTopic }

// MinISR is MinInSync with its default, and no more than there are replicas: what acks=all, the high watermark and the
// eligible leader replicas go by.
func (t *Topic) MinISR(replicas int) int { return max(1, min(t.MinInSync, replicas)) }
