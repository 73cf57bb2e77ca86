package faults

import (
	"fmt"
	"strconv"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Roles that the fault kinds mean. Their nodes are role-1, role-2 …
const (
	RoleConsumer = "consumer"
	RoleBroker   = "broker"
	RoleDedup    = "dedup" // the store of a dedup layer; there is one at most

	primary = "$leader(" + RoleDedup + "/0)" // of a replicated dedup store, whoever that is at the moment
)

// Space is what a plan is drawn from: facts of the scenario alone, nothing that a stack does.
type Space struct {
	ChaosBegin, ChaosEnd int64                      // ns; triggers lie in [ChaosBegin, ChaosEnd)
	Members              int                        // consumers at the start
	Brokers              int                        //
	Partitions           int                        // of the topic, for Leader; 0 = brokers are drawn themselves
	Leader               func(partition int) string // target that means the leader: "$leader(orders/3)", "broker-1"
	EffectServices       []string                   // services with effect ops, in the order of the scenario
	AllNodes             []string                   // nodes whose clock may be off
	Group                string                     // that reads the flow's source; "" = none
}

// Steps of the additive recurrence, as fractions of 2^64. Time advances by the golden ratio's, 1/φ: the
// one-dimensional sequence whose every prefix is spread most evenly. The target advances by 1/ρ², with ρ the real
// root of x³ = x + 1: the second constant of the R2 sequence (M. Roberts, "The unreasonable effectiveness of
// quasirandom sequences", 2018), which is independent of φ.
const (
	stepTime   = 0x9E3779B97F4A7C15
	stepTarget = 0x91E10DA5C79E7B1D
)

// point is the i-th point of the sequence of (base, kind): two words, uniform over all 64-bit words.
func point(base uint64, kind string, i uint64) (time, target uint64) {
	h := rng.Combine(rng.Combine(base, rng.Hash("measuring")), rng.Hash(kind))
	return rng.Combine(h, 0) + i*stepTime, rng.Combine(h, 1) + i*stepTarget
}

// Measure is the measuring plan of the run with that seed: one fault of the kind, at a uniform moment of the
// chaos phase, or as long after the drain as the kind says, on a uniform target. The run is number seed - base; what it meets depends on base, kind and that
// number only. The kind none gives an empty plan.
func Measure(kind string, base, seed uint64, sc Space) (Measuring, error) {
	m := Measuring{Kind: kind}
	k, ok := history.FaultKindByName(kind)
	if !ok {
		return m, fmt.Errorf("unknown fault kind %q; %s", kind, nearest(kind, kindNames(), "list them with: simulate list faults"))
	}
	if seed < base {
		return m, fmt.Errorf("seed %d lies before the base seed %d", seed, base)
	}
	if k.Verb == "" {
		return m, nil
	}
	if sc.ChaosBegin < 0 || sc.ChaosEnd <= sc.ChaosBegin {
		return m, fmt.Errorf("the chaos phase from %d to %d ns is empty", sc.ChaosBegin, sc.ChaosEnd)
	}
	time, target := point(base, kind, seed-base)
	f, err := sc.shape(k, target)
	if err != nil {
		return m, err
	}
	if !f.Drained {
		f.At = sc.ChaosBegin + int64(rng.Below(time, uint64(sc.ChaosEnd-sc.ChaosBegin)))
	}
	if err := f.Fault().Validate(); err != nil {
		return m, fmt.Errorf("fault kind %s: %w", kind, err)
	}
	m.Faults = []Timed{f}
	return m, nil
}

// shape fills in what a fault of the kind does, and to whom: target is a uniform word. Its time is still 0,
// but for what comes after the drain.
func (sc Space) shape(k history.FaultKind, target uint64) (Timed, error) {
	f := Timed{At: k.After, Drained: k.After > 0, Verb: k.Verb, By: k.By, Grace: k.Grace, For: k.For, UntilHeal: k.UntilHeal}
	pick := func(what string, n int, name func(i int) string) error {
		if n <= 0 {
			return fmt.Errorf("fault kind %s needs %s, and the scenario has none", k.Name, what)
		}
		f.Targets = []string{name(int(rng.Below(target, uint64(n))))}
		return nil
	}
	var err error
	switch k.Target {
	case RoleConsumer:
		err = pick("a consumer", sc.Members, func(i int) string { return nodeName(RoleConsumer, i) })
	case "@broker":
		if sc.Leader != nil && sc.Partitions > 0 {
			err = pick("a broker", sc.Partitions, sc.Leader)
		} else {
			err = pick("a broker", sc.Brokers, func(i int) string { return nodeName(RoleBroker, i) })
		}
	case RoleDedup: // drawn for every stack alike: under one without a store the fault misses
		f.Targets = []string{nodeName(RoleDedup, 0)}
	case "@primary": // whoever that is at the moment; under a stack without replicas the fault misses
		f.Targets = []string{primary}
	case "@any":
		err = pick("a node", len(sc.AllNodes), func(i int) string { return sc.AllNodes[i] })
	case "@group":
		err = pick("a consumer", sc.Members, func(int) string { return RoleConsumer })
	case "@workers":
		err = pick("a consumer group", one(sc.Group != ""), func(int) string { return sc.Group })
	case "@effect":
		err = pick("an effect service", len(sc.EffectServices), func(i int) string { return sc.EffectServices[i] })
	case "@effects":
		err = pick("an effect service", len(sc.EffectServices), func(int) string { return "" })
		f.Targets = append([]string(nil), sc.EffectServices...)
	default:
		panic("faults: fault kind " + k.Name + " has the unknown target " + k.Target)
	}
	if v, _ := verbByName(k.Verb); err == nil && v.from {
		if sc.Brokers <= 0 {
			err = fmt.Errorf("fault kind %s needs a broker, and the scenario has none", k.Name)
		}
		f.From = []string{RoleBroker}
	}
	return f, err
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// nodeName of the i-th node of a role, i from 0.
func nodeName(role string, i int) string { return role + "-" + strconv.Itoa(i+1) }

func kindNames() []string {
	var names []string
	for _, k := range history.FaultKinds() {
		names = append(names, k.Name)
	}
	return names
}
