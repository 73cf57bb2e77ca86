package scenarios

import (
	"fmt"
	"maps"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
)

// Code is a team's own code, in the place of what a scenario's flow does. It is bound to a scenario and goes with every
// copy of it; it is no part of the data, so a case names who has it (Intent.Owner) and cannot be run without.
//
// There are two doors. Native code is written against model.Ctx: a stage each. Hosted code is ordinary Go code that
// handles a whole message, or owns its poll loop; it runs beside the world (sim.Beside), and what it asks services for
// are the calls of the flow's stages, so that layers of the stack stand around them as around the file's own.
type Code struct {
	Owner  string               // of its cases, as ParseOwner reads it: import/path.TestName, or import/path.main
	Stages map[string]StageFunc // native, by stage; the other stages do what the file says
	Host   func() Guest         // hosted: a new guest for each world; nil = none
	Around func(run func())     // what the goroutine of each run does it in; nil = nothing
	Sites  bool                 // calls carry where they are made: see sim.Config
}

// StageFunc is what a stage does to a message; what it returns goes to the next stage.
type StageFunc = func(model.Ctx, model.Message) (model.Message, error)

// Guest is hosted code in one world.
type Guest interface {
	sim.Beside
	// Enter is called once, before anything has happened.
	Enter(Hall)
	// Handle does one batch on a member of the group; nil if the code owns its loop.
	Handle() model.Batch
	// Batches says that Handle wants the messages of a poll at once.
	Batches() bool
	// Loop is the loop of a member; nil if the engine's is used.
	Loop() func(model.Ctx, model.Consumer)
	// Service is what a service of the scenario does, if the code brings it along.
	Service(name string) (serve downstream.Serve, own bool)
	// Schema is what a database of the scenario holds from the start.
	Schema(name string) []*model.SQLStatement
	// Working counts what the code has in hand, or waits for: a world in which it is not 0 is not at rest.
	Working() int
	// Restless says that the code has asked for things that belong to no message: it may have work that nobody else
	// knows of, such as rows of an outbox.
	Restless() bool
	// Still says that for hours nothing comes from outside, or that this is over. What the code asks for that belongs to
	// no message is not done until then: a look at an empty outbox every second would be most of the run.
	Still(on bool)
	// Leave is called when the world has ended, with its processes.
	Leave()
}

// Hall is what a guest sees of its world.
type Hall struct {
	World    *sim.World
	Scenario *Scenario
	Stages   model.Calls // each through the layers around it
	Speak    func(*sim.Proc) model.Ctx
}

// The doors of Intent.Door.
const (
	DoorNative = "native"
	DoorHosted = "hosted"
)

// transportGivesUp is when a connection whose peer is silent is given up by the system under it, if the code above it
// has no deadline of its own: Linux sends again for 924.6 s by default (tcp_retries2 = 15, tcp(7)).
const transportGivesUp = 924600 * sim.Millisecond

// ForeignCase is a case of code that this program does not have.
type ForeignCase struct{ Owner string }

func (e *ForeignCase) Error() string {
	return fmt.Sprintf("the handlers of this case are not in this program: they belong to %s", e.Owner)
}

// Bind is the scenario with a team's own code. The error says everything that does not fit.
func (s *Scenario) Bind(c *Code) (*Scenario, error) {
	out := *s
	out.code = c
	var ps Problems
	report := func(format string, args ...any) {
		ps = append(ps, Problem{File: s.Name, Message: fmt.Sprintf(format, args...)})
	}
	var names []string
	for i := range s.Flow {
		names = append(names, s.Flow[i].Name)
	}
	for _, name := range SortedKeys(c.Stages) {
		if !slices.Contains(names, name) {
			report("no stage %s in the flow (%s)", quoteShort(name), hintOr(name, names, "it has "+fmt.Sprint(names)))
		}
	}
	if c.Host != nil { // a call without a deadline may wait that long
		out.Phases.Chain = max(s.Phases.Chain, s.chain()+int64(transportGivesUp))
		out.Phases.Drain = max(s.Phases.Drain, s.drainFloor()+int64(transportGivesUp))
	}
	if c.Host == nil && len(c.Stages) == 0 {
		report("neither stages nor a handler")
	}
	for i := range s.Stacks {
		engine, _ := stack.EngineByName(s.Stacks[i].Engine)
		if c.Host != nil && slices.Contains(engine.Needs(), model.SinkTransaction) {
			report("stack %s: engine %s does the stages of the flow one by one; hosted code does a message as a whole", s.Stacks[i].Name, s.Stacks[i].Engine)
		}
	}
	return &out, ps.orNil()
}

// WithService is the scenario with one more service of a kind, with the defaults of that kind; one that is there already
// stays as it is. It reports a name that is taken by another kind of service.
func (s *Scenario) WithService(name, kind string) (*Scenario, error) {
	if d, taken := s.Downstreams[name]; taken {
		if d.Kind != kind {
			return nil, fmt.Errorf("service %s of scenario %s is of kind %s, not %s", name, s.Name, d.Kind, kind)
		}
		return s, nil
	}
	out := *s
	out.Downstreams = maps.Clone(s.Downstreams)
	d := resolveDownstream(&fileDownstream{})
	d.Kind = kind
	d.Latency, d.LatencyText = orDist(nil, defaultLatency(kind))
	out.Downstreams[name] = d
	if issues := checkScenario(&out); len(issues) > 0 {
		return nil, fmt.Errorf("%s %q: %s", kind, name, issues[0].message)
	}
	return &out, nil
}

// Bound is the code, nil if there is none.
func (s *Scenario) Bound() *Code { return s.code }

func (s *Scenario) owner() string {
	if s.code == nil {
		return ""
	}
	return s.code.Owner
}

func (s *Scenario) door() string {
	switch {
	case s.code == nil:
		return ""
	case s.hosts():
		return DoorHosted
	}
	return DoorNative
}

// stageCode is the team's own code of a stage, nil if there is none.
func (s *Scenario) stageCode(name string) StageFunc {
	if s.code == nil {
		return nil
	}
	return s.code.Stages[name]
}

func (s *Scenario) hosts() bool { return s.code != nil && s.code.Host != nil }

// around does a run in what its code needs around it.
func (s *Scenario) around(run func()) {
	if s.code == nil || s.code.Around == nil {
		run()
		return
	}
	s.code.Around(run)
}

// ownLoop is the engine of a team that owns its poll loop.
type ownLoop struct {
	loop func(model.Ctx, model.Consumer)
}

func (ownLoop) Name() string              { return "own-loop" }
func (ownLoop) Needs() []model.Capability { return nil }
func (ownLoop) Gives() []model.Capability { return nil }

// Build runs the loop in every member of the group.
func (e ownLoop) Build(a model.Assembly, f model.Flow) {
	a.Consume(f.Source, model.Workers, func(c model.Ctx, in model.Consumer, _ model.Batch) { e.loop(c, in) })
}
