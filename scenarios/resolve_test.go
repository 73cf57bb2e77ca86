package scenarios

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
)

func mustLoad(t *testing.T) *Scenario {
	t.Helper()
	s, err := Load("payments")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// roundTrip checks that a scenario survives JSON with its distributions.
func roundTrip(t *testing.T, s *Scenario) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var r Scenario
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if err := r.Rebuild(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !reflect.DeepEqual(&r, s) {
		t.Errorf("differs after JSON:\n%+v\n%+v", &r, s)
	}
}

func TestResolveRoundTrip(t *testing.T) {
	for _, src := range []string{minimal, everything, libraryText("payments")} {
		s, err := Decode("x.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, s)
	}
}

func TestResolvePayments(t *testing.T) {
	s := mustLoad(t)
	if s.Phases.WarmUp != 8*nsSecond || s.Phases.Chain != 306*nsSecond || s.Phases.Drain != 26*nsMinute {
		t.Errorf("%+v", s.Phases)
	}
	if u := s.Utilisation(); u < 250 || u > 600 {
		t.Errorf("utilisation %d permille", u)
	}
	var names []string
	for _, st := range s.Stacks {
		names = append(names, st.Name)
		if st.Why == "" {
			t.Errorf("%s has no why", st.Name)
		}
	}
	for _, name := range []string{"fire-and-forget", "at-most-once", "at-least-once", "key-event-stage", "dedup-durable"} {
		if !slices.Contains(names, name) { // others rely on these
			t.Errorf("no stack %s", name)
		}
	}
	for i := range s.Stacks {
		if st := &s.Stacks[i]; st.Retries != (st.Engine != "commit-before") {
			t.Errorf("retries of %s", st.Name)
		}
	}
	if s.Flow[2].Amount != 4000 || s.Flow[2].Op != "charge" || s.Flow[2].Class.String() != "critical" {
		t.Errorf("%+v", s.Flow[2])
	}
}

// Members that idle for 26 hours must cost nothing: the heartbeat that nobody stated has a short common multiple with polls.
func TestResolveHeartbeat(t *testing.T) {
	for timeout, want := range map[int64]int64{6e9: 2e9, 1e9: 330e6, 10e9: 3300e6, 45e9: 15e9, 30e6: 10e6} {
		require.Equal(t, want, twoDigits(timeout/3), timeout)
	}
}

func TestResolveChainOfRetries(t *testing.T) {
	s := mustLoad(t)
	calls := 3 * s.Consumers.CallTimeout
	if got, want := int64(s.stackNamed("at-least-once").keeps(sim.Duration(calls))), 22_700*nsMillisecond+9*calls; got != want {
		t.Errorf("kept %d, want %d", got, want)
	}
	s.stackNamed("at-least-once").Layers[1].With["budget"] = "100"
	if got, want := s.chain(), 942_700*nsMillisecond+101*calls; got != want {
		t.Errorf("chain %d, want %d", got, want)
	}
}

func TestResolveHashIgnoresWords(t *testing.T) {
	a, b := mustLoad(t), mustLoad(t)
	b.Why, b.Stacks[1].Why, b.Expect = "", "other", []Expectation{{Stack: "at-most-once"}}
	if a.Hash() != b.Hash() || len(a.Hash()) != 16 {
		t.Errorf("%s %s", a.Hash(), b.Hash())
	}
	if a.Stacks[1].Why == "" {
		t.Error("Hash changed the scenario")
	}
	b.Consumers.Members++
	if a.Hash() == b.Hash() {
		t.Error("members do not change the hash")
	}
}

func TestResolveRebuildRefuses(t *testing.T) {
	for name, damage := range map[string]func(*Scenario){
		"broker.topics":                                func(s *Scenario) { s.Broker.Topics = nil },
		"broker.topics.orders.partitions":              func(s *Scenario) { s.Broker.Topics["orders"] = Topic{Partitions: 1 << 30} },
		"broker.append":                                func(s *Scenario) { s.Broker.AppendText = "uniform(3s, 1s)" },
		"workload.interval":                            func(s *Scenario) { s.Workload.Interval++ },
		"workload.key_count":                           func(s *Scenario) { s.Workload.KeyCount = 1 << 40 },
		"workload.topic":                               func(s *Scenario) { s.Workload.Topic = "other" },
		"flow[2].calls":                                func(s *Scenario) { s.Flow[2].Service = "nobody" },
		"flow[2].amount":                               func(s *Scenario) { s.Flow[2].Amount = -5 },
		"downstreams.payments.capacity":                func(s *Scenario) { d := s.Downstreams["payments"]; d.Capacity = 7; s.Downstreams["payments"] = d },
		"consumers.members":                            func(s *Scenario) { s.Consumers.Members = -1 },
		"phases.drain":                                 func(s *Scenario) { s.Phases.Drain = -1 },
		"limits.events":                                func(s *Scenario) { s.Limits.Events = 0 },
		"stacks[0].engine":                             func(s *Scenario) { s.Stacks[0].Engine = "" },
		"at-least-once.layers[0].budget":               func(s *Scenario) { s.stackNamed("at-least-once").Layers[0].With = map[string]string{"budget": "5"} },
		"at-least-once.layers[1].retry.budget":         func(s *Scenario) { s.stackNamed("at-least-once").Layers[1].With["budget"] = "1099511627776" },
		"at-least-once.layers[1].retry.to":             func(s *Scenario) { s.stackNamed("at-least-once").Layers[1].With["to"] = "0.5m" },
		"at-least-once.layers[1].retry.from":           func(s *Scenario) { delete(s.stackNamed("at-least-once").Layers[1].With, "from") },
		"key-event-stage.layers[2].idempotency-key":    func(s *Scenario) { s.stackNamed("key-event-stage").Layers[2].With["from"] = "event,,stage" },
		"key-event-stage.layers[2].with.keep":          func(s *Scenario) { s.stackNamed("key-event-stage").Layers[2].With["keep"] = "" },
		"key-event-stage.contract.envelope":            func(s *Scenario) { s.stackNamed("key-event-stage").Contract.Envelope[0].Max = -1 },
		"key-event-stage.promises.duplicates.critical": func(s *Scenario) { s.stackNamed("key-event-stage").Contract.Duplicates["critical"] = "maybe" },
		"dedup-durable.layers[0]":                      func(s *Scenario) { s.stackNamed("dedup-durable").Layers[0].Kind = "magic" },
		"stacks":                                       func(s *Scenario) { s.Stacks = nil },
		"version":                                      func(s *Scenario) { s.Version = 9 },
	} {
		s := mustLoad(t)
		damage(s)
		if err := s.Rebuild(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func libraryText(name string) string {
	_, src := scenarioShelf().text(name)
	return string(src)
}
