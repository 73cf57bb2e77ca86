package twiceless

import (
	"testing"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/scenarios"
)

// Ctx is what native code sees of the world: calls to services, sleep, clocks. It is a context.Context that never ends: a
// process that is killed unwinds from its present call instead.
type Ctx = model.Ctx

// Stages are native code: by the name of a stage of the scenario's flow, what it does to a message. The other stages do
// what the scenario says. An error has the message tried again, parked or given up, as the stack says.
//
// Code of a stage runs on several simulated consumers, one at a time: a variable outside of it survives their crashes,
// which real memory does not, and is used by several runs at the same time. It must not start goroutines (use Ctx.Go), nor wait for anything but Ctx.
type Stages map[string]func(Ctx, Message) (Message, error)

// Native tests stages of a flow. The test fails if a fault plan makes them break the promise; see the package for what
// it does in which order.
func Native(t *testing.T, scenario string, stages Stages, opts ...Option) {
	t.Helper()
	check(t, scenario, func(*settings) *scenarios.Code { return stages.code() }, opts)
}

func (s Stages) code() *scenarios.Code {
	code := &scenarios.Code{Stages: map[string]scenarios.StageFunc{}}
	for name, fn := range s { // a map to a map
		code.Stages[name] = fn
	}
	return code
}
