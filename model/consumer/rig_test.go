package consumer_test

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

const (
	ms  = sim.Millisecond
	sec = sim.Second
	hop = ms // from node to node
)

// tb is a *testing.T or a *rapid.T.
type tb interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// working is the loop of an engine: poll, work, say so, commit.
func working(work sim.Duration) consumer.Loop {
	return func(c model.Ctx, in model.Consumer) {
		for {
			batch, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			c.Sleep(work)
			handled(c, batch)
			_ = in.Commit(c, batch)
		}
	}
}

// handled says that the work is done, its effects are applied.
func handled(c model.Ctx, batch []model.Message) {
	for i := range batch {
		c.Record(history.Fact{Kind: history.KindHandled, Event: batch[i].Event, Cause: batch[i].Cause, Fence: -1, Offset: batch[i].Offset,
			Resource: model.PartitionName(batch[i].Topic, batch[i].Partition), Outcome: history.Acked})
	}
}

// rig tells what a world's history says.
type rig struct{ w *sim.World }

func (g *rig) facts(kinds ...history.Kind) []history.Fact {
	var out []history.Fact
	for _, f := range g.w.History.Facts {
		for _, k := range kinds {
			if f.Kind == k {
				out = append(out, f)
			}
		}
	}
	return out
}

// story tells the facts of these kinds in a line each: "consumer-1 assigned orders/0 at 7 in 2" is a position in a
// generation.
func (g *rig) story(kinds ...history.Kind) []string {
	var out []string
	for _, f := range g.facts(kinds...) {
		s := fmt.Sprintf("%s %v", f.Node, f.Kind)
		for _, what := range []string{f.Event, f.Resource, f.Value, f.Note} {
			if what != "" {
				s += " " + what
			}
		}
		if f.Offset >= 0 {
			s += fmt.Sprintf(" at %d", f.Offset)
		}
		if f.Fence >= 0 {
			s += fmt.Sprintf(" in %d", f.Fence)
		}
		out = append(out, s)
	}
	return out
}
