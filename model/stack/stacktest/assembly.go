package stacktest

import (
	"errors"

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
	calls  map[string]model.Call                    // composed, by stage; looked up only
	loop   func(model.Ctx, model.Consumer, model.Batch)
}

type role struct {
	name string
	n    int
	boot func(model.Ctx, *sim.Disk)
}

func newAssembly(f model.Flow) *assembly {
	a := &assembly{flow: f, offers: map[string]*model.Offer{}, stages: map[string][]func(model.Call) model.Call{}, calls: map[string]model.Call{}}
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

// compose puts what the layer asked for around each stage, once for a world.
func (a *assembly) compose() {
	for _, s := range a.flow.Stages {
		call := model.Call(func(c model.Ctx, _ string, m model.Message) (model.Message, error) { return s.Run(c, m) })
		for _, name := range []string{s.Name, ""} {
			for _, wrap := range a.stages[name] {
				call = wrap(call)
			}
		}
		a.calls[s.Name] = call
	}
}

// RunStages runs a message through stages, each through what the layer put around it.
func (a *assembly) RunStages(c model.Ctx, m model.Message, stages []model.Stage) error {
	for _, s := range stages {
		m.Stage = s.Name
		next, err := a.calls[s.Name](c.With(m.Intent), s.Name, m)
		if err != nil {
			return err
		}
		m.Payload = next.Payload
	}
	return nil
}

// handler is the batch port.
func (a *assembly) handler() model.Batch {
	handle := model.Batch(func(c model.Ctx, ms []model.Message) []model.Outcome {
		out := make([]model.Outcome, len(ms))
		for i := range ms {
			err := a.RunStages(c, ms[i], a.flow.Stages)
			switch {
			case err == nil:
			case errors.Is(err, model.ErrUndecided):
				out[i] = model.Outcome{Is: model.Park, Why: err}
			case errors.Is(err, model.ErrFenced):
				out[i] = model.Outcome{Is: model.Defer, Why: err}
			default:
				out[i] = model.Outcome{Is: model.Retry, Why: err}
			}
		}
		return out
	})
	for _, wrap := range a.batch {
		handle = wrap(handle)
	}
	return handle
}
