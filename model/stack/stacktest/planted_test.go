package stacktest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/stack/stacktest"
)

// wrong is a layer with a planted defect.
type wrong struct {
	needs, gives []model.Capability
	install      func(model.Assembly, model.Flow)
}

func (wrong) Name() string { return "wrong" }

func (w wrong) Needs() []model.Capability { return w.needs }

func (w wrong) Gives() []model.Capability { return w.gives }

func (w wrong) Install(a model.Assembly, f model.Flow) { w.install(a, f) }

func (w wrong) kind() stack.LayerKind {
	return stack.LayerKind{Name: "wrong", New: func(stack.Values) model.Layer { return w }}
}

func atCharge(wrap func(model.Call) model.Call) wrong {
	return wrong{install: func(a model.Assembly, _ model.Flow) { a.OnStage("charge", wrap) }}
}

func atBatch(wrap func(model.Batch) model.Batch) wrong {
	return wrong{install: func(a model.Assembly, _ model.Flow) { a.OnBatch(wrap) }}
}

func (w wrong) needing(needs ...model.Capability) wrong { w.needs = needs; return w }

func (w wrong) giving(gives ...model.Capability) wrong { w.gives = gives; return w }

func keeping(k stack.LayerKind, how stack.Keeping) stack.LayerKind {
	k.Keeps = func(stack.Values) stack.Keeping { return how }
	return k
}

// inItsFields skips what it has seen, and keeps what it has seen where no stop reaches it: in the layer itself.
func inItsFields() wrong {
	return atCharge(func(inner model.Call) model.Call {
		seen := map[string]bool{}
		return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
			if seen[m.Event] {
				return m, nil
			}
			seen[m.Event] = true
			return inner(c, stage, m)
		}
	}).needing(model.EventID)
}

// changed is a kind of the table with something else wrong.
func changed(t *testing.T, name string, change func(*stack.LayerKind)) stack.LayerKind {
	k, ok := stack.LayerByName(name)
	require.True(t, ok)
	change(&k)
	return k
}

// relabelled needs other things than the layer inside.
type relabelled struct {
	model.Layer
	needs []model.Capability
}

func (r relabelled) Needs() []model.Capability { return r.needs }

func relabel(needs ...model.Capability) func(*stack.LayerKind) {
	return func(k *stack.LayerKind) {
		make := k.New
		k.New = func(v stack.Values) model.Layer { return relabelled{make(v), needs} }
	}
}

func backwards(inner model.Batch) model.Batch {
	return func(c model.Ctx, ms []model.Message) []model.Outcome {
		ms = slices.Clone(ms)
		slices.Reverse(ms)
		return inner(c, ms)
	}
}

func skipsTheFirst(inner model.Batch) model.Batch {
	return func(c model.Ctx, ms []model.Message) []model.Outcome {
		return append([]model.Outcome{{Is: model.Done}}, inner(c, ms[1:])...)
	}
}

// defersTheLast puts the end of the log off, the first times that it comes.
func defersTheLast(times int) func(model.Batch) model.Batch {
	return func(inner model.Batch) model.Batch {
		return func(c model.Ctx, ms []model.Message) []model.Outcome {
			if ms[len(ms)-1].Event == "order-8" && times > 0 {
				times--
				return slices.Repeat([]model.Outcome{{Is: model.Defer}}, len(ms))
			}
			return inner(c, ms)
		}
	}
}

func parksAndDoes(inner model.Batch) model.Batch {
	return func(c model.Ctx, ms []model.Message) []model.Outcome {
		_ = c.Emit("orders.dlq", ms[0])
		return inner(c, ms)
	}
}

func givesUpAfterwards(inner model.Batch) model.Batch {
	return func(c model.Ctx, ms []model.Message) []model.Outcome {
		inner(c, ms)
		return slices.Repeat([]model.Outcome{{Is: model.Drop}}, len(ms))
	}
}

// asksForAllItKnows asks the service about each event that it has met so far.
func asksForAllItKnows(inner model.Call) model.Call {
	var met []model.Intent
	return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		for _, i := range met {
			_, _ = c.With(i).Call("customers", "enrich", m)
		}
		met = append(met, m.Intent)
		return inner(c, stage, m)
	}
}

// asksOnceMore asks a little more every time.
func asksOnceMore(inner model.Call) model.Call {
	times := map[string]int{}
	return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		times[m.Event]++
		for range times[m.Event] {
			_, _ = c.Call("customers", "enrich", m)
		}
		return inner(c, stage, m)
	}
}

// countsDown acts under a token that is lower in a later process.
func countsDown(inner model.Call) model.Call {
	return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		m.Guard, m.Fence = "orders", 10-int64(c.Process().Node().Incarnation())
		return inner(c, stage, m)
	}
}

// Each check can say no: every defect is found by the promise that it breaks.
func TestPlantedDefects(t *testing.T) {
	same := func(inner model.Call) model.Call { return inner }
	const (
		transparent = "transparent without faults"
		bounded     = "bounded work per delivery"
		restart     = "survives a restart as declared"
		truth       = "needs and gives are true"
	)
	for _, c := range []struct {
		promise, says string
		kind          stack.LayerKind
	}{
		{transparent, "effects", atBatch(backwards).kind()},
		{transparent, "effects", atBatch(skipsTheFirst).kind()},
		{transparent, "10 deliveries; without the layer 8", atBatch(defersTheLast(1)).kind()},
		{transparent, "records written", atBatch(parksAndDoes).kind()},
		{transparent, "is given-up", atBatch(givesUpAfterwards).kind()},
		{bounded, "calls", atCharge(asksForAllItKnows).kind()},
		{bounded, "it grows", atCharge(asksOnceMore).kind()},
		{bounded, "time 1: 14 deliveries of 8 events", atBatch(defersTheLast(99)).kind()},
		{restart, "declared to remember: true", keeping(atCharge(same).kind(), stack.KeepsDurably)},
		{restart, "declared to remember: false", inItsFields().kind()},
		{restart, "after a restart by kill 8 of 16 effects are repeated; want 16", keeping(inItsFields().kind(), stack.KeepsInProcess)},
		{restart, "after a restart by kill 16 of 16 effects are repeated; want 8", changed(t, "dedup-store", func(k *stack.LayerKind) {
			durable := k.New
			k.New = func(stack.Values) model.Layer { return durable(k.Values(map[string]string{"variant": "cache"})) }
		})},
		{restart, "a token is lower", atCharge(countsDown).kind()},
		{truth, "needs magic, which nothing gives", atCharge(same).needing("magic").kind()},
		{truth, "needed is true, asked for at the service is false", atCharge(same).needing(model.ServiceKey).kind()},
		{truth, "needed is false, asked for at the service is true", wrong{install: func(a model.Assembly, f model.Flow) {
			a.AtService("payments", func(o *model.Offer) { o.Fences = true })
		}}.kind()},
		{truth, "the check does not say how", changed(t, "idempotency-key", func(k *stack.LayerKind) { k.Check = nil })},
		{truth, "names no layer that would help", changed(t, "fence", func(k *stack.LayerKind) {
			k.Check = func(s *stack.Site, _ stack.Values) {
				if !s.Called[0].OffersFence {
					s.Report("", "set downstreams.payments.fencing: offered") // which is no help where it cannot be
				}
			}
		})},
		{truth, "its check reports", changed(t, "retry", func(k *stack.LayerKind) {
			k.Check = func(s *stack.Site, _ stack.Values) { s.Report("", "never right") }
		})},
		{truth, "does not need service.key, and its check asks for it", changed(t, "retry", func(k *stack.LayerKind) {
			k.Check = func(s *stack.Site, _ stack.Values) {
				if !s.Called[0].TakesKeys {
					s.Report("", "use the layer { dedup-store: {} }")
				}
			}
		})},
		{truth, "brings a store of kind durable, which gives nothing that it needs", changed(t, "dedup-store", relabel(model.EventID))},
		{truth, "needs store.lease and brings no store that gives it", changed(t, "dedup-store", relabel(model.EventID, model.StoreClaim, model.StoreLease))},
		{truth, "does not need event.id, and without ids there are 9 effects in place of 16", changed(t, "dedup-store", relabel(model.StoreClaim))},
		{truth, "gives magic, which no layer needs", atCharge(same).giving("magic").kind()},
	} {
		found := ""
		for _, p := range stacktest.Promises() {
			if p.Name == c.promise {
				found = p.Broken(&stacktest.Layer{Kind: c.kind})
			}
		}
		require.Contains(t, found, c.says)
	}
}

// A layer without a defect breaks nothing.
func TestALayerThatDoesNothing(t *testing.T) {
	for _, p := range stacktest.Promises() {
		require.Empty(t, p.Broken(&stacktest.Layer{Kind: atCharge(func(inner model.Call) model.Call { return inner }).kind()}), p.Name)
	}
}
