package blackbox

import "github.com/twiceless/twiceless/checker/ops"

// kafka judges a partitioned log by what its producers and consumers saw. A key is one partition. The log of a key is
//
//	Λ_k(o) = the values that somebody saw at offset o
//
// where evidence is every poll, whatever became of its transaction (a consumer must never be handed bad data, not even
// in a transaction that aborts), and a send only if it is known to be committed: acknowledged, or of unknown outcome
// and some value of its operation was returned by an acknowledged poll. The position of an offset is its rank among the
// offsets that hold something: gaps mean nothing, transactions leave them.
//
// Each class of anomalies has a file that states its rule:
//
//	kafkalog.go       what one record is: inconsistent-offsets, duplicate, G1a, phantom-read, precommitted-read
//	kafkamissing.go   what nobody read: lost-write, unseen, torn-transaction
//	kafkapolls.go     what one consumer saw: poll-skip, nonmonotonic-poll, both within an operation, fractured-read
//	kafkasends.go     what one producer heard: int-send-skip, nonmonotonic-send, realtime-offset-order
//	kafkacycles.go    what transactions say of each other: G0, G1c
//
// It assumes that a value is sent to a key once (otherwise the history is refused), that the history begins with an
// empty log, that nothing is removed from it by retention or compaction, and that the acknowledged polls together begin
// where the log does. What it cannot see: a record whose bytes changed, other than as a value that nobody sent
// (phantom-read) or another value at the same offset (inconsistent-offsets); a rebalance, so between two polls of a
// process that subscribes skips and repetitions are information.
//
// Cost: O(n log n) time for the sort of the records, linear memory: some 60 bytes an operation, 4 a returned record.
// Exercised: sent values that acknowledged polls returned. Nothing read back is vacuous: a log that is never read is
// never wrong.
func kafka() Model {
	return Model{
		Name: "kafka",
		Doc:  "a partitioned log keeps what it acknowledged, in order, and shows no more than that",
		Functions: []Function{
			{"send", `[["send", key, value], …], then ["send", key, [offset, value]]`},
			{"poll", `[["poll"], …], then ["poll", {key: [[offset, value], …]}]`},
			{"txn", "both in one transaction"},
			{"assign", "[key, …]: the consumer takes these keys"},
			{"subscribe", "[key, …]: the group is asked for these keys"},
			{"crash", "null: the client begins anew"},
			{"debug-topic-partitions", "anything: not looked at"},
		},
		Anomalies: kafkaAnomalies(),
		Promises:  []string{exactlyOnce, "at-least-once"},
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			return &kafkaJudge{kafkaStore: newKafkaStore(), problems: p, options: o}
		},
	}
}

// exactlyOnce promises idempotent producers: then a duplicate in the log is a violation.
const exactlyOnce = "exactly-once"

func kafkaAnomalies() []AnomalyKind {
	skips := []string{"poll-skip", "int-poll-skip"}
	return []AnomalyKind{
		{Name: "G0", Doc: "transactions sent before each other: a cycle of neighbouring records (allowed)"},
		{Name: "G1a", Doc: "an acknowledged poll returned a value whose send failed"},
		{Name: "G1c", Doc: "transactions read each other's values in a cycle (allowed if it needs the order of sends)"},
		{Name: "duplicate", Doc: "a value is at two offsets of its key (allowed at-least-once)"},
		{Name: "fractured-read", Doc: "an operation returned one record of a transaction and passed over another (allowed)", With: skips},
		{Name: "inconsistent-offsets", Doc: "two values are at one offset"},
		{Name: "int-nonmonotonic-poll", Doc: "within an operation a record came at or before the one returned before it"},
		{Name: "int-nonmonotonic-send", Doc: "within an operation a later send went to an earlier offset"},
		{Name: "int-poll-skip", Doc: "within an operation records were passed over"},
		{Name: "int-send-skip", Doc: "within an operation something else came between two sends (allowed)", With: []string{"G0"}},
		{Name: "lost-write", Doc: "a committed value was returned to nobody, though later ones of its key were"},
		{Name: "nonmonotonic-poll", Doc: "a process was handed records that it had been handed before (allowed when subscribing)"},
		{Name: "nonmonotonic-send", Doc: "a process's later send went to an earlier offset"},
		{Name: "phantom-read", Doc: "a poll returned a value that nobody sent"},
		{Name: "poll-skip", Doc: "between two polls of a process records were passed over (allowed when subscribing)"},
		{Name: "precommitted-read", Doc: "a transaction polled a value that it sends itself"},
		{Name: "realtime-offset-order", Doc: "a send that began after another one was acknowledged got a smaller offset"},
		{Name: "torn-transaction", Doc: "of a transaction one value was returned, and another is lost", With: []string{"lost-write", "unseen"}},
		{Name: "unseen", Doc: "a committed value was returned to nobody (undecided unless its key was drained)"},
	}
}

// kafkaJudge keeps the history in compact form and judges it at the end: positions are known only then.
type kafkaJudge struct {
	kafkaStore
	problems *ops.Problems
	options  Options
	fails    ops.Report // what breaks the promise
	allowed  ops.Report // what is counted and told
	numbers  map[string]int64
	log      kafkaLog
	links    []kafkaLink
}

// find counts one more of a name. Some names are a violation in one place and allowed in another: they are counted
// apart, so that an allowed one that comes first cannot hide the others.
func (j *kafkaJudge) find(name string, s ops.Severity, tell func(*ops.Anomaly)) {
	if s == ops.SeverityFail {
		j.fails.Find(name, s, tell)
	} else {
		j.allowed.Find(name, s, tell)
	}
}

// Report judges.
func (j *kafkaJudge) Report() *ops.Report {
	j.numbers = map[string]int64{}
	j.proveCommits()
	j.log = newKafkaLog(&j.kafkaStore)
	j.judgeRecords()
	j.judgeReads()
	j.judgeSends()
	drains := j.judgeConsumers()
	j.judgeMissing(drains)
	j.judgeCycles()
	j.countUnseen()
	return j.merge()
}

// merge makes one report of both. Where a name is in both, the violation is told and the allowed ones are a number.
func (j *kafkaJudge) merge() *ops.Report {
	r := &j.fails
	known := map[string]bool{}
	for _, a := range r.Anomalies {
		known[a.Name] = true
	}
	for _, a := range j.allowed.Anomalies {
		if known[a.Name] {
			j.numbers["allowed-"+a.Name] = a.Count
		} else {
			r.Anomalies = append(r.Anomalies, a)
		}
	}
	r.Numbers = j.numbers
	r.Numbers["operations"] = int64(len(j.ops))
	r.Numbers["keys"] = int64(len(j.keys))
	r.Numbers["values"] = int64(len(j.values))
	for _, v := range j.values {
		if v.reader != none && v.writer != none {
			r.Exercised++
		}
	}
	r.Numbers["read-values"] = r.Exercised
	if r.Exercised == 0 {
		r.Why = append(r.Why, "no acknowledged poll returned a value that was sent: whether the log keeps what it acknowledges could not show")
	}
	r.Sort()
	return r
}
