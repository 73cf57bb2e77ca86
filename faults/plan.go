package faults

import (
	"fmt"
	"strings"
)

// Fault is one line of a plan: a trigger, what is done to whom, and when it is over. It is pure data.
type Fault struct {
	Trigger   Trigger
	Verb      string   // a name of Verbs
	Targets   []string // nodes, roles, $caller, $node, $leader(topic/partition); services, a role or $message for some verbs
	From      []string // partition, drop-inbound, slow, lossy: the other side; nil otherwise
	By        int64    // skew, jump: ns, negative is backwards; hold, slow: ns; lossy: parts per million; 0 otherwise
	Grace     int64    // deploy: how long a member may take to stop, ns, before it is killed; 0 otherwise
	Pause     int64    // deploy: between the boot of a member and the turn of the next, ns; 0 = none
	For       int64    // stated duration, ns; 0 = none
	UntilHeal bool     // lifted when the heal phase begins, in place of a duration
}

// Trigger is a time, or the n-th hit of a keyed hook. It is a hook exactly if Hook is not empty.
type Trigger struct {
	At      int64  // ns since the start of the world; with Drained since the end of the first drain
	Drained bool   // the time counts from the end of the first drain; replay only
	Hook    string // hook id as in sim/history, "" = a time
	Event   string // key: hits of this intent count
	Stage   string // key, with an event only: hits of this stage of the intent count; "" = any
	Role    string // key of hits without an event: the role of the caller of an RPC, of the node otherwise
	Nth     int    // the n-th hit of that key, from 1; 0 for a time
}

// Timed says whether the trigger is a time, of the world or after the drain.
func (t Trigger) Timed() bool { return t.Hook == "" }

// Timed is a fault whose trigger is a time: it cannot hold a hook.
type Timed struct {
	At        int64 // as in Trigger
	Drained   bool  //
	Verb      string
	Targets   []string
	From      []string
	By        int64
	Grace     int64
	Pause     int64
	For       int64
	UntilHeal bool
}

// Fault is the same fault in the type that an injector takes.
func (t Timed) Fault() Fault {
	return Fault{Trigger: Trigger{At: t.At, Drained: t.Drained}, Verb: t.Verb, Targets: t.Targets, From: t.From, By: t.By,
		Grace: t.Grace, Pause: t.Pause, For: t.For, UntilHeal: t.UntilHeal}
}

// Measuring is a plan that rates, intervals, costs and claims may rest on.
type Measuring struct {
	Kind   string // name of a fault kind
	Faults []Timed
}

// Plan is the list that an injector takes.
func (m Measuring) Plan() []Fault {
	out := make([]Fault, len(m.Faults))
	for i, t := range m.Faults {
		out[i] = t.Fault()
	}
	return out
}

// Lines is the text of each fault.
func (m Measuring) Lines() []string { return Lines(m.Plan()) }

// Hunting is a plan that only a verdict may rest on.
type Hunting struct {
	Faults []Fault
}

// Plan is the list that an injector takes.
func (h Hunting) Plan() []Fault { return append([]Fault(nil), h.Faults...) }

// Lines is the text of each fault.
func (h Hunting) Lines() []string { return Lines(h.Faults) }

// Lines is the text of each fault, in order.
func Lines(plan []Fault) []string {
	out := make([]string, len(plan))
	for i, f := range plan {
		out[i] = f.String()
	}
	return out
}

// Limits of a plan and of the numbers in it.
const (
	MaxLine    = 1 << 10              // bytes of one line
	MaxFaults  = 1000                 // faults of a plan
	MaxTime    = 3650 * 24 * hour     // ns; of a trigger and of a duration: ten years
	MaxSkew    = 100 * 24 * hour      // ns; of one skew, jump, hold or slow, so that MaxFaults of them fit into 64 bits
	MaxGrace   = 24 * hour            // ns; of a grace period and of a pause between members
	MaxHit     = 1_000_000            // of #n
	maxName    = 128                  // bytes of one name
	second     = int64(1_000_000_000) // ns
	hour       = 3600 * second        // ns
	percentage = 1_000_000            // of lossy: what By counts, and stands for every packet
	forever    = int64(1<<63 - 1)     // ns; stands for a duration nobody stated
	keywordSet = " at when from by grace pause for until heal "
)

// Validate says what is wrong with a fault that was not parsed; nil if Parse(f.String()) gives f.
func (f Fault) Validate() error {
	g, err := Parse(f.String())
	if err != nil {
		return err
	}
	if !g.Equal(f) {
		return fmt.Errorf("fault %q holds values that its verb %s does not take", f.String(), f.Verb)
	}
	return nil
}

// Equal compares every field; an empty list equals no list.
func (f Fault) Equal(g Fault) bool {
	return f.Trigger == g.Trigger && f.Verb == g.Verb && f.By == g.By &&
		f.Grace == g.Grace && f.Pause == g.Pause && f.For == g.For && f.UntilHeal == g.UntilHeal &&
		strings.Join(f.Targets, ",") == strings.Join(g.Targets, ",") && len(f.Targets) == len(g.Targets) &&
		strings.Join(f.From, ",") == strings.Join(g.From, ",") && len(f.From) == len(g.From)
}
