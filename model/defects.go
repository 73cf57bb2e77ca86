package model

import "fmt"

// Defects is a set of published defects: what some version of a real system or client did, and a later one mended. A
// world is built with them to reproduce the failure that was published; the zero value has none. Unlike planted bugs
// they show that the models are faithful: see the catalogue of failures.
type Defects uint64

// Defect is one of them. Each constant is a row of DefectTable, in its order, which is that of the names.
type Defect uint8

// The defects.
const (
	EarlyProducerExpiry Defect = iota
	OutOfOrderOnDuplicate
	OwnedWithoutGeneration
	RequireStableIgnored
	SequenceBeforePersist
	StableOffsetReadTwice
	TransactionalOffsetsInMemory
)

// DefectKind is one row of the table.
type DefectKind struct {
	Name   string // kebab-case, in scenario files
	Doc    string // what is wrong, who did so, what mended it
	Source string // where it was published
}

// DefectTable lists the defects, sorted by name.
func DefectTable() []DefectKind {
	return []DefectKind{
		{"early-producer-expiry", "a broker forgets a producer whose last batches were of an epoch before its last marker's as soon as it looks, because markers do not count as signs of life, so that a coordinator that was fenced may write markers again (Kafka until 2.4)", "KAFKA-9144; github.com/apache/kafka/pull/7687"},
		{"out-of-order-on-duplicate", "a broker answers a batch that it has with OUT_OF_ORDER_SEQUENCE_NUMBER instead of the offset it had, so that the producer takes a new epoch and sends it again (Redpanda up to 21.10.2)", "github.com/redpanda-data/redpanda/issues/3039"},
		{"owned-without-generation", "the leader of a group is not told of which generation the partitions are that members say they hold, so that a claim from long ago weighs as much as one of now (Kafka before 3.2: KAFKA-12984, mended by KIP-792)", "issues.apache.org/jira/browse/KAFKA-12984"},
		{"require-stable-ignored", "a group's position is told as it was although a transaction that moves it is committed and its marker under way, to those too who asked for stable positions only (Redpanda 23.1)", "github.com/redpanda-data/redpanda/issues/9571"},
		{"sequence-before-persist", "a broker takes note of a sequence before the batch is stored, so that the retry of one that it failed to store is answered as a duplicate and nobody has it (Pulsar before 2.4.2, which tells the last pushed from the last persisted)", "github.com/apache/pulsar/issues/5218"},
		{"stable-offset-read-twice", "a broker reads the high watermark twice while it computes the last stable offset, so that a reader of committed records gets undecided ones when it moves between (Kafka until 2.4)", "KAFKA-9807; github.com/apache/kafka/pull/8418"},
		{"transactional-offsets-in-memory", "the coordinator of a group keeps the positions of an open transaction in memory only, so that they are gone when it moves and the transaction commits without them (Redpanda until 22.2)", "github.com/redpanda-data/redpanda/pull/6785"},
	}
}

// Has says whether the defect is in the set.
func (d Defects) Has(one Defect) bool { return d&(1<<one) != 0 }

// With is the set and one more.
func (d Defects) With(one Defect) Defects { return d | 1<<one }

// ParseDefects reads names; an unknown one is an error.
func ParseDefects(names []string) (d Defects, err error) {
next:
	for _, name := range names {
		for i, k := range DefectTable() {
			if k.Name == name {
				d = d.With(Defect(i))
				continue next
			}
		}
		return 0, fmt.Errorf("unknown defect %q", name)
	}
	return d, nil
}
