package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
)

// derive computes the phases that follow from the rest.
func (s *Scenario) derive() {
	s.Phases.WarmUp = max(8*nsSecond, roundUp(s.Broker.RebalanceDelay+4*nsSecond, nsSecond), roundUp(s.Broker.election()+3*nsSecond, nsSecond))
	s.Phases.Chain = s.chain()
	s.Phases.Drain = max(s.Phases.Drain, s.drainFloor())
}

// election is the longest time until the nodes of a queue that have just been started elect a leader.
func (b *Broker) election() int64 {
	if b.Queue == nil {
		return 0
	}
	kind, _ := queue.KindByName(b.Queue.Profile) // an unknown word has been reported
	if kind.Config == nil {
		return 0
	}
	return int64(kind.Config().ElectionMax)
}

// drainFloor is the drain's limit unless a file lengthens it.
func (s *Scenario) drainFloor() int64 { return roundUp(3*s.Phases.Chain, nsMinute) + 10*nsMinute }

// abortScan is how much later than its timeout a transaction may be aborted.
const abortScan = 10 * nsSecond

// chain is the longest chain of timeouts of any stack: nothing that is still alive waits longer for one thing.
func (s *Scenario) chain() int64 {
	var run sim.Duration // through the flow
	for _, st := range s.Flow {
		if st.Service != "" {
			run += sim.Duration(s.Consumers.CallTimeout)
		}
	}
	failover := s.Broker.BrokerSession + s.Broker.ReplicaLag // a leader is replaced, and its follower leaves the ISR
	longest := max(s.Producer.DeliveryTimeout, s.Broker.SessionTimeout+s.Consumers.MaxPollInterval, failover+s.Consumers.CommitTimeout)
	if q := s.Broker.Queue; q != nil {
		longest = max(longest, q.Visibility+int64(run))
	}
	longest = max(longest, s.Producer.TransactionTimeout+abortScan+failover) // readers of what is committed wait for it
	for _, st := range s.Stacks {
		longest = max(longest, int64(st.keeps(run)))
	}
	return longest
}

// keeps is the longest time that the layers keep one message, if one run through the flow may take so long.
func (st *Stack) keeps(run sim.Duration) sim.Duration {
	for _, l := range slices.Backward(st.Layers) {
		if kind, _ := stack.LayerByName(l.Kind); kind.Chain != nil {
			run = kind.Chain(kind.Values(l.With), run)
		}
	}
	return run
}

func roundUp(v, unit int64) int64 { return (v + unit - 1) / unit * unit }

// Utilisation is the share of their time that the consumers work on stages at the offered load, in thousandths, from
// mean times: pure stages, calls with a hop there and back. More members than partitions do not share the load.
func (s *Scenario) Utilisation() (permille int64) {
	hop := s.Network.Latency.Mean()
	var busy int64
	for _, st := range s.Flow {
		if st.Service == "" {
			busy += st.Takes.Mean()
			continue
		}
		d := s.Downstreams[st.Service]
		busy += d.Latency.Mean() + 2*hop
	}
	workers := min(s.Consumers.Members, s.Broker.Topics[s.Workload.Topic].Partitions)
	if s.Workload.Interval < 1 || workers < 1 {
		return 0
	}
	microseconds := busy / 1000 // keeps the product within an int64
	return microseconds * 1_000_000 / s.Workload.Interval / int64(workers)
}

// Hash names the scenario in rows: the first 16 hex digits of the SHA-256 of its canonical JSON without the why texts
// and expect, which do not change a run.
func (s *Scenario) Hash() string {
	bare := *s
	bare.Why, bare.Expect = "", nil
	bare.Stacks = append([]Stack(nil), s.Stacks...)
	for i := range bare.Stacks {
		bare.Stacks[i].Why = ""
	}
	return shortHash(&bare, 16)
}

// shortHash is the beginning of the SHA-256 of the compact JSON of v, in which maps are sorted and fields have the
// order of their struct.
func shortHash(v any, digits int) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("scenarios: canonical JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:digits]
}

// twoDigits cuts a derived time of 10 ns or more to its two leading digits. Idle work repeats after the least common multiple
// of its periods: with 333,333,333 ns beside the polls' 500 ms that is years, and no quiet time could be skipped.
func twoDigits(ns int64) int64 {
	unit := int64(1)
	for ns/unit >= 100 {
		unit *= 10
	}
	return ns / unit * unit
}
