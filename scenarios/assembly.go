package scenarios

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// assembly is where one stack is put together. Layers wrap the ports in the order of their list: since each wrap
// is applied around what stands there already, the list is installed from its end.
type assembly struct {
	flow   model.Flow
	topics []topicSpec
	stores []model.StoreSpec
	roles  []roleSpec
	replay *model.DeadLetterReplay // nil = nobody publishes dead letters again
	offers map[string]*model.Offer // by service; looked up only

	send   []func(model.Call) model.Call
	polls  []func(lag, inFlight int) int
	batch  []func(model.Batch) model.Batch
	stages map[string][]func(model.Call) model.Call // by stage; looked up only
	loops  []loopSpec
	calls  model.Calls
}

type topicSpec struct {
	name       string
	partitions int
}

// loopSpec is one consumer group: the first one's members are the role consumer, the others' roles are named after
// their groups.
type loopSpec struct {
	role, topic, group string
	stages             []model.Stage // that its messages run through
	committed          bool          // reads committed records only
	auto               bool          // the client commits by itself
	run                func(model.Ctx, model.Consumer, model.Batch)
}

type roleSpec struct {
	name string
	n    int
	boot func(model.Ctx, *sim.Disk)
}

// assemble installs the engine and the layers of a stack over a flow.
func assemble(flow model.Flow, s *Stack, offers map[string]*model.Offer) *assembly {
	engine, ok := stack.EngineByName(s.Engine)
	if !ok {
		panic("scenarios: engine " + s.Engine + " passed the check and does not exist")
	}
	return assembleWith(flow, s, engine, offers)
}

// assembleWith is assemble with an engine that need not be in the table.
func assembleWith(flow model.Flow, s *Stack, engine model.Engine, offers map[string]*model.Offer) *assembly {
	a := &assembly{flow: flow, offers: offers, stages: map[string][]func(model.Call) model.Call{}}
	for _, l := range s.Layers {
		kind, ok := stack.LayerByName(l.Kind)
		if !ok {
			panic("scenarios: layer " + l.Kind + " passed the check and does not exist")
		}
		layer := kind.New(kind.Values(l.With))
		layer.Install(a, flow)
	}
	a.calls = model.Compose(flow.Stages, a.stages)
	engine.Build(a, flow)
	if len(a.loops) == 0 || a.loops[0].topic != flow.Source {
		panic("scenarios: engine " + s.Engine + " does not consume the flow's source first")
	}
	return a
}

func (a *assembly) Topic(name string, partitions int) {
	a.topics = append(a.topics, topicSpec{name, partitions})
}

func (a *assembly) Role(name string, n int, boot func(model.Ctx, *sim.Disk)) {
	a.roles = append(a.roles, roleSpec{name, n, boot})
}

func (a *assembly) Store(s model.StoreSpec) { a.stores = append(a.stores, s) }

func (a *assembly) ReplayDeadLetters(r model.DeadLetterReplay) { a.replay = &r }

func (a *assembly) OnSend(wrap func(model.Call) model.Call) { a.send = append(a.send, wrap) }

func (a *assembly) OnPoll(take func(lag, inFlight int) int) { a.polls = append(a.polls, take) }

func (a *assembly) OnBatch(wrap func(model.Batch) model.Batch) { a.batch = append(a.batch, wrap) }

func (a *assembly) OnStage(stage string, wrap func(model.Call) model.Call) {
	a.stages[stage] = append(a.stages[stage], wrap)
}

func (a *assembly) AtService(name string, set func(*model.Offer)) {
	o := a.offers[name]
	if o == nil {
		panic("scenarios: a layer asks service " + name + ", which does not exist")
	}
	set(o)
}

func (a *assembly) Consume(topic, group string, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.ConsumeStages(topic, group, a.flow.Stages, loop)
}

func (a *assembly) ConsumeStages(topic, group string, stages []model.Stage, loop func(model.Ctx, model.Consumer, model.Batch)) {
	role := "consumer"
	if len(a.loops) > 0 {
		role = group
	}
	a.loops = append(a.loops, loopSpec{role: role, topic: topic, group: group, stages: stages, run: loop})
}

func (a *assembly) ReadCommitted(group string) { a.loopOf(group).committed = true }

func (a *assembly) AutoCommit(group string) { a.loopOf(group).auto = true }

// loopOf is the loop of a group; nil when there is none.
func (a *assembly) loopOf(group string) *loopSpec {
	for i := range a.loops {
		if a.loops[i].group == group {
			return &a.loops[i]
		}
	}
	return nil
}

// RunStages runs a message through stages, each through its layers; the first error ends it.
func (a *assembly) RunStages(c model.Ctx, m model.Message, stages []model.Stage) error {
	return a.calls.RunStages(c, m, stages)
}

// sender is the send port around the client.
func (a *assembly) sender(inner model.Call) model.Call { return model.Outermost(inner, a.send) }

// flowOf turns a scenario's stages into runnable ones.
func flowOf(sc *Scenario) model.Flow {
	f := model.Flow{Name: sc.Name, Source: sc.Workload.Topic, Incremental: sc.Consumers.Protocol != "eager"}
	for i := range sc.Flow {
		s := &sc.Flow[i]
		st := model.Stage{Name: s.Name, Class: s.Class, Service: s.Service}
		switch s.Kind {
		case "pure":
			st.Kind, st.Run = model.Pure, pureStage(s)
		case "read":
			st.Kind, st.Run = model.Read, callStage(s)
		case "effect":
			st.Kind, st.Run = model.Effect, callStage(s)
		default:
			panic("scenarios: stage kind " + s.Kind)
		}
		if own := sc.stageCode(s.Name); own != nil {
			st.Run = own
		}
		f.Stages = append(f.Stages, st)
	}
	return f
}

// pureStage computes: it takes the time that the file says, drawn for this event.
func pureStage(s *Stage) func(model.Ctx, model.Message) (model.Message, error) {
	takes := s.Takes
	name := s.Name
	return func(c model.Ctx, m model.Message) (model.Message, error) {
		w := c.Process().World()
		act := w.Act(m.Event, name, "compute")
		c.Sleep(sim.Duration(takes.Quantile(w.Draw(rng.ServiceTime, act, 0))))
		return m, nil
	}
}

// callStage asks a service.
func callStage(s *Stage) func(model.Ctx, model.Message) (model.Message, error) {
	service, op, amount := s.Service, s.Op, s.Amount
	return func(c model.Ctx, m model.Message) (model.Message, error) {
		m.Amount = amount
		return c.Call(service, op, m)
	}
}

// requirements lists the effects that every intent of the flow needs.
func requirements(f model.Flow) []history.Requirement {
	var out []history.Requirement
	for _, st := range f.Stages {
		if st.Kind == model.Effect {
			out = append(out, history.Requirement{Stage: st.Name, Resource: st.Service, Class: st.Class, ClassTag: st.Class.String()})
		}
	}
	return out
}
