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
	CompletionForgotten Defect = iota
	CompletionLostToLock
	CompletionTwice
	EarlyProducerExpiry
	EndDuringTeardown
	EpochBumpInTransaction
	FailedFenceBumpsAgain
	FenceBumpsTwice
	FenceWithoutRotation
	FetchDuringValidation
	LostFlagDropped
	OlderClaimsIgnored
	OutOfOrderOnDuplicate
	OwnedWithoutGeneration
	RequireStableIgnored
	SequenceBeforePersist
	SequenceForgotten
	SkipsUnacknowledged
	StableOffsetReadTwice
	StartTimeChecked
	TimeoutWithoutFence
	TransactionInMemory
	TransactionalOffsetsInMemory
	WakesOnceASecond
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
		{"completion-forgotten", "what comes back for a transaction that a former coordinator of the same broker has decided makes the broker forget that it waits for the markers of the present one, which then stays prepared for ever (KAFKA-16352)", "github.com/apache/kafka/pull/15524"},
		{"completion-lost-to-lock", "the last marker of a transaction is noted while another write of its coordinator holds the lock, and nobody looks again: the transaction stays prepared for ever (KAFKA-9777)", "github.com/apache/kafka/pull/8389"},
		{"completion-twice", "the answers of two leaders at the same time both write that the transaction is complete; a coordinator that reads the second one behind the beginning of the next transaction takes that for ended (KAFKA-10080)", "github.com/apache/kafka/pull/8782"},
		{"early-producer-expiry", "a broker forgets a producer whose last batches were of an epoch before its last marker's as soon as it looks, because markers do not count as signs of life, so that a coordinator that was fenced may write markers again (Kafka until 2.4)", "KAFKA-9144; github.com/apache/kafka/pull/7687"},
		{"end-during-teardown", "while the markers of a transaction are on their way, the next one is begun and ended at once, with success and without any effect (YDB)", "github.com/ydb-platform/ydb/pull/52731"},
		{"epoch-bump-in-transaction", "a producer whose number is refused inside a transaction takes a new epoch from the coordinator, which ends that transaction and begins another, and goes on as if it were the same (librdkafka up to 1.8.0)", "github.com/confluentinc/librdkafka/releases/tag/v1.6.2, #3575"},
		{"failed-fence-bumps-again", "a coordinator whose log does not take an abort bumps the producer's epoch with each attempt, until there is none left (KAFKA-9666)", "github.com/apache/kafka/pull/8239"},
		{"fence-bumps-twice", "under version 2 an abort by the coordinator bumps the epoch, and so does the fence before it: at epoch 32766 the abort can never take place (KAFKA-19367)", "github.com/apache/kafka/pull/19910"},
		{"fence-without-rotation", "an abort by the coordinator at epoch 32766 leaves the last epoch to the producer, whose next transaction can neither end nor be aborted (KAFKA-20090)", "github.com/apache/kafka/pull/21506"},
		{"fetch-during-validation", "a client keeps what it has fetched while the position is validated after a change of the leader, and reads on at the validated position when that has succeeded, so that it hands the records out again (librdkafka before 2.1.1)", "github.com/confluentinc/librdkafka/pull/4261"},
		{"lost-flag-dropped", "a member that its poll interval or session puts out of the group while a rebalance waits for the loop does not note that its share is lost: it joins again with it and commits positions of partitions that others have by then (librdkafka, open in 2026)", "github.com/confluentinc/librdkafka/pull/5604"},
		{"older-claims-ignored", "the sticky assignor counts the claims of members of the newest generation only, so that a partition whose owner has missed a round is given to another before it is given up (Kafka before 3.5)", "issues.apache.org/jira/browse/KAFKA-14639"},
		{"out-of-order-on-duplicate", "a broker answers a batch that it has with OUT_OF_ORDER_SEQUENCE_NUMBER instead of the offset it had, so that the producer takes a new epoch and sends it again (Redpanda up to 21.10.2)", "github.com/redpanda-data/redpanda/issues/3039"},
		{"owned-without-generation", "the leader of a group is not told of which generation the partitions are that members say they hold, so that a claim from long ago weighs as much as one of now (Kafka before 3.2: KAFKA-12984, mended by KIP-792)", "issues.apache.org/jira/browse/KAFKA-12984"},
		{"require-stable-ignored", "a group's position is told as it was although a transaction that moves it is committed and its marker under way, to those too who asked for stable positions only (Redpanda 23.1)", "github.com/redpanda-data/redpanda/issues/9571"},
		{"sequence-before-persist", "a broker takes note of a sequence before the batch is stored, so that the retry of one that it failed to store is answered as a duplicate and nobody has it (Pulsar before 2.4.2, which tells the last pushed from the last persisted)", "github.com/apache/pulsar/issues/5218"},
		{"sequence-forgotten", "a producer that is told of a missing topic forgets its sequence numbers there and begins again at 0 in the same epoch, so that the log takes what comes for what it has, and says success (librdkafka)", "github.com/confluentinc/librdkafka/blob/master/CHANGELOG.md"},
		{"skips-unacknowledged", "a queue with a single active consumer that loses this one while it has no quorum does not give what was unacknowledged to the next one (RabbitMQ 3.8 before its release)", "github.com/Vanlightly/ChaosTestingCode"},
		{"stable-offset-read-twice", "a broker reads the high watermark twice while it computes the last stable offset, so that a reader of committed records gets undecided ones when it moves between (Kafka until 2.4)", "KAFKA-9807; github.com/apache/kafka/pull/8418"},
		{"start-time-checked", "a transaction that begins earlier than the one before it, by a wall clock that went back, fails on its way and stays so: nothing else can happen to it, and it never expires (KAFKA-8803)", "github.com/apache/kafka/pull/8278"},
		{"timeout-without-fence", "a transaction whose timeout is over is aborted under the producer's own epoch, so that the late producer goes on and commits what comes after (KAFKA-6119)", "github.com/apache/kafka/pull/4137"},
		{"transaction-in-memory", "a coordinator writes nothing until a transaction ends: the next coordinator knows nothing of the partitions that were added before (Redpanda)", "github.com/redpanda-data/redpanda/issues/6018"},
		{"transactional-offsets-in-memory", "the coordinator of a group keeps the positions of an open transaction in memory only, so that they are gone when it moves and the transaction commits without them (Redpanda until 22.2)", "github.com/redpanda-data/redpanda/pull/6785"},
		{"wakes-once-a-second", "a producer that has no answers to wait for waits for its sockets up to a second and is not woken by what is queued, which may be too late then (librdkafka of 2019 with acks=0)", "github.com/woohan/kafkaPrediction"},
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
