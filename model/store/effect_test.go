package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// statedClaims is claims of clients that state what they ask and hear, so that the facts alone tell all.
func (x *witnessWorld) statedClaims() {
	for range 40 {
		op := []string{store.OpClaim, store.OpClaim, store.OpDone, store.OpRelease}[x.rng.IntN(4)]
		event := []string{"order-1", "order-2"}[x.rng.IntN(2)]
		token := []string{"a", "b", "c"}[x.rng.IntN(3)]
		x.client(func(c *model.Context) {
			o := c.With(model.Intent{Event: event, Stage: "pay"})
			f := history.Fact{Kind: history.KindInvoke, Resource: "dedup/" + event + "/pay", Op: op, Value: token, Fence: -1, Offset: -1}
			f.Cause = o.Record(f)
			reply, err := o.Call(store.Service, op, model.Message{Payload: token, Cause: f.Cause})
			f.Kind, f.Value, f.Outcome = history.KindComplete, reply.Payload, history.Acked
			if err != nil {
				f.Outcome = history.Indeterminate
				if model.Definite(err) {
					f.Outcome = history.Failed
				}
			}
			o.Record(f)
		})
	}
}

// stated is what the facts tell of the operations: their points by record, and how they were come by.
type stated struct {
	records map[string][]linear.Witnessed
	answers int // that have a point
	unheard int // took effect, and nobody was told
	vain    int // nobody was told, and nothing happened
	late    int // took effect only when the node was up again
}

// read holds every answer to its point: it has exactly one, between call and return, and is what the store says it gave.
func (s *stated) read(t *testing.T, h *history.History) {
	points, ends := map[int64]*history.Fact{}, map[int64]*history.Fact{}
	for i := range h.Facts {
		switch f := &h.Facts[i]; f.Kind {
		case history.KindDecided:
			require.Nil(t, points[f.Cause], "fact %d took effect twice", f.Cause)
			require.Equal(t, []any{history.KindInvoke, h.At(f.Cause).Resource, h.At(f.Cause).Op}, []any{h.At(f.Cause).Kind, f.Resource, f.Op})
			points[f.Cause] = f
			if f.Note == "written before the crash" {
				s.late++
			}
		case history.KindComplete:
			ends[f.Cause] = f
		}
	}
	for i := range h.Facts {
		f := &h.Facts[i]
		if f.Kind != history.KindInvoke {
			continue
		}
		point, end := points[f.ID], ends[f.ID]
		if end != nil && end.Outcome == history.Acked {
			require.NotNil(t, point, "the answer to fact %d rests on nothing", f.ID)
			require.Less(t, point.ID, end.ID)
			require.Equal(t, point.Value, end.Value)
			s.answers++
		} else if point == nil {
			s.vain++
			continue
		} else {
			s.unheard++
		}
		s.records[f.Resource] = append(s.records[f.Resource], linear.Witnessed{Point: point.ID, Operation: linear.Operation{
			Span: linear.Span{Call: f.ID, Return: point.ID}, Action: linear.Action{F: f.Op, By: f.Value, Result: point.Value}}})
	}
}

// From the facts alone it is known of every operation when it took effect, or that it never did, whatever stops the store:
// and in that order they explain each other. Without the effects that a kill leaves unstated, and the boot after it
// states, later operations would meet what nobody did.
func TestStatedEffectsExplainTheDurableStore(t *testing.T) {
	object := linear.DedupObject()
	var all stated
	for seed := range uint64(80) {
		x := newWitnessWorld("durable", store.Service, seed, 0, claimNames()...)
		x.stops()
		x.statedClaims()
		x.w.Run(sim.Time(sim.Minute))
		all.records = map[string][]linear.Witnessed{}
		all.read(t, x.w.History)
		x.w.Close()
		for name, ops := range all.records {
			r := object.Witness(ops)
			require.Equal(t, linear.Linearizable, r.Verdict, "seed %d, %s: %s", seed, name, r.Because)
		}
	}
	t.Logf("%d answers, %d unheard, %d in vain, %d late", all.answers, all.unheard, all.vain, all.late)
	require.Greater(t, all.answers, 1000)
	require.Greater(t, all.unheard, 30)
	require.Greater(t, all.vain, 30)
	require.Positive(t, all.late)
}

// A copy of a store states no effect: what it was told took effect at the primary. One that is promoted states what takes
// effect at it from then on, also of records that it inherited.
func TestAReplicaStatesOnlyWhatItDecides(t *testing.T) {
	g := newPair(t)
	decided := func() (list []string) {
		for i := range g.w.History.Facts {
			if f := &g.w.History.Facts[i]; f.Kind == history.KindDecided {
				list = append(list, f.Node+" "+f.Op+" "+f.Event+" "+f.Value)
			}
		}
		return list
	}
	ask := func(c *model.Context, node, event, op, token string) {
		o := c.With(model.Intent{Event: event, Stage: "pay"})
		invoke := o.Record(history.Fact{Kind: history.KindInvoke, Op: op, Value: token, Fence: -1, Offset: -1})
		_, err := o.Call(store.Service+"@"+node, op, model.Message{Payload: token, Cause: invoke})
		require.NoError(t, err)
	}
	g.run(func(c *model.Context) {
		ask(c, "dedup-1", "order-1", store.OpClaim, "a")
		c.Sleep(2 * sim.Second)
		g.at(c, func() { g.nodes[1].Kill(0); g.nodes[1].Boot() })
		g.at(c, func() { g.nodes[0].Kill(0) })
		for g.primary(c) == "dedup-1" {
			c.Sleep(sim.Second)
		}
		ask(c, "dedup-2", "order-1", store.OpDone, "a")
	})
	require.Equal(t, []string{"dedup-1 claim order-1 granted", "dedup-2 done order-1 ok"}, decided())
}
