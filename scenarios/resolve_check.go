package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/sim/rng"
)

// crossChecks collects issues of a resolved scenario: what concerns several fields at once.
type crossChecks struct {
	s      *Scenario
	issues []issue
}

func (c *crossChecks) add(path, format string, args ...any) {
	c.issues = append(c.issues, issue{path: path, message: fmt.Sprintf(format, args...)})
}

// unknown reports a name that is not among the known ones.
func (c *crossChecks) unknown(path, what, name string, known []string) {
	c.issues = append(c.issues, issue{path, "unknown " + what + " " + quoteShort(name), hintOr(name, known, "known: "+strings.Join(known, ", "))})
}

// checkScenario reports what is wrong across fields, for scenario files and for scenarios in case files.
func checkScenario(s *Scenario) []issue {
	c := &crossChecks{s: s}
	c.flow()
	c.parties()
	c.stacks()
	c.expectations()
	return c.issues
}

func (c *crossChecks) expectations() {
	names := namesOfStacks(c.s)
	for i := range c.s.Expect {
		e := &c.s.Expect[i]
		path := fmt.Sprintf("expect[%d]", i)
		switch {
		case e.Stack == "" && e.Accept == "":
			c.add(path+".stack", "missing, for instance stack: at-least-once")
		case e.Stack != "" && !slices.Contains(names, e.Stack):
			c.unknown(path+".stack", "stack", e.Stack, names)
		}
		switch {
		case e.Accept == "" && e.Issue+e.Until != "":
			c.add(path+".accept", "missing: issue and until are of a finding that is accepted")
		case e.Accept != "" && (len(e.Damage) > 0 || e.LostSilent != ""):
			c.add(path+".accept", "a statement either accepts a finding or says what must hold; make two of it")
		case e.Accept != "":
			a := e.acceptance()
			for _, flaw := range a.flaws() {
				c.add(joinPath(path, flaw.field), "%s", flaw.message)
			}
		}
	}
}

func namesOfStacks(s *Scenario) []string {
	var names []string
	for _, st := range s.Stacks {
		names = append(names, st.Name)
	}
	return names
}

// twice reports names that occur more than once.
func (c *crossChecks) twice(names []string, format, what string) {
	for i, name := range names {
		if first := slices.Index(names, name); first < i && name != "" {
			c.add(fmt.Sprintf(format, i), "%s %s exists already: it is number %d of the list", what, quoteShort(name), first+1)
		}
	}
}

func (c *crossChecks) flow() {
	var names []string
	effects := 0
	for i, st := range c.s.Flow {
		names = append(names, st.Name)
		if st.Kind == "effect" {
			effects++
		}
		c.stage(fmt.Sprintf("flow[%d]", i), st)
	}
	c.twice(names, "flow[%d].stage", "a stage")
	if effects == 0 {
		c.add("flow", "no stage of kind effect: nothing could be duplicated or lost")
	}
}

func (c *crossChecks) stage(path string, st Stage) {
	service, known := c.s.Downstreams[st.Service]
	calls := st.Service != ""
	switch {
	case st.Kind == "pure" && calls:
		c.add(path+".calls", "a pure stage calls nothing; make it kind: read or kind: effect")
	case (st.Kind == "read" || st.Kind == "effect") && !calls:
		c.add(path+".calls", "missing; a stage of kind %s calls a service", st.Kind)
	case calls && !known:
		c.unknown(path+".calls", "service", st.Service, SortedKeys(c.s.Downstreams))
	}
	if st.Kind != "" && st.Kind != "pure" && st.TakesText != "" {
		c.add(path+".takes", "only a pure stage has a time of its own; that of a call is the latency of its service")
	}
	if st.Kind == "effect" && st.Effect == "" {
		c.add(path+".effect", "missing; a stage of kind effect has a class: critical, state, notify or derived")
	}
	if st.Kind == "pure" || st.Kind == "read" {
		if st.Effect != "" {
			c.add(path+".effect", "a stage of kind %s has no effect; make it kind: effect", st.Kind)
		}
		if st.Amount != 0 {
			c.add(path+".amount", "a stage of kind %s moves nothing; only an effect has an amount", st.Kind)
		}
	}
	if kind, ok := downstream.KindByName(service.Kind); ok && kind.Volatile && st.Kind == "effect" {
		c.add(path+".calls", "service %s is of kind %s, which forgets everything when it stops: it can be read, and no effect can be kept in it", st.Service, service.Kind)
	}
	notifies := service.Kind == "notification"
	switch {
	case !known || st.Effect == "":
	case st.Effect == "notify" && !notifies:
		c.add(path+".effect", "an effect of class notify needs a service of kind notification; %s is of kind %s", st.Service, service.Kind)
	case st.Effect != "notify" && notifies:
		c.add(path+".effect", "service %s is of kind notification: its effects are of class notify, not %s", st.Service, st.Effect)
	}
}

// parties checks broker, workload, services and clients.
func (c *crossChecks) parties() {
	s := c.s
	topics := SortedKeys(s.Broker.Topics)
	switch {
	case len(topics) == 0:
		c.add("broker.topics", "no topic; at least one")
	case s.Workload.Topic == "":
		c.add("workload.topic", "missing: the broker has %d topics (%s)", len(topics), strings.Join(topics, ", "))
	case !slices.Contains(topics, s.Workload.Topic):
		c.unknown("workload.topic", "topic", s.Workload.Topic, topics)
	}
	for _, name := range topics {
		t, at := s.Broker.Topics[name], joinPath("broker.topics", name)
		if t.Replication > s.Broker.Nodes {
			c.add(at+".replication", "%d copies on %d brokers; no broker holds two", t.Replication, s.Broker.Nodes)
		}
		if t.MinInsync > t.Replication {
			c.add(at+".min_insync", "%d replicas in sync of %d copies: nothing could be written with acks all", t.MinInsync, t.Replication)
		}
	}
	if s.Broker.Queue != nil && s.Broker.Costs != "" {
		c.add("broker.costs", "of a broker of kind log; leave it out")
	}
	if s.Broker.Queue != nil {
		c.queue()
	}
	if s.Consumers.Heartbeat >= s.Broker.SessionTimeout {
		c.add("consumers.heartbeat", "%s is not shorter than the session timeout of %s: every member would be removed",
			rng.FormatDuration(s.Consumers.Heartbeat), rng.FormatDuration(s.Broker.SessionTimeout))
	}
	if s.Producer.Client != "librdkafka" && s.Producer.DeliveryTimeout < s.Producer.RequestTimeout { // that one waits no longer than its records may take
		c.add("producer.delivery_timeout", "%s is shorter than request_timeout, %s: not even one try fits",
			rng.FormatDuration(s.Producer.DeliveryTimeout), rng.FormatDuration(s.Producer.RequestTimeout))
	}
	const most = 1_000_000
	if s.Workload.Interval > 0 && s.Phases.Chaos/s.Workload.Interval > most {
		c.add("workload.arrival", "about %d events in %s of chaos; at most %d", s.Phases.Chaos/s.Workload.Interval, rng.FormatDuration(s.Phases.Chaos), most)
	}
	for _, name := range SortedKeys(s.Downstreams) {
		d := s.Downstreams[name]
		if slices.Contains(reservedNames(), name) {
			c.add(joinPath("downstreams", name), "%s is a role of the simulated system; want another name", name)
		}
		if d.IdempotencyKeys == "offered" && d.Kind != "" && !downstreamGives(d.Kind, model.ServiceKey) {
			c.add(joinPath("downstreams", name)+".idempotency_keys", "a service of kind %s takes no keys; leave it out", d.Kind)
		}
		if d.Fencing == "offered" && d.Kind != "" && !downstreamGives(d.Kind, model.ResourceFence) {
			c.add(joinPath("downstreams", name)+".fencing", "a service of kind %s cannot refuse an earlier owner; leave it out", d.Kind)
		}
		if d.KeepKeys != 0 && d.IdempotencyKeys != "offered" {
			c.add(joinPath("downstreams", name)+".keep_keys", "the service takes no keys; set idempotency_keys: offered")
		}
	}
}

// queue refuses what the profile of a queue has not: nobody would read it, or nobody would ever get a message.
func (c *crossChecks) queue() {
	b, q := &c.s.Broker, c.s.Broker.Queue
	if n := len(b.Topics); n > 1 {
		c.add("broker.topics", "a broker of kind queue has one queue, and there are %d topics", n)
	}
	kind, ok := queue.KindByName(q.Profile)
	if !ok { // has been reported
		return
	}
	p := kind.Config()
	refuse := func(yes bool, field, format string) {
		if yes {
			c.add("broker.queue."+field, format+"; leave it out", q.Profile)
		}
	}
	refuse(q.SingleActive && !p.Connected, "single_active", "%s knows no connections, one of which could be active")
	refuse(q.DedupWindow != 0 && p.DedupWindow == 0, "dedup_window", "%s knows no repetition of a message")
	refuse(q.SyncEvery != 0 && p.SyncEvery == 0, "sync_every", "%s fsyncs before it confirms")
	refuse(q.Confirmed && p.Late != queue.LateAccepted, "confirmed", "%s answers every acknowledgement")
	refuse(q.DeadLetters && p.Limit == queue.Stays, "dead_letters", "%s keeps what was received too often")
	refuse(q.DeadLettersConfirmed && p.Limit != queue.AtReturn, "dead_letters_confirmed", "%s moves a dead letter at once")
	switch {
	case q.DeadLettersConfirmed && !q.DeadLetters:
		c.add("broker.queue.dead_letters_confirmed", "the queue moves nothing; set dead_letters: true")
	case q.MaxReceives != p.MaxReceives && p.Limit == queue.AtReceive && !q.DeadLetters:
		c.add("broker.queue.max_receives", "%s counts only for dead letters; set dead_letters: true", q.Profile)
	}
	if p.Weak && b.Nodes < 2 {
		c.add("broker.nodes", "%s confirms a message when two servers have it", q.Profile)
	}
}

// checkPolicy reports what a file may not ask for, though a case, which may be reduced, can have it.
func checkPolicy(s *Scenario, f *fileScenario) []issue {
	c := &crossChecks{s: s}
	if s.Broker.Queue == nil && f.Broker != nil && f.Broker.Queue != nil {
		c.add("broker.queue", "of a broker of kind queue; set kind: queue, or leave it out")
	}
	if least := 10 * s.Broker.SessionTimeout; s.Phases.Chaos < least {
		c.add("phases.chaos", "%s; at least ten session timeouts, %s", rng.FormatDuration(s.Phases.Chaos), rng.FormatDuration(least))
	}
	if d := int64(valueOr(f.Phases.Drain, 0)); d != 0 && d < s.drainFloor() {
		c.add("phases.drain", "%s is shorter than what follows from the timeouts, %s; it may only be lengthened",
			rng.FormatDuration(d), rng.FormatDuration(s.drainFloor()))
	}
	return c.issues
}

// checkBounds reports bounds of envelopes that do not fit their dimension.
func checkBounds(f *fileScenario) []issue {
	c := &crossChecks{}
	for i, st := range f.Stacks {
		for _, name := range SortedKeys(st.Envelope) {
			if _, err := st.Envelope[name].max(dimensionInTime(name)); err != nil && st.Envelope[name] != "" {
				c.add(fmt.Sprintf("stacks[%d].envelope.%s", i, name), "%v", err)
			}
		}
	}
	return c.issues
}
