package wire

import (
	"errors"
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// What brokers answer. Each says after which Kafka error code it is modelled.
var (
	ErrUnknownTopic         = errors.New("unknown topic or partition")               // UNKNOWN_TOPIC_OR_PARTITION
	ErrNotLeader            = errors.New("not the leader")                           // NOT_LEADER_OR_FOLLOWER
	ErrLeaderNotAvailable   = errors.New("no leader")                                // LEADER_NOT_AVAILABLE
	ErrFencedLeaderEpoch    = errors.New("fenced leader epoch")                      // FENCED_LEADER_EPOCH: the asker's is older
	ErrUnknownLeaderEpoch   = errors.New("unknown leader epoch")                     // UNKNOWN_LEADER_EPOCH: the asker's is newer
	ErrOffsetOutOfRange     = errors.New("offset out of range")                      // OFFSET_OUT_OF_RANGE
	ErrOffsetNotAvailable   = errors.New("offset not available")                     // OFFSET_NOT_AVAILABLE (KIP-207)
	ErrNotEnoughReplicas    = errors.New("not enough in-sync replicas")              // NOT_ENOUGH_REPLICAS: nothing was written
	ErrNotEnoughAfter       = errors.New("not enough in-sync replicas: after")       // NOT_ENOUGH_REPLICAS_AFTER_APPEND: it was written
	ErrRequestTimedOut      = errors.New("request timed out at the broker")          // REQUEST_TIMED_OUT: it was written, and may stay
	ErrMessageTooLarge      = errors.New("message too large")                        // MESSAGE_TOO_LARGE
	ErrStaleBrokerEpoch     = errors.New("stale broker epoch")                       // STALE_BROKER_EPOCH
	ErrIneligibleReplica    = errors.New("ineligible replica")                       // INELIGIBLE_REPLICA
	ErrInvalidUpdate        = errors.New("partition epoch is not the present")       // INVALID_UPDATE_VERSION
	ErrOutOfOrderSequence   = errors.New("out of order sequence number")             // OUT_OF_ORDER_SEQUENCE_NUMBER
	ErrDuplicateSequence    = errors.New("duplicate sequence number")                // DUPLICATE_SEQUENCE_NUMBER
	ErrUnknownProducer      = errors.New("unknown producer id")                      // UNKNOWN_PRODUCER_ID
	ErrInvalidProducer      = errors.New("invalid producer epoch")                   // INVALID_PRODUCER_EPOCH
	ErrProducerFenced       = errors.New("producer fenced")                          // PRODUCER_FENCED
	ErrInvalidMapping       = errors.New("transactional id has another producer id") // INVALID_PRODUCER_ID_MAPPING
	ErrInvalidTxnState      = errors.New("invalid transaction state")                // INVALID_TXN_STATE
	ErrConcurrentTxn        = errors.New("concurrent transactions")                  // CONCURRENT_TRANSACTIONS: ask again
	ErrTransactionAbort     = errors.New("the transaction can only be aborted")      // TRANSACTION_ABORTABLE
	ErrInvalidTimeout       = errors.New("invalid transaction timeout")              // INVALID_TRANSACTION_TIMEOUT
	ErrCoordinatorFenced    = errors.New("transaction coordinator fenced")           // TRANSACTION_COORDINATOR_FENCED
	ErrNotCoordinator       = errors.New("not the coordinator")                      // NOT_COORDINATOR
	ErrCoordinatorLoading   = errors.New("the coordinator is loading")               // COORDINATOR_LOAD_IN_PROGRESS
	ErrNoCoordinator        = errors.New("no coordinator")                           // COORDINATOR_NOT_AVAILABLE
	ErrRebalance            = errors.New("rebalance in progress")                    // REBALANCE_IN_PROGRESS
	ErrIllegalGeneration    = errors.New("illegal generation")                       // ILLEGAL_GENERATION
	ErrUnknownMember        = errors.New("unknown member")                           // UNKNOWN_MEMBER_ID
	ErrMemberIDRequired     = errors.New("member id required")                       // MEMBER_ID_REQUIRED (KIP-394)
	ErrFencedInstance       = errors.New("fenced instance id")                       // FENCED_INSTANCE_ID
	ErrInconsistentProtocol = errors.New("no assignment protocol in common")         // INCONSISTENT_GROUP_PROTOCOL
	ErrFencedMemberEpoch    = errors.New("fenced member epoch")                      // FENCED_MEMBER_EPOCH (KIP-848)
	ErrStaleMemberEpoch     = errors.New("stale member epoch")                       // STALE_MEMBER_EPOCH (KIP-848): of a commit
	ErrUnreleasedInstance   = errors.New("instance id not released")                 // UNRELEASED_INSTANCE_ID (KIP-848)
	ErrUnstableOffset       = errors.New("unstable offset commit")                   // UNSTABLE_OFFSET_COMMIT (KIP-447)
	ErrDuplicateBroker      = errors.New("the broker's last session is not over")    // DUPLICATE_BROKER_REGISTRATION
	ErrUnknownServer        = errors.New("unexpected error at the broker")           // UNKNOWN_SERVER_ERROR: a defect of the broker; asking again is no use
)

// ErrNotLeaderAfter is ErrNotLeader of a broker that had appended before another was elected: the record may stay. Kafka
// has one code for both, so that a client that is told it knows nothing.
var ErrNotLeaderAfter = fmt.Errorf("after the append: %w", ErrNotLeader)

// MemberIDRequired is how ErrMemberIDRequired comes: a newcomer is to join again with this id.
type MemberIDRequired struct{ Member string }

// Error is the text of ErrMemberIDRequired.
func (e MemberIDRequired) Error() string { return ErrMemberIDRequired.Error() }

// Unwrap is ErrMemberIDRequired.
func (MemberIDRequired) Unwrap() error { return ErrMemberIDRequired }

// Definite says whether the error proves that what was asked for has not taken effect and will not. A timeout, a reset, a
// broker that gave up waiting for its followers, and one whose in-sync set shrank or whose leadership ended after it had appended
// prove nothing.
func Definite(err error) bool {
	return model.Definite(err) && !errors.Is(err, ErrNotEnoughAfter) && !errors.Is(err, ErrRequestTimedOut) && !errors.Is(err, ErrNotLeaderAfter)
}

// Retriable says whether a client may ask again, as it is or after it has looked who leads: Kafka's RetriableException.
func Retriable(err error) bool {
	for _, e := range []error{ErrUnknownTopic, ErrNotLeader, ErrLeaderNotAvailable, ErrFencedLeaderEpoch, ErrUnknownLeaderEpoch, ErrOffsetNotAvailable,
		ErrNotEnoughReplicas, ErrNotEnoughAfter, ErrRequestTimedOut, ErrConcurrentTxn, ErrNotCoordinator, ErrCoordinatorLoading, ErrNoCoordinator,
		ErrUnstableOffset, sim.ErrRefused} {
		if errors.Is(err, e) {
			return true
		}
	}
	return !model.Definite(err)
}
