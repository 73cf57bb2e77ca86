package scenarios

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

func (c *crossChecks) stacks() {
	if len(c.s.Stacks) == 0 {
		c.add("stacks", "no stack; at least one")
	}
	for i, st := range c.s.Stacks {
		path := fmt.Sprintf("stacks[%d]", i)
		if st.Acks == 0 && st.Retries {
			c.add(path+".retries", "with acks: 0 the producer hears no answer, so it never knows what to try again; set acks: 1")
		}
		if st.Idempotent && (st.Acks >= 0 || !st.Retries) {
			c.add(path+".idempotent", "a producer that numbers its records waits for all replicas and tries again; set acks: all and retries: true")
		}
		if c.s.Broker.Queue != nil {
			c.onQueue(path, &st)
		}
		c.engine(path+".engine", &st)
		for j, l := range st.Layers {
			kind, _ := stack.LayerByName(l.Kind)
			c.layer(joinPath(fmt.Sprintf("%s.layers[%d]", path, j), l.Kind), &st, j, kind)
		}
		c.twice(kindsOf(st.Layers), path+".layers[%d]", "a layer")
	}
	c.twice(namesOfStacks(c.s), "stacks[%d].name", "a stack")
}

// onQueue refuses what needs positions, generations or transactions.
func (c *crossChecks) onQueue(path string, st *Stack) {
	if engine, known := stack.EngineByName(st.Engine); known {
		for _, need := range engine.Needs() {
			if need == model.BrokerTransaction || need == model.SinkTransaction {
				c.add(path+".engine", "%s keeps positions in a log, and a queue has none; use engine: commit-after", st.Engine)
			}
		}
	}
	if st.Engine == "publish-commit" {
		c.add(path+".engine", "%s puts a second topic behind the first, and a broker of kind queue has one queue; use engine: commit-after", st.Engine)
	}
	for j, l := range st.Layers {
		at := fmt.Sprintf("%s.layers[%d]", path, j)
		switch {
		case l.Kind == "fence" && l.With["variant"] == "generation":
			c.add(joinPath(at, "fence.variant"), "the consumers of a queue have no generation; use variant: token")
		case l.Kind == "dead-letter" && l.With["replay"] != "" && l.With["replay"] != "none":
			c.add(joinPath(at, "dead-letter.replay"), "nobody publishes the dead letters of a queue again in this version; leave it out")
		}
	}
}

// engine lets the engine of a stack check itself where it stands.
func (c *crossChecks) engine(path string, st *Stack) {
	broker, _ := busByName(c.s.Broker.Kind)
	site := &stack.Site{Engine: st.Engine, Inside: kindsOf(st.Layers), Source: c.s.Workload.Topic, Called: c.s.calledForCritical(),
		Transacts: slices.Contains(broker.gives, model.BrokerTransaction)}
	stack.CheckEngine(site)
	for _, f := range site.Flaws {
		c.add(path, "%s", f.Message)
	}
}

// layer lets the j-th layer of a stack check itself where it stands.
func (c *crossChecks) layer(path string, st *Stack, j int, kind stack.LayerKind) {
	if kind.Check == nil {
		return
	}
	site := &stack.Site{Engine: st.Engine, Outside: kindsOf(st.Layers[:j]), Inside: kindsOf(st.Layers[j+1:]),
		Source: c.s.Workload.Topic, Called: c.s.calledForCritical()}
	kind.Check(site, kind.Values(st.Layers[j].With))
	for _, f := range site.Flaws {
		at := path
		if f.Field != "" {
			at += "." + f.Field
		}
		c.add(at, "%s", f.Message)
	}
}

func kindsOf(layers []Layer) []string {
	var kinds []string
	for _, l := range layers {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}

// calledForCritical lists the services that critical effects call, in the order of the flow.
func (s *Scenario) calledForCritical() []stack.Service {
	var called []stack.Service
	for _, st := range s.Flow {
		if st.Class == history.Critical {
			d := s.Downstreams[st.Service]
			called = append(called, stack.Service{Name: st.Service, TakesKeys: downstreamGives(d.Kind, model.ServiceKey),
				OffersKeys: d.IdempotencyKeys == "offered", KeepKeys: sim.Duration(d.KeepKeys),
				CanFence: downstreamGives(d.Kind, model.ResourceFence), OffersFence: d.Fencing == "offered",
				Transacts: downstreamGives(d.Kind, model.SinkTransaction)})
		}
	}
	return called
}
