package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// derive computes the phases that follow from the rest.
func (s *Scenario) derive() {
	s.Phases.WarmUp = max(8*nsSecond, roundUp(s.Broker.RebalanceDelay+4*nsSecond, nsSecond))
	s.Phases.Chain = s.chain()
	s.Phases.Drain = max(s.Phases.Drain, s.drainFloor())
}

// drainFloor is the drain's limit unless a file lengthens it.
func (s *Scenario) drainFloor() int64 { return roundUp(3*s.Phases.Chain, nsMinute) + 10*nsMinute }

// chain is the longest chain of timeouts of any stack: nothing that is still alive waits longer for one thing.
func (s *Scenario) chain() int64 {
	calls := int64(0)
	for _, st := range s.Flow {
		if st.Service != "" {
			calls++
		}
	}
	longest := max(s.Producer.DeliveryTimeout, s.Broker.SessionTimeout+s.Consumers.MaxPollInterval)
	for _, st := range s.Stacks {
		for _, l := range st.Layers {
			if l.Kind == "retry" {
				longest = max(longest, l.delays()+int64(l.Budget+1)*s.Consumers.CallTimeout*calls)
			}
		}
	}
	return longest
}

// delays is the sum of the delays of a retry layer.
func (l *Layer) delays() (sum int64) {
	if l.Backoff == "none" {
		return 0
	}
	delay := min(l.From, l.To)
	for range l.Budget {
		sum += delay
		delay = min(2*delay, l.To)
	}
	return sum
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
