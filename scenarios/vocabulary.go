package scenarios

import (
	"slices"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/service"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Vocabulary is what plans of this scenario under that stack may name.
func (s *Scenario) Vocabulary(stackName string) faults.Vocabulary {
	asm := assemble(flowOf(s), s.stackNamed(stackName), s.offers())
	voc := faults.Vocabulary{Roles: append(s.brokerRoles(), "consumer", "producer"), Topics: SortedKeys(s.Broker.Topics), Services: SortedKeys(s.Downstreams)}
	voc.ServiceOps = append(voc.ServiceOps, s.brokerOps()...)
	for i := range s.Flow {
		if st := &s.Flow[i]; st.Service != "" {
			voc.ServiceOps = append(voc.ServiceOps, st.Service+"."+st.Op)
		}
	}
	if s.code != nil {
		voc.ServiceOps = append(voc.ServiceOps, s.anyOps()...)
	}
	if engine, _ := stack.EngineByName(s.stackNamed(stackName).Engine); slices.Contains(engine.Needs(), model.SinkTransaction) {
		for _, sink := range s.calledForCritical() {
			voc.ServiceOps = append(voc.ServiceOps, sink.Name+"."+model.OpTxn)
		}
	}
	for _, st := range asm.stores {
		voc.Roles = append(voc.Roles, st.Name)
		kind, _ := store.KindByName(st.Kind)
		for _, op := range kind.Ops {
			voc.ServiceOps = append(voc.ServiceOps, st.Name+"."+op)
		}
		if kind.Replicas > 0 {
			voc.Roles = append(voc.Roles, store.SentinelService)
			voc.ServiceOps = append(voc.ServiceOps, store.SentinelService+"."+store.OpPrimary)
			voc.Topics = append(voc.Topics, st.Name) // $leader(dedup/0) is its primary
		}
	}
	for _, t := range asm.topics {
		voc.Topics = append(voc.Topics, t.name)
	}
	for i := range asm.loops {
		voc.Groups = append(voc.Groups, asm.loops[i].group)
	}
	voc.Roles = append(voc.Roles, voc.Services...)
	slices.Sort(voc.Roles)
	slices.Sort(voc.ServiceOps)
	return voc
}

// brokerRoles are the roles of the nodes that carry the events.
func (s *Scenario) brokerRoles() []string {
	if s.Broker.Queue != nil {
		return []string{queue.Service, service.Letters}
	}
	return []string{wire.Broker, wire.Controller}
}

// brokerOps are what these nodes are asked.
func (s *Scenario) brokerOps() (ops []string) {
	add := func(service string, names []string) {
		for _, op := range names {
			ops = append(ops, service+"."+op)
		}
	}
	if s.Broker.Queue != nil {
		add(queue.Service, queue.Ops())
		add(service.Letters, queue.Ops())
		return ops
	}
	add(wire.Broker, wire.BrokerOps())
	add(wire.Controller, wire.ControllerOps())
	return ops
}

// anyOps are the ops that a team's own code may call: any of each service.
func (s *Scenario) anyOps() (out []string) {
	for _, name := range SortedKeys(s.Downstreams) {
		out = append(out, name+history.AnyOp)
	}
	return out
}

// measuredRoles are the roles that fault kinds mean by name. A measuring plan is drawn alike for every stack, so it
// may name one of which this stack has no node: that fault misses, and CanHappen tells a report so.
func measuredRoles() []string {
	var out []string
	for _, k := range history.FaultKinds() {
		if k.Target != "" && k.Target[0] != '@' {
			out = append(out, k.Target)
		}
	}
	return out
}

// CanHappen says whether a fault kind has anything to hit under a stack. A kind that means a role by name has not,
// if the stack has no node of it: no number of runs will show what dedup-down does to a stack without a store.
func (s *Scenario) CanHappen(stackName, kind string) bool {
	k, ok := history.FaultKindByName(kind)
	if k.Target == "@primary" {
		return slices.Contains(s.Vocabulary(stackName).Roles, store.SentinelService)
	}
	return !ok || !slices.Contains(measuredRoles(), k.Target) || slices.Contains(s.Vocabulary(stackName).Roles, k.Target)
}

// offers is what the services offer before any layer has asked.
func (s *Scenario) offers() map[string]*model.Offer {
	offers := map[string]*model.Offer{}
	for _, name := range SortedKeys(s.Downstreams) {
		d := s.Downstreams[name]
		offers[name] = &model.Offer{KeepKeys: sim.Duration(d.KeepKeys)}
		if s.code != nil { // no layer need ask for what a team's own code makes use of
			offers[name].Keys, offers[name].Fences = d.IdempotencyKeys == "offered", d.Fencing == "offered"
		}
	}
	return offers
}

// effectServices are the services that effect stages call, sorted.
func (s *Scenario) effectServices() []string {
	var out []string
	for i := range s.Flow {
		if st := &s.Flow[i]; st.Kind == "effect" && !slices.Contains(out, st.Service) {
			out = append(out, st.Service)
		}
	}
	slices.Sort(out)
	return out
}

// space is what measuring plans draw from. It does not depend on the stack: every stack meets the same faults.
func (s *Scenario) space() faults.Space {
	sp := faults.Space{ChaosBegin: s.Phases.WarmUp, ChaosEnd: s.Phases.WarmUp + s.Phases.Chaos, Members: s.Consumers.Members,
		Brokers: s.Broker.Nodes, Partitions: s.Broker.Topics[s.Workload.Topic].Partitions, EffectServices: s.effectServices(),
		Group: model.Workers, Leader: func(partition int) string { return "$leader(" + model.PartitionName(s.Workload.Topic, partition) + ")" }}
	for i := range s.Broker.Nodes {
		sp.AllNodes = append(sp.AllNodes, "broker-"+itoa(i+1))
	}
	if s.Broker.Queue == nil {
		sp.AllNodes = append(sp.AllNodes, "controller-1")
	}
	for _, name := range SortedKeys(s.Downstreams) {
		sp.AllNodes = append(sp.AllNodes, name+"-1")
	}
	for i := range s.Consumers.Members {
		sp.AllNodes = append(sp.AllNodes, "consumer-"+itoa(i+1))
	}
	sp.AllNodes = append(sp.AllNodes, "producer-1")
	return sp
}
