package stacktest

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// assembly composes one layer and one engine over the flow, as a scenario does.
type assembly struct {
	flow   model.Flow
	stores []model.StoreSpec
	roles  []role
	offers map[string]*model.Offer // by service; looked up only
	batch  []func(model.Batch) model.Batch
	stages map[string][]func(model.Call) model.Call // by stage; looked up only
	calls  model.Calls
	loop   func(model.Ctx, model.Consumer, model.Batch)
}

type role struct {
	name string
	n    int
	boot func(model.Ctx, *sim.Disk)
}

func newAssembly(f model.Flow) *assembly {
	a := &assembly{flow: f, offers: map[string]*model.Offer{}, stages: map[string][]func(model.Call) model.Call{}}
	for _, s := range f.Stages {
		if s.Service != "" {
			a.offers[s.Service] = &model.Offer{}
		}
	}
	return a
}

func (a *assembly) Topic(string, int) {}
func (a *assembly) Role(name string, n int, boot func(model.Ctx, *sim.Disk)) {
	a.roles = append(a.roles, role{name, n, boot})
}
func (a *assembly) Store(s model.StoreSpec)                   { a.stores = append(a.stores, s) }
func (a *assembly) ReplayDeadLetters(model.DeadLetterReplay)  {}
func (a *assembly) OnSend(func(model.Call) model.Call)        {}
func (a *assembly) OnPoll(func(lag, inFlight int) (take int)) {}
func (a *assembly) OnBatch(wrap func(model.Batch) model.Batch) {
	a.batch = append(a.batch, wrap)
}

func (a *assembly) OnStage(stage string, wrap func(model.Call) model.Call) {
	a.stages[stage] = append(a.stages[stage], wrap)
}

func (a *assembly) AtService(name string, set func(*model.Offer)) { set(a.offers[name]) }

func (a *assembly) Consume(_, _ string, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.loop = loop
}

func (a *assembly) ConsumeStages(topic, group string, _ []model.Stage, loop func(model.Ctx, model.Consumer, model.Batch)) {
	a.Consume(topic, group, loop)
}

func (a *assembly) ReadCommitted(string) {}
func (a *assembly) AutoCommit(string)    {}

// compose puts what the layer asked for around each stage, once for a world.
func (a *assembly) compose() { a.calls = model.Compose(a.flow.Stages, a.stages) }

// RunStages runs a message through stages, each through what the layer put around it.
func (a *assembly) RunStages(c model.Ctx, m model.Message, stages []model.Stage) error {
	return a.calls.RunStages(c, m, stages)
}

// handler is the batch port.
func (a *assembly) handler() model.Batch {
	return model.Outermost(a.calls.Handle(a.flow.Stages), a.batch)
}
