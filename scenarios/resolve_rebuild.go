package scenarios

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Rebuild makes a scenario that was read from JSON usable: it fills in what is not written (the distributions and
// classes) and validates everything, since case files are untrusted. The error is of type Problems.
//
// A scenario is valid if it is what some scenario file resolves to; only the phases may differ, as a case's chaos may
// be shorter than a file's.
func (s *Scenario) Rebuild() error {
	_, ps := s.rebuild(&source{}, nil, "")
	return ps.orNil()
}

// rebuild is Rebuild of a scenario in an input, where its path is prefix: with its positions, and with defaults for the
// fields that are missing there, whose paths it returns. A nil root stands for one that has them all.
func (s *Scenario) rebuild(src *source, root *docNode, prefix string) (missing []string, ps Problems) {
	d := &fileDecoder{source: &source{}, root: s.tree()}
	if root != nil {
		forget(d.root, root, reflect.TypeFor[Scenario]())
	}
	var f fileScenario
	d.decode(d.root, reflect.ValueOf(&f).Elem(), "", "")
	r := resolveFile(&f)
	d.add(checkBounds(&f))
	d.add(checkScenario(r))
	if len(d.problems) == 0 {
		if root != nil {
			missing = fill(reflect.ValueOf(s).Elem(), reflect.ValueOf(r).Elem(), root, strings.TrimSuffix(prefix, "."))
		}
		r.Phases = s.Phases
		d.add(s.checkPhases())
		d.add(difference(s, r))
	}
	if len(d.problems) == 0 {
		*s = *r
		return missing, nil
	}
	if root == nil {
		root = &docNode{}
	}
	for _, p := range d.problems.sorted() {
		n := findNode(root, p.Path)
		ps = append(ps, src.problem(n.line, n.col, n.width, prefix+p.Path, p.Message, p.Hint))
	}
	return nil, ps
}

// checkPhases bounds the phases of a case.
func (s *Scenario) checkPhases() []issue {
	c := &crossChecks{s: s}
	const most = 10 * 366 * 24 * 60 * nsMinute
	bound := func(name string, v, low int64) {
		if v < low || v > most {
			c.add("phases."+name, "%s is out of range", rng.FormatDuration(v))
		}
	}
	bound("warm_up", s.Phases.WarmUp, 0)
	bound("chain", s.Phases.Chain, 0)
	bound("drain", s.Phases.Drain, 1)
	return c.issues
}

// difference reports the first place at which a scenario is not the resolution of its own texts.
func difference(s, r *Scenario) []issue {
	var a, b any
	for _, p := range []struct {
		from *Scenario
		to   *any
	}{{s, &a}, {r, &b}} {
		text, err := json.Marshal(p.from)
		if err == nil {
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			err = decoder.Decode(p.to)
		}
		if err != nil {
			return []issue{{message: "not a scenario: " + err.Error()}}
		}
	}
	if path, differs := firstDifference(a, b, ""); differs {
		return []issue{{path: path, message: "does not agree with the rest of the scenario"}}
	}
	return nil
}

func firstDifference(a, b any, path string) (string, bool) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return path, true
		}
		for _, k := range SortedKeys(y) {
			if p, differs := firstDifference(x[k], y[k], joinPath(path, k)); differs {
				return p, true
			}
		}
		for _, k := range SortedKeys(x) {
			if _, has := y[k]; !has {
				return joinPath(path, k), true
			}
		}
		return "", false
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return path, true
		}
		for i := range x {
			if p, differs := firstDifference(x[i], y[i], path+"["+strconv.Itoa(i)+"]"); differs {
				return p, true
			}
		}
		return "", false
	}
	return path, a != b
}

// The constructors of a tree that says what a scenario file would say.

func leaf(s string) *docNode { return &docNode{kind: scalarNode, text: s} }

func leafInt[T int | int64](v T) *docNode { return leaf(strconv.FormatInt(int64(v), 10)) }

func leafYes(v bool) *docNode { return leaf(strconv.FormatBool(v)) }

func leafTime(ns int64) *docNode { return leaf(rng.FormatDuration(ns)) }

// set adds a field; the value nil, and an empty text, leave it out.
func (n *docNode) set(key string, value *docNode) *docNode {
	n.kind = mapNode
	if value != nil && (value.kind != scalarNode || value.text != "") {
		n.fields = append(n.fields, docField{leaf(key), value})
	}
	return n
}

func listOf[T any](items []T, of func(*T) *docNode) *docNode {
	n := &docNode{kind: listNode}
	for i := range items {
		n.items = append(n.items, of(&items[i]))
	}
	return n
}

func tableOf[T any](m map[string]T, of func(T) *docNode) *docNode {
	n := &docNode{kind: mapNode}
	for _, k := range SortedKeys(m) {
		n.fields = append(n.fields, docField{leaf(k), of(m[k])})
	}
	return n
}

// tree is the scenario in the form of a file with nothing left to defaults.
func (s *Scenario) tree() *docNode {
	b, w, p, c := &s.Broker, &s.Workload, &s.Producer, &s.Consumers
	return new(docNode).
		set("version", leafInt(s.Version)).set("name", leaf(s.Name)).set("why", leaf(s.Why)).set("event", leaf(s.Event)).
		set("broker", b.tree()).
		set("workload", new(docNode).
			set("arrival", leaf(w.Arrival)).set("during", leaf(w.During)).set("topic", leaf(w.Topic)).
			set("keys", leaf(w.Keys)).set("deadline", leafTime(w.Deadline))).
		set("flow", listOf(s.Flow, (*Stage).tree)).
		set("downstreams", tableOf(s.Downstreams, Downstream.tree)).
		set("producer", new(docNode).
			set("client", leaf(p.Client)).set("linger", leafTime(p.Linger)).set("batch_records", leafInt(p.BatchRecords)).set("in_flight", leafInt(p.InFlight)).
			set("record_bytes", leafInt(p.RecordBytes)).
			set("request_timeout", leafTime(p.RequestTimeout)).set("delivery_timeout", leafTime(p.DeliveryTimeout)).
			set("backoff", leafTime(p.Backoff)).set("transaction_timeout", leafTime(p.TransactionTimeout))).
		set("consumers", new(docNode).
			set("client", leaf(c.Client)).set("protocol", leaf(c.Protocol)).set("static", leafYes(c.Static)).set("reset", leaf(c.Reset)).
			set("isolation", leaf(c.Isolation)).set("require_stable", leafYes(c.RequireStable)).
			set("members", leafInt(c.Members)).set("max_poll_records", leafInt(c.MaxPollRecords)).
			set("max_poll_interval", leafTime(c.MaxPollInterval)).set("heartbeat", leafTime(c.Heartbeat)).
			set("fetch_wait", leafTime(c.FetchWait)).set("call_timeout", leafTime(c.CallTimeout)).
			set("request_timeout", leafTime(c.RequestTimeout)).set("commit_timeout", leafTime(c.CommitTimeout)).set("restart", leafTime(c.Restart))).
		set("network", new(docNode).set("latency", leaf(s.Network.LatencyText)).
			set("congestion", leaf(s.Network.Congestion)).set("offload", leafInt(s.Network.Offload))).
		set("phases", new(docNode).set("chaos", leafTime(s.Phases.Chaos))).
		set("limits", new(docNode).set("events", leafInt(s.Limits.Events)).set("facts", leafInt(s.Limits.Facts))).
		set("stacks", listOf(s.Stacks, (*Stack).tree)).
		set("expect", listOf(s.Expect, (*Expectation).tree))
}

func (b *Broker) tree() *docNode {
	return new(docNode).
		set("kind", leaf(b.Kind)).set("nodes", leafInt(b.Nodes)).set("truncation", leaf(b.Truncation)).set("eligible_replicas", leafYes(b.ELR)).
		set("strict_high_watermark", leafYes(b.StrictHigh)).set("broker_epochs", leafYes(b.BrokerEpochs)).
		set("quick_restart", leafYes(b.QuickRestart)).set("early_offsets", leafYes(b.EarlyOffsets)).
		set("early_listener", leafYes(b.EarlyListener)).set("costs", leaf(b.Costs)).set("first_producer_epoch", leafInt(b.FirstEpoch)).
		set("replica_lag", leafTime(b.ReplicaLag)).set("broker_session", leafTime(b.BrokerSession)).
		set("flush_messages", leafInt(b.FlushMessages)).set("flush_interval", leafTime(b.FlushInterval)).set("writeback", leafTime(b.Writeback)).
		set("offsets_retention", leafTime(b.OffsetsRetention)).set("transactions", leaf(b.Transactions)).
		set("queue", b.Queue.tree()).
		set("defects", listOf(b.Defects, func(d *string) *docNode { return leaf(*d) })).
		set("topics", tableOf(b.Topics, Topic.tree)).
		set("session_timeout", leafTime(b.SessionTimeout)).set("rebalance_delay", leafTime(b.RebalanceDelay)).
		set("append", leaf(b.AppendText)).set("fsync", leaf(b.FsyncText))
}

func (q *Queue) tree() *docNode {
	if q == nil {
		return nil
	}
	return new(docNode).set("profile", leaf(q.Profile)).set("visibility", leafTime(q.Visibility)).set("max_receives", leafInt(q.MaxReceives)).
		set("dedup_window", leafTime(q.DedupWindow)).set("retention", leafTime(q.Retention)).set("sync_every", leafTime(q.SyncEvery)).
		set("extend", leafTime(q.Extend)).set("batch", leafInt(q.Batch)).set("confirmed", leafYes(q.Confirmed)).
		set("single_active", leafYes(q.SingleActive)).
		set("dead_letters", leafYes(q.DeadLetters)).set("dead_letters_confirmed", leafYes(q.DeadLettersConfirmed))
}

func (t Topic) tree() *docNode {
	return new(docNode).set("partitions", leafInt(t.Partitions)).set("replication", leafInt(t.Replication)).set("min_insync", leafInt(t.MinInsync)).
		set("unclean_election", leafYes(t.Unclean)).set("retention", leafTime(t.Retention))
}

func (st *Stage) tree() *docNode {
	n := new(docNode).set("stage", leaf(st.Name)).set("kind", leaf(st.Kind)).set("takes", leaf(st.TakesText)).set("effect", leaf(st.Effect))
	if calls := st.Service; calls != "" {
		if st.Op != "" {
			calls += "." + st.Op
		}
		n.set("calls", leaf(calls))
	}
	if st.Amount != 0 {
		n.set("amount", leaf(formatDecimal(st.Amount, 2)))
	}
	return n
}

func (d Downstream) tree() *docNode {
	n := new(docNode).set("kind", leaf(d.Kind)).set("latency", leaf(d.LatencyText)).set("capacity", leaf(d.CapacityText)).
		set("idempotency_keys", leaf(d.IdempotencyKeys)).set("fencing", leaf(d.Fencing)).set("poison", leaf(d.Poison))
	return n.set("keep_keys", leafTime(d.KeepKeys))
}

func (st *Stack) tree() *docNode {
	promises, duplicates := new(docNode), &docNode{kind: mapNode}
	promises.set("loss", leaf(string(st.Contract.Loss))).set("order", leaf(st.Contract.Order)).set("zombies", leaf(string(st.Contract.Zombies)))
	for _, class := range SortedKeys(st.Contract.Duplicates) {
		duplicates.set(class, leaf(string(st.Contract.Duplicates[class])))
	}
	envelope := &docNode{kind: mapNode}
	for _, b := range st.Contract.Envelope {
		envelope.set(string(b.Dimension), leaf("<= "+boundText(b)))
	}
	return new(docNode).
		set("name", leaf(st.Name)).set("why", leaf(st.Why)).set("engine", leaf(st.Engine)).set("acks", leaf(formatAcks(st.Acks))).set("idempotent", leafYes(st.Idempotent)).
		set("retries", leafYes(st.Retries)).set("layers", listOf(st.Layers, (*Layer).tree)).
		set("promises", promises.set("duplicates", duplicates)).set("envelope", envelope)
}

// boundText is the limit of a bound in the unit of its dimension.
func boundText(b history.Bound) string {
	if dimensionInTime(string(b.Dimension)) {
		return rng.FormatDuration(b.Max)
	}
	return strconv.FormatInt(b.Max, 10)
}

func (e *Expectation) tree() *docNode {
	damage := tableOf(e.Damage, func(s string) *docNode { return leaf(s) })
	return new(docNode).set("stack", leaf(e.Stack)).set("damage", damage).set("lost_silent", leaf(e.LostSilent)).
		set("accept", leaf(e.Accept)).set("issue", leaf(e.Issue)).set("until", leaf(e.Until))
}
