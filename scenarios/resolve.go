package scenarios

import (
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// resolveFile fills in every default. It accepts a file with problems: what is missing then has a default or is zero.
func resolveFile(f *fileScenario) *Scenario {
	broker := orEmpty(f.Broker)
	s := &Scenario{
		Version: int(valueOr(f.Version, 1)),
		Name:    string(valueOr(f.Name, "")),
		Why:     string(f.Why),
		Event:   string(valueOr(f.Event, "order")),
		Broker: Broker{
			Kind:           string(valueOr(broker.Kind, "log")),
			Topics:         map[string]Topic{},
			SessionTimeout: int64(valueOr(broker.SessionTimeout, 6*nsSecond)),
			RebalanceDelay: int64(valueOr(broker.RebalanceDelay, 3*nsSecond)),
			Nodes:          int(valueOr(broker.Nodes, 3)),
		},
		Downstreams: map[string]Downstream{},
		Producer: Producer{
			Client:          string(valueOr(f.Producer.Client, "java")),
			BatchRecords:    int(valueOr(f.Producer.BatchRecords, 0)),
			RecordBytes:     int(valueOr(f.Producer.RecordBytes, 0)),
			RequestTimeout:  int64(valueOr(f.Producer.RequestTimeout, 2*nsSecond)),
			DeliveryTimeout: int64(valueOr(f.Producer.DeliveryTimeout, 2*nsMinute)),
			Backoff:         int64(valueOr(f.Producer.Backoff, 100*nsMillisecond)),

			TransactionTimeout: int64(valueOr(f.Producer.TransactionTimeout, nsMinute)),
		},
		Phases: Phases{Chaos: int64(valueOr(f.Phases.Chaos, 90*nsSecond)), Drain: int64(valueOr(f.Phases.Drain, 0))},
		Limits: Limits{Events: int64(valueOr(f.Limits.Events, 20_000_000)), Facts: int64(valueOr(f.Limits.Facts, 2_000_000))},
	}
	resolveCluster(broker, &s.Broker)
	resolveClient(&f.Producer, &s.Producer)
	s.Broker.Append, s.Broker.AppendText = orDist(broker.Append, "uniform(50us, 150us)")
	s.Broker.Fsync, s.Broker.FsyncText = orDist(broker.Fsync, "lognormal(p50 1ms, p99 6ms)")
	s.Network.Latency, s.Network.LatencyText = orDist(f.Network.Latency, "lognormal(p50 300us, p99 2ms)")
	s.Network.Congestion, s.Network.Offload = string(valueOr(f.Network.Congestion, "reno")), int(valueOr(f.Network.Offload, 1))
	for _, name := range SortedKeys(broker.Topics) {
		s.Broker.Topics[name] = resolveTopic(orEmpty(broker.Topics[name]), &s.Broker)
	}
	for _, name := range SortedKeys(f.Downstreams) {
		s.Downstreams[name] = resolveDownstream(orEmpty(f.Downstreams[name]))
	}
	s.Workload = resolveWorkload(orEmpty(f.Workload), s)
	s.Consumers = resolveConsumers(&f.Consumers, s)
	for i := range f.Flow {
		s.Flow = append(s.Flow, resolveStage(&f.Flow[i]))
	}
	for i := range f.Stacks {
		s.Stacks = append(s.Stacks, resolveStack(&f.Stacks[i], s.Producer.Client))
	}
	for _, e := range f.Expect {
		s.Expect = append(s.Expect, resolveExpect(&e))
	}
	s.derive()
	return s
}

// Units in nanoseconds.
const (
	nsMillisecond = 1_000_000
	nsSecond      = 1000 * nsMillisecond
	nsMinute      = 60 * nsSecond
)

// valueOr is the value of an optional field.
func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// orEmpty is an optional part of a file.
func orEmpty[T any](p *T) *T {
	if p == nil {
		p = new(T)
	}
	return p
}

// orDist is an optional distribution, with its text in canonical form.
func orDist(p *distText, otherwise string) (rng.Dist, string) {
	if p != nil {
		d := rng.Dist(*p)
		return d, d.String()
	}
	d, err := rng.ParseDist(otherwise)
	if err != nil {
		panic("scenarios: default distribution: " + err.Error())
	}
	return d, d.String()
}

func resolveWorkload(f *fileWorkload, s *Scenario) Workload {
	keys := valueOr(f.Keys, keySpace{n: 100})
	arrivals := valueOr(f.Arrival, arrivalText{interval: nsSecond / 4, num: 4000, unit: nsSecond})
	w := Workload{
		Arrival:  arrivals.String(),
		Interval: arrivals.interval,
		During:   string(valueOr(f.During, "chaos")),
		Topic:    string(valueOr(f.Topic, "")),
		Keys:     keys.String(),
		KeyCount: int(keys.n),
		KeySkew:  int(keys.milli),
		Deadline: int64(valueOr(f.Deadline, 0)),
	}
	if topics := SortedKeys(s.Broker.Topics); f.Topic == nil && len(topics) == 1 {
		w.Topic = topics[0]
	}
	return w
}

// resolveCluster fills in what the brokers do among themselves.
func resolveCluster(f *fileBroker, b *Broker) {
	b.Truncation = string(valueOr(f.Truncation, "fenced"))
	b.ELR = bool(valueOr(f.ELR, true))
	b.StrictHigh = bool(valueOr(f.StrictHigh, true))
	b.BrokerEpochs = bool(valueOr(f.BrokerEpochs, true))
	b.QuickRestart = bool(valueOr(f.QuickRestart, false))
	b.EarlyOffsets = bool(valueOr(f.EarlyOffsets, false))
	b.FirstEpoch = int(valueOr(f.FirstEpoch, 0))
	b.EarlyListener = bool(valueOr(f.EarlyListener, false))
	b.Costs = string(valueOr(f.Costs, ""))
	b.ReplicaLag = int64(valueOr(f.ReplicaLag, 30*nsSecond))
	b.BrokerSession = int64(valueOr(f.BrokerSession, 9*nsSecond))
	b.FlushMessages = int64(valueOr(f.FlushMessages, 0))
	b.FlushInterval = int64(valueOr(f.FlushInterval, 0))
	b.Writeback = int64(valueOr(f.Writeback, 30*nsSecond))
	b.OffsetsRetention = int64(valueOr(f.OffsetsRetention, 168*60*nsMinute))
	b.Transactions = string(valueOr(f.Transactions, "v2"))
	for _, d := range f.Defects {
		b.Defects = append(b.Defects, string(d))
	}
	if b.Kind == "queue" {
		b.Queue = resolveQueue(orEmpty(f.Queue))
	}
	slices.Sort(b.Defects)
	b.Defects = slices.Compact(b.Defects)
}

// resolveQueue fills in what a queue does, from its profile.
func resolveQueue(f *fileQueue) *Queue {
	q := &Queue{Profile: string(valueOr(f.Profile, "sqs"))}
	var c queue.Config
	if kind, ok := queue.KindByName(q.Profile); ok { // unknown words have been reported
		c = kind.Config()
	}
	q.Visibility = int64(valueOr(f.Visibility, period(c.Visibility)))
	q.MaxReceives = int(valueOr(f.MaxReceives, whole(c.MaxReceives)))
	q.DedupWindow = int64(valueOr(f.DedupWindow, period(c.DedupWindow)))
	q.Retention = int64(valueOr(f.Retention, period(c.Retention)))
	q.SyncEvery = int64(valueOr(f.SyncEvery, period(c.SyncEvery)))
	q.Extend = int64(valueOr(f.Extend, 0))
	q.Batch = int(valueOr(f.Batch, 10))
	q.Confirmed = bool(valueOr(f.Confirmed, false))
	q.SingleActive = bool(valueOr(f.SingleActive, false))
	q.DeadLetters = bool(valueOr(f.DeadLetters, false))
	q.DeadLettersConfirmed = bool(valueOr(f.DeadLettersConfirmed, false))
	return q
}

func resolveTopic(f *fileTopic, b *Broker) Topic {
	return Topic{
		Partitions:  int(valueOr(f.Partitions, 6)),
		Replication: int(valueOr(f.Replication, whole(min(3, b.Nodes)))),
		MinInsync:   int(valueOr(f.MinInsync, 1)),
		Unclean:     bool(valueOr(f.Unclean, false)),
		Retention:   int64(valueOr(f.Retention, 168*60*nsMinute)),
	}
}

// resolveClient fills in what a client library decides by itself.
func resolveClient(f *fileProducer, p *Producer) {
	profile := profileOf(p.Client)
	p.Linger = int64(valueOr(f.Linger, period(profile.Linger)))
	p.InFlight = int(valueOr(f.InFlight, whole(profile.InFlight)))
}

// isolationOf is what members of a client library read by default.
func isolationOf(client string) string {
	if memberOf(client).Isolation == wire.ReadCommitted {
		return "read-committed"
	}
	return "read-uncommitted"
}

func resolveConsumers(f *fileConsumers, s *Scenario) Consumers {
	client := string(valueOr(f.Client, "java"))
	return Consumers{
		Client:          client,
		Protocol:        string(valueOr(f.Protocol, "eager")),
		Static:          bool(valueOr(f.Static, false)),
		Reset:           string(valueOr(f.Reset, "earliest")),
		Isolation:       string(valueOr(f.Isolation, choice(isolationOf(client)))),
		RequireStable:   bool(valueOr(f.RequireStable, true)),
		Members:         int(valueOr(f.Members, 3)),
		MaxPollRecords:  int(valueOr(f.MaxPollRecords, 50)),
		MaxPollInterval: int64(valueOr(f.MaxPollInterval, 5*nsMinute)),
		Heartbeat:       int64(valueOr(f.Heartbeat, period(twoDigits(s.Broker.SessionTimeout/3)))),
		FetchWait:       int64(valueOr(f.FetchWait, 500*nsMillisecond)),
		CallTimeout:     int64(valueOr(f.CallTimeout, 5*nsSecond)),
		RequestTimeout:  int64(valueOr(f.RequestTimeout, 2*nsSecond)),
		CommitTimeout:   int64(valueOr(f.CommitTimeout, 60*nsSecond)),
		Restart:         int64(valueOr(f.Restart, 200*nsMillisecond)),
	}
}

func resolveDownstream(f *fileDownstream) Downstream {
	d := Downstream{
		Kind:            string(valueOr(f.Kind, "")),
		IdempotencyKeys: string(valueOr(f.IdempotencyKeys, "none")),
		KeepKeys:        int64(valueOr(f.KeepKeys, 0)),
		Fencing:         string(valueOr(f.Fencing, "none")),
		Poison:          string(valueOr(f.Poison, "")),
	}
	d.Latency, d.LatencyText = orDist(f.Latency, defaultLatency(d.Kind))
	if f.Capacity != nil {
		d.Capacity = int64(*f.Capacity)
		d.CapacityText = f.Capacity.show(d.Capacity)
	}
	return d
}

func resolveStage(f *fileStage) Stage {
	st := Stage{
		Name:   string(valueOr(f.Stage, "")),
		Kind:   string(valueOr(f.Kind, "")),
		Effect: string(valueOr(f.Effect, "")),
		Amount: int64(valueOr(f.Amount, 0)),
	}
	if st.Kind == "pure" || f.Takes != nil {
		st.Takes, st.TakesText = orDist(f.Takes, "constant(0s)")
	}
	if f.Calls != nil {
		st.Service, st.Op, _ = strings.Cut(string(*f.Calls), ".")
		if st.Op == "" {
			st.Op = st.Name
		}
	}
	if st.Effect != "" {
		st.Class, _ = history.ParseClass(st.Effect) // unknown words have been reported
	}
	return st
}

func resolveStack(f *fileStack, client string) Stack {
	st := Stack{
		Name:   string(valueOr(f.Name, "")),
		Why:    string(f.Why),
		Engine: string(valueOr(f.Engine, "")),
		Acks:   int(valueOr(f.Acks, -1)),
		Layers: append([]Layer(nil), f.Layers...), // the decoder has filled in their defaults
	}
	st.Retries = bool(valueOr(f.Retries, yesNo(st.Engine != "commit-before" && st.Acks != 0)))
	st.Idempotent = bool(valueOr(f.Idempotent, yesNo(profileOf(client).Idempotence && st.Acks < 0 && st.Retries)))
	st.Contract = resolveContract(f)
	return st
}

func resolveContract(f *fileStack) history.Contract {
	c := history.Contract{
		Loss:    history.Promise(valueOr(f.Promises.Loss, "")),
		Order:   string(valueOr(f.Promises.Order, "")),
		Zombies: history.Promise(valueOr(f.Promises.Zombies, "")),
	}
	dup := f.Promises.Duplicates
	for i, p := range []*choice{dup.Critical, dup.State, dup.Notify, dup.Derived} {
		if p == nil {
			continue
		}
		if c.Duplicates == nil {
			c.Duplicates = map[string]history.Promise{}
		}
		c.Duplicates[history.Classes()[i].String()] = history.Promise(*p)
	}
	for _, name := range SortedKeys(f.Envelope) {
		limit, _ := f.Envelope[name].max(dimensionInTime(name)) // checkPolicy reports errors
		c.Envelope = append(c.Envelope, history.Bound{Dimension: history.Dimension(name), Max: limit})
	}
	return c
}

func resolveExpect(f *fileExpect) Expectation {
	e := Expectation{Stack: string(valueOr(f.Stack, "")), LostSilent: string(valueOr(f.LostSilent, "")),
		Accept: string(valueOr(f.Accept, "")), Issue: string(valueOr(f.Issue, "")), Until: string(valueOr(f.Until, ""))}
	for _, fault := range SortedKeys(f.Damage) {
		if e.Damage == nil {
			e.Damage = map[string]string{}
		}
		e.Damage[fault] = string(f.Damage[fault])
	}
	return e
}
