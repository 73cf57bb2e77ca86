package model

import (
	"fmt"
	"strings"
)

// Bug is a planted bug: a published defect that one world can be built with, to show that the checkers would find it.
// Where it lives is one if beside the rule that it breaks.
type Bug uint8

// The bugs. Each constant is a row of Bugs, in its order.
const (
	AttemptDerivedKey Bug = iota
	CommitBeforeEffect
	CommitOfRevokedPartition
	DeadLetterWithoutKey
	EffectBeforeClaim
	FenceUnchecked
	InMemoryCheckpoint
	LeaseWithoutToken
	MarkBeforeEffect
	PageCacheLostOnKill
	ReadsNotValidated
	RetryChangesEventID
	TTLOnCallersClock
	UnfencedZombie
)

// BugKind is one row of the table of planted bugs.
type BugKind struct {
	Name  string // kebab-case, in cases and on command lines
	Doc   string // what is wrong, and which published failure or rule it is
	Where string // the function that has the if
}

// Bugs lists the planted bugs, sorted by name.
func Bugs() []BugKind {
	return []BugKind{
		{"attempt-derived-key", "the idempotency key holds the attempt, so that a retry after a lost reply carries a key that nobody has seen (a key names the intent, never the try: Stripe's rule for retries)", "stack: idempotencyKey.key"},
		{"commit-before-effect", "the position moves on before the handler has run, under an engine that promises the opposite order (Kafka's auto-commit with a hand-off, Jepsen on Bufstream 0.1.0)", "stack: commitAfterLoop"},
		{"commit-of-revoked-partition", "the client is not told of a revocation and commits what it read before under the next generation, for partitions that are another's by then (librdkafka, pull request 5604)", "consumer: Consumer.revoke"},
		{"dead-letter-without-key", "a parked record loses its business key: who puts it back puts it into any partition, out of order with its key", "stack: park"},
		{"effect-before-claim", "the effect is called first and claimed afterwards, so that whoever comes after a crash between the two applies it again", "stack: guard"},
		{"fence-unchecked", "the called service is sent the fence and does not compare it, so that a paused consumer acts after its successor (Kleppmann, How to do distributed locking, 2016)", "downstream: service.fenced"},
		{"in-memory-checkpoint", "a member that is given a partition again goes on where it left off, from its own memory, though others have moved the group's position since (Kafka's rule: a position is fetched with each assignment)", "consumer: Consumer.fromMemory"},
		{"lease-without-token", "the consumer looks at its lease before the call and sends no token with it, so that a pause between the two goes unnoticed (Kleppmann, 2016)", "stack: fence.byLease"},
		{"mark-before-effect", "the dedup record says done before the effect has taken place, so that a crash between the two loses the event (Pulsar, issue 5218: a sequence was recorded before its write had succeeded)", "stack: guard"},
		{"page-cache-lost-on-kill", "the kernel's disk forgets at a plain kill what only a power loss takes: a simulator with it tests another failure than it says", "sim: Node.stop"},
		{"reads-not-validated", "the database commits a serializable transaction without looking whether what it has read still stands, so that two of them act on the same version (Jepsen on PostgreSQL 12.3, 2020: serializable transactions with G2-item)", "downstream: database.check, Relational.Prepare"},
		{"retry-changes-event-id", "a retry gives the event a new id, so that nothing downstream recognises it as the same (a retry is the same event; the attempt is never part of its identity)", "stack: retry.persist"},
		{"ttl-on-callers-clock", "the window of a dedup record is judged by the caller's clock, which the request carries, so that a consumer whose clock is ahead is granted what was done", "store: durable.clock"},
		{"unfenced-zombie", "the coordinator takes commits of a former generation, so that a consumer that was replaced moves its successor's position (Kafka refuses these with ILLEGAL_GENERATION)", "broker/groups: Coordinator.mayCommit"},
	}
}

// Planted is the set of bugs that a world has; the zero value has none.
type Planted uint64

// Has says whether the bug is in the set.
func (p Planted) Has(b Bug) bool { return p>>b&1 == 1 }

// PlantedBugs makes the set of these names. The error lists every name that is unknown or there twice.
func PlantedBugs(names []string) (Planted, error) {
	var set Planted
	var wrong []string
	for _, name := range names {
		b, known := bugByName(name)
		switch {
		case !known:
			wrong = append(wrong, fmt.Sprintf("unknown planted bug %q", name))
		case set.Has(b):
			wrong = append(wrong, fmt.Sprintf("planted bug %s is there twice", name))
		}
		if known {
			set |= 1 << b
		}
	}
	if len(wrong) > 0 {
		return 0, fmt.Errorf("%s", strings.Join(wrong, "; "))
	}
	return set, nil
}

func bugByName(name string) (Bug, bool) {
	for i, k := range Bugs() {
		if k.Name == name {
			return Bug(i), true
		}
	}
	return 0, false
}
