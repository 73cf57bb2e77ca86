package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// The stage runs as ever, but its call of the service becomes a row; the consumer hears of the row and goes on with what
// it had. The relay then makes the very call, with a key if the variant has one.
func TestOutboxPutsTheCallInItsPlace(t *testing.T) {
	for variant, key := range map[string]string{"keyed": "order-1/charge", "keyless": ""} {
		g := newRig(t)
		a := install(t, "outbox", map[string]string{"variant": variant})
		charge := a.stages["charge"](func(c model.Ctx, _ string, m model.Message) (model.Message, error) {
			m.Amount = 4000
			return c.Call("payments", "charge", m)
		})
		box, calls := g.outbox(t)
		for range 2 { // the second time is a redelivery
			g.runWith(t, box, func(c *model.Context) {
				m := message("order-1")
				m.Payload = "an order"
				reply, err := charge(c.With(m.Intent), "charge", m)
				require.NoError(t, err)
				require.Equal(t, "an order", reply.Payload)
			})
		}
		require.Len(t, *calls, 1)
		got := (*calls)[0]
		require.Equal(t, []string{"order-1", "charge", "an order", key}, []string{got.Event, got.Stage, got.Payload, got.IdempotencyKey})
		require.Equal(t, int64(4000), got.Amount)
		require.Len(t, g.facts(history.KindSuppressed), 1)
	}
}

// A row that could not be written is an error of the stage, to be tried again.
func TestOutboxThatIsAwayFailsTheStage(t *testing.T) {
	g := newRig(t)
	a := install(t, "outbox", nil)
	charge := a.stages["charge"](func(c model.Ctx, _ string, m model.Message) (model.Message, error) {
		return c.Call("payments", "charge", m)
	})
	box, calls := g.outbox(t)
	box.Services[stack.OutboxService].Kill(0)
	g.runWith(t, box, func(c *model.Context) {
		m := message("order-1")
		_, err := charge(c.With(m.Intent), "charge", m)
		require.ErrorIs(t, err, sim.ErrRefused)
	})
	require.Empty(t, *calls)
}

// outbox adds one, and a service that notes what it is called for.
func (g *rig) outbox(t *testing.T) (dir *model.Directory, calls *[]model.Message) {
	t.Helper()
	calls = &[]model.Message{}
	dir = &model.Directory{CallTimeout: 100 * sim.Millisecond}
	payments := g.w.Role("payments", func(*sim.Node) sim.Handler { return &noting{calls} })
	box := g.bootsWith(t, "outbox", stack.OutboxService, store.Config{Directory: dir})
	dir.Services = map[string]*sim.Node{stack.OutboxService: box, "payments": payments}
	payments.Boot()
	return dir, calls
}

type noting struct{ calls *[]model.Message }

func (s *noting) Receive(_ *sim.Node, r *sim.Request) {
	*s.calls = append(*s.calls, r.Body.(model.Message))
	r.Reply(model.Message{Payload: "charged"}, 0)
}

func TestOutboxChecksWhereItStands(t *testing.T) {
	offers := []stack.Service{{Name: "payments", TakesKeys: true, OffersKeys: true}}
	for _, c := range []struct {
		why, says string
		site      stack.Site
		with      map[string]string
	}{
		{"a loop that commits afterwards", "", stack.Site{Engine: "commit-after", Outside: []string{"dead-letter", "retry"}, Called: offers}, nil},
		{"the position is ahead of the row", "use engine: commit-after", stack.Site{Engine: "commit-before", Called: offers}, nil},
		{"one transaction does it all", "nothing is left for a relay", stack.Site{Engine: "sink-transaction", Called: offers}, nil},
		{"a record inside says done too early", "put outbox there", stack.Site{Engine: "commit-after", Inside: []string{"stage-record"}, Called: offers}, nil},
		{"the relay owns nothing", "leave out the layer fence", stack.Site{Engine: "commit-after", Outside: []string{"fence"}, Called: offers}, nil},
		{"delays grow", "shorter than from", stack.Site{Engine: "commit-after", Called: offers}, map[string]string{"from": "1m"}},
		{"no keys", "set downstreams.payments.idempotency_keys: offered", stack.Site{Engine: "commit-after", Called: []stack.Service{{Name: "payments", TakesKeys: true}}}, nil},
		{"no keys are wanted", "", stack.Site{Engine: "commit-after"}, map[string]string{"variant": "keyless"}},
	} {
		found := flaws(t, "outbox", c.site, c.with)
		if c.says == "" {
			require.Empty(t, found, c.why)
			continue
		}
		require.Len(t, found, 1, c.why)
		require.Contains(t, found[0].Message, c.says, c.why)
	}
}
