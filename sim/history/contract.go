package history

// Promise is what a stack says about one property.
type Promise string

// Never is a promise; Allowed and the empty string permit.
const (
	Never   Promise = "never"
	Allowed Promise = "allowed"
)

// Contract is what a stack promises, inside which envelope. A property that it does not name is permitted.
type Contract struct {
	Duplicates map[string]Promise `json:"duplicates,omitempty"` // by effect class
	Loss       Promise            `json:"loss,omitempty"`
	Order      string             `json:"order,omitempty"` // per-key or ""
	Zombies    Promise            `json:"zombies,omitempty"`
	Envelope   []Bound            `json:"envelope,omitempty"`
}

// Bound is one limit of an envelope: dimension ≤ Max. Max is ns for durations and a count otherwise.
type Bound struct {
	Dimension Dimension `json:"dimension"`
	Max       int64     `json:"max"`
}

// Property names what is judged. The list is closed.
type Property string

// The properties of the exactly-once ledger and of judged objects.
const (
	PropDuplicateCritical Property = "duplicate-effect (critical)"
	PropDuplicateState    Property = "duplicate-effect (state)"
	PropDuplicateNotify   Property = "duplicate-effect (notify)"
	PropDuplicateDerived  Property = "duplicate-effect (derived)"
	PropLoss              Property = "loss"
	PropOrder             Property = "order (per key)"
	PropPhantom           Property = "phantom-effect"
	PropLinearizable      Property = "linearizability"
	PropStuck             Property = "stuck"
	PropZombie            Property = "zombie-effect"
	PropCommit            Property = "commit-ownership"
	PropDeadLetter        Property = "dead-letter"
	PropPageCache         Property = "page-cache"
	PropHarness           Property = "harness"
)

// The properties of logs.
const (
	PropDurability         Property = "durability-loss"
	PropTorn               Property = "torn-transaction"
	PropSequence           Property = "sequence-break"
	PropZombieWrite        Property = "zombie-write"
	PropLogRegress         Property = "log-regress"
	PropCompaction         Property = "compaction-loss"
	PropDuplicateRecord    Property = "duplicate-record"
	PropCorruptedRecord    Property = "corrupted-record"
	PropInconsistentOffset Property = "inconsistent-offset"
	PropOffsetOrder        Property = "realtime-offset-order"
	PropPosition           Property = "position-beyond-log"
)

// The properties of consumer groups and of deliveries.
const (
	PropDoubleOwner       Property = "double-ownership"
	PropOutsideAssignment Property = "consumption-outside-assignment"
	PropPositionJump      Property = "position-jump"
	PropCommitAhead       Property = "commit-ahead-of-effect"
	PropCommitRegress     Property = "commit-regress"
	PropAutoCommit        Property = "auto-commit-too-far"
	PropAbortRewind       Property = "abort-rewind"
	PropRedelivery        Property = "redelivery"
	PropRecovered         Property = "recovered"
)

// Properties of effects that nobody promises.
const (
	PropDivergentDuplicate Property = "divergent-duplicate"
	PropDivergentAnswer    Property = "divergent-answer"
	PropFalseDedup         Property = "false-deduplication"
	PropStaleOverwrite     Property = "stale-overwrite"
	PropWrongFold          Property = "wrong-fold"
	PropConsumeProduceTear Property = "consume-produce-tear"
	PropDualWriteTear      Property = "dual-write-tear"
	PropAccountedTwice     Property = "accounted-twice"
	PropInversion          Property = "effect-order-inversion"
	PropMoneyTotal         Property = "money-not-conserved"
	PropMoneyNegative      Property = "negative-balance"
	PropMoneyUnknown       Property = "unknown-account"
	PropMoneyMissing       Property = "missing-account"
)

// Properties of sagas and workflows that nobody promises.
const (
	PropSagaPartial           Property = "partial-saga"
	PropSagaTwoEnds           Property = "compensated-and-completed"
	PropSagaDuplicateStep     Property = "duplicate-step"
	PropSagaDuplicateReversal Property = "duplicate-compensation"
	PropSagaEmptyReversal     Property = "empty-compensation"
	PropSagaDangling          Property = "dangling-step"
	PropSagaReversalOrder     Property = "compensation-order"
	PropSagaPivot             Property = "pivot-violation"
	PropSagaDirtyRead         Property = "dirty-saga-read"
	PropReservationLeaked     Property = "leaked-reservation"
	PropReplayDivergence      Property = "replay-divergence"
	PropActivityAtMostOnce    Property = "activity-at-most-once"
	PropSignalLost            Property = "signal-lost"
	PropSignalDuplicated      Property = "signal-duplicated"
	PropSignalReordered       Property = "signal-reordered"
	PropTimerEarly            Property = "timer-early"
	PropTimerNever            Property = "timer-never"
	PropTimerTwice            Property = "timer-twice"
	PropDoubleStart           Property = "double-start"
)

// Properties of what becomes of a run after its last fault. Nobody promises them.
const (
	PropDrained        Property = "drained"
	PropStuckPartition Property = "stuck-partition"
	PropOpenForEver    Property = "transaction-without-end"
	PropLivelock       Property = "livelock"
	PropPoisonLoop     Property = "poison-loop"
	PropStarvation     Property = "starvation"
	PropConvergence    Property = "convergence"
	PropVisibility     Property = "eventual-visibility"
)

// PropIsolation is the property of databases.
const PropIsolation Property = "isolation"

// Weight says what a violated property means.
type Weight uint8

// Promised properties break a stack's contract where it promises them, guaranteed ones are rules of the components that
// all stacks are made of, noted ones are counted and told: nobody promises their absence.
const (
	Promised Weight = iota
	Guaranteed
	Noted
)

// weightTable names the weights, with what each means.
var weightTable = [...]struct{ name, doc string }{
	Promised:   {"promised", "a violation breaks the contract of a stack that promises against it"},
	Guaranteed: {"guaranteed", "a rule of the components that all stacks are made of: no plan and no contract excuses a violation"},
	Noted:      {"noted", "counted and told beside what is found: nobody promises its absence"},
}

// String is the weight's name.
func (w Weight) String() string { return weightTable[w].name }

// Doc is one sentence about the weight.
func (w Weight) Doc() string { return weightTable[w].doc }

// DuplicateOf is the duplicate property of a class.
func DuplicateOf(c Class) Property {
	return [...]Property{"", PropDuplicateCritical, PropDuplicateState, PropDuplicateNotify, PropDuplicateDerived}[c]
}

// Label says what failed first on the way to a finding. The table is closed.
type Label string

// The cause labels.
const (
	LabelRedeliveredAfterCommitLost Label = "redelivered-after-commit-lost" // effect applied, its commit never took place
	LabelRedeliveredAfterRebalance  Label = "redelivered-after-rebalance"   // a zombie and its successor both applied
	LabelRedeliveredAfterReplay     Label = "redelivered-after-replay"      // an operator set the group's position back, or published a dead letter again
	LabelRedeliveredAfterTimeout    Label = "redelivered-after-timeout"     // a queue handed out again what was in work
	LabelRedeliveredAfterAck        Label = "redelivered-after-ack"         // a queue handed out again what was acknowledged
	LabelLeftQueue                  Label = "left-queue"                    // a queue gave a message up
	LabelReplyLost                  Label = "applied-reply-lost"            // applied, the caller was not told, it called again
	LabelHandlerRetried             Label = "handler-retried"               // a later stage failed and the whole handler ran again
	LabelMarkLost                   Label = "done-mark-lost"                // applied and acknowledged, but the caller's record of it was lost, and it called again
	LabelPublishedTwice             Label = "published-twice"               // the producer's retry made two records
	LabelDedupRecordLost            Label = "dedup-record-lost"
	LabelDedupRecordExpired         Label = "dedup-record-expired"
	LabelCommittedBeforeEffect      Label = "committed-before-effect" // position moved on, the effect never came
	LabelDroppedWithoutTrace        Label = "dropped-without-trace"   // consumer code gave up, only a log line remains
	LabelNeverAppended              Label = "never-appended"          // accepted, but no log ever took it
	LabelTruncated                  Label = "truncated"               // a log took it and no longer holds it
	LabelSuppressedWithoutEffect    Label = "suppressed-without-effect"
	LabelStuckInStore               Label = "stuck-in-store"
	LabelReordered                  Label = "overtaken"
	LabelUnexplained                Label = "unexplained"
	LabelNotFenced                  Label = "not-fenced" // an earlier owner acted after a later one
	LabelNotOwned                   Label = "not-owned"  // the member had given the partition up, or never had it
	LabelRecordIncomplete           Label = "record-incomplete"
	LabelForgottenByKill            Label = "forgotten-by-kill"

	LabelMarkersDiffer      Label = "markers-differ"
	LabelSequenceAgain      Label = "sequence-again"
	LabelSequenceGap        Label = "sequence-gap"
	LabelWatermarkBack      Label = "watermark-back"
	LabelEpochBack          Label = "epoch-back"
	LabelReplicasDiffer     Label = "replicas-differ"
	LabelLastValueGone      Label = "last-value-gone"
	LabelKeyReappears       Label = "key-reappears"
	LabelRecordAltered      Label = "record-altered"
	LabelOffsetReused       Label = "offset-reused"
	LabelMovedBack          Label = "moved-back"
	LabelMovedForward       Label = "moved-forward"
	LabelBeyondEnd          Label = "beyond-end"
	LabelStaleOwner         Label = "stale-owner"
	LabelGivenToTwo         Label = "given-to-two"
	LabelInWork             Label = "committed-in-work"
	LabelAnswerUncertain    Label = "answer-uncertain"
	LabelKeyCollision       Label = "dedup-key-collision"        // the record was another event's
	LabelRecordBeforeEffect Label = "dedup-record-before-effect" // its own record, made before the effect or without it
	LabelPayloadDiffers     Label = "payload-differs"
	LabelHalfMissing        Label = "other-half-missing" // one of two things that go together is durable
	LabelOlderStateKept     Label = "older-state-kept"
	LabelMiscounted         Label = "miscounted"
	LabelDoneAndParked      Label = "done-and-parked"
	LabelStepMissing        Label = "step-missing"
	LabelStepLeft           Label = "step-left-standing"
	LabelEndedTwoWays       Label = "ended-two-ways"
	LabelNothingToReverse   Label = "nothing-to-reverse"
	LabelLateStep           Label = "late-step"
	LabelPastPivot          Label = "past-the-pivot"
	LabelNeverSettled       Label = "never-settled"
	LabelReversedAfterRead  Label = "reversed-after-read"
	LabelOtherCommand       Label = "other-command"
	LabelRepeated           Label = "repeated"
	LabelNeverCame          Label = "never-came"
	LabelTooEarly           Label = "too-early"
	LabelTooLate            Label = "too-late"
	LabelNothingMoves       Label = "nothing-moves"
	LabelWithoutProgress    Label = "activity-without-progress"
	LabelPassedOver         Label = "passed-over"
	LabelStatesDiffer       Label = "states-differ"

	LabelDirtyWrite    Label = "dirty-write"
	LabelDirtyRead     Label = "dirty-read"
	LabelCircularRead  Label = "circular-read"
	LabelContradiction Label = "own-contradiction"
	LabelLostUpdate    Label = "lost-update"
	LabelReadSkew      Label = "read-skew"
	LabelLongFork      Label = "long-fork"
	LabelWriteSkew     Label = "write-skew"
)

type labelRow = struct {
	Name Label
	Doc  string
}

// Labels lists the closed table with one sentence each.
func Labels() []labelRow {
	return []labelRow{
		{LabelReplyLost, "a resource applied the call, its reply never came, the caller called again"},
		{LabelCommittedBeforeEffect, "the group's position moved past the event before its effect took place"},
		{LabelDedupRecordExpired, "the record that would have recognised the repetition had expired"},
		{LabelDedupRecordLost, "the record that would have recognised the repetition was lost"},
		{LabelMarkLost, "a resource applied the call and said so, the caller stopped before its own record of it was durable, and called again"},
		{LabelDroppedWithoutTrace, "consumer code gave the event up and left only a log line"},
		{LabelHandlerRetried, "a later stage failed and the whole handler ran again"},
		{LabelNeverAppended, "the application was told success, but no log took the record"},
		{LabelReordered, "a later event of the same key was applied first"},
		{LabelPublishedTwice, "the producer's retry put the event into the log twice"},
		{LabelRedeliveredAfterCommitLost, "the effect was applied, the commit of its position never took place, the event came again"},
		{LabelRedeliveredAfterRebalance, "the partition moved while the event was in work: a zombie and its successor both applied it"},
		{LabelRedeliveredAfterReplay, "an operator set the group's position back or published a dead letter again, and the event came again"},
		{LabelRedeliveredAfterTimeout, "the event was still in work when the queue handed it out again"},
		{LabelRedeliveredAfterAck, "the queue had taken the event out, and handed it out again all the same"},
		{LabelLeftQueue, "the queue gave the event up: it expired, or was received too often, and nobody took it over"},
		{LabelStuckInStore, "a store still holds the event where a live component would take it up"},
		{LabelSuppressedWithoutEffect, "the event was taken for a repetition although its effect never took place"},
		{LabelTruncated, "a log took the record and later no longer held it"},
		{LabelForgottenByKill, "a process ended and its disk held less afterwards, although the machine had not"},
		{LabelNotFenced, "a party took what an earlier owner asked for after a later owner had taken over"},
		{LabelNotOwned, "a member acted for a partition that it had given up, or never had, in that generation"},
		{LabelRecordIncomplete, "the record of an event that was given up lacks what is needed to take it up again"},
		{LabelMarkersDiffer, "the partitions of one transaction were told different ends of it, or only some were told"},
		{LabelSequenceAgain, "a log took a sequence number of a producer that it already had"},
		{LabelSequenceGap, "a log took a sequence number of a producer before the one that comes first"},
		{LabelWatermarkBack, "a leader stated a lower watermark than had been stated"},
		{LabelEpochBack, "an older leader epoch follows a newer one"},
		{LabelReplicasDiffer, "two replicas hold different records at one offset below the high watermark"},
		{LabelLastValueGone, "a compaction took the last value of a key away"},
		{LabelKeyReappears, "a compaction took the tombstone of a key away and left an older value"},
		{LabelRecordAltered, "what was handed out is not what the log took at that offset"},
		{LabelOffsetReused, "an offset was given to two records"},
		{LabelMovedBack, "a position went back although nobody had reset it"},
		{LabelMovedForward, "a position went forward over records that were not handed out"},
		{LabelBeyondEnd, "a position was moved past the end of the log"},
		{LabelStaleOwner, "a member had been replaced and did not know it yet"},
		{LabelGivenToTwo, "a group gave one partition to two members in one generation"},
		{LabelInWork, "a position was moved past a record that was still in work"},
		{LabelAnswerUncertain, "the producer gave up without knowing that the record was written"},
		{LabelKeyCollision, "the event was taken for another one that has the same dedup key"},
		{LabelRecordBeforeEffect, "the record that says that the effect took place was made without it"},
		{LabelPayloadDiffers, "the same thing was done or answered twice with different contents"},
		{LabelHalfMissing, "one of two things that become durable together is there and the other is not"},
		{LabelOlderStateKept, "an older event's write replaced a newer one's, and stayed"},
		{LabelMiscounted, "the value is not what the inputs add up to"},
		{LabelDoneAndParked, "the event is done and waits for a person as well, who would do it again"},
		{LabelStepMissing, "the saga told that it is complete, and a step never took place"},
		{LabelStepLeft, "the saga told that it is compensated, and a step still stands"},
		{LabelEndedTwoWays, "the saga told one end and its steps, or its other word, tell another"},
		{LabelNothingToReverse, "a compensation changed something although its step had not taken place"},
		{LabelLateStep, "a step took place after its compensation, or after the end of its saga, and stays"},
		{LabelPastPivot, "the saga turned back behind the point from which it may only go on"},
		{LabelNeverSettled, "at the end it is neither confirmed nor released"},
		{LabelReversedAfterRead, "what was acted on was compensated away afterwards"},
		{LabelOtherCommand, "the code went another way than in its first execution"},
		{LabelRepeated, "it took place more often than once"},
		{LabelNeverCame, "at the end it had not taken place"},
		{LabelTooEarly, "it took place before it was due"},
		{LabelTooLate, "it took place later than the run's limit after the last fault"},
		{LabelNothingMoves, "there is work, somebody to do it, and nothing moves"},
		{LabelWithoutProgress, "parties keep trying and nothing is finished"},
		{LabelPassedOver, "younger ones came, this one did not"},
		{LabelStatesDiffer, "copies of one state differ after everything has come to rest"},
		{LabelDirtyWrite, "writes of transactions were interleaved, or came on top of what was rolled back"},
		{LabelDirtyRead, "a transaction read what was never committed"},
		{LabelCircularRead, "transactions read from each other in a circle"},
		{LabelContradiction, "a transaction read something else than it had read or written itself"},
		{LabelLostUpdate, "two transactions read the same version and both replaced it"},
		{LabelReadSkew, "a transaction saw part of another one and missed the rest"},
		{LabelLongFork, "transactions saw others in different orders"},
		{LabelWriteSkew, "transactions acted on what they had read after another had replaced it"},
		{LabelUnexplained, "no rule of the judge explains it"},
	}
}

// Finding is a violated property with its evidence.
type Finding struct {
	Property Property
	Event    string  // intent concerned; "" = none
	Stage    string  //
	Label    Label   // what failed first
	Evidence []int64 // fact ids, ascending
	Detail   string  // one sentence for people
}

// Fingerprint identifies the finding across seeds: property, stage, cause label; no ids, no times.
func (f Finding) Fingerprint() string {
	return string(f.Property) + "/" + f.Stage + "/" + string(f.Label)
}
