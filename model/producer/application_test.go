package producer_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Success is what the log says: it comes after the append and rests on it.
func TestAcceptedRestsOnItsOwnRecord(t *testing.T) {
	g := newRig(t, 1, 1, with(settings()), rush()).run()
	accepted := g.facts(history.KindAccepted)
	require.Greater(t, len(accepted), 20)
	for _, f := range accepted {
		record := g.w.History.At(f.Cause)
		require.Equal(t, history.KindAppended, record.Kind)
		require.Equal(t, f.Event, record.Event)
		require.Equal(t, int64(hop), f.Time-record.Time)
		require.Equal(t, history.Acked, f.Outcome)
	}
}

// acks=0: success is the hand-over to the socket, before the record is anywhere.
func TestAcks0IsAcceptedAtHandOver(t *testing.T) {
	s := plain()
	s.Acks = 0
	g := newRig(t, 1, 1, with(s), only("order-1", "order-2")).run()
	offered, accepted := g.facts(history.KindOffered)[1], g.facts(history.KindAccepted)[1]
	require.Equal(t, offered.Time, accepted.Time)
	require.Equal(t, offered.ID, accepted.Cause)
	require.Less(t, accepted.ID, g.facts(history.KindAppended)[1].ID)
}

// acks=0 loses silently: while the broker is down the application hears of success, and nothing is ever tried again.
func TestAcks0IsLostWhileTheBrokerIsDown(t *testing.T) {
	s := plain()
	s.Acks = 0
	g := newRig(t, 1, 1, with(s), only("order-1", "order-2", "order-3"))
	at := sim.Time(newRig(t, 1, 1, with(s), only("order-2")).run().one(history.KindOffered).Until)
	g.at(at.Add(-ms), func() { g.c.brokers[0].Kill(0) })
	g.at(at.Add(ms), g.c.brokers[0].Boot)
	require.Equal(t, []string{"order-1", "order-2", "order-3"}, events(g.run().facts(history.KindAccepted)))
	require.Equal(t, []string{"order-1", "order-3"}, events(g.facts(history.KindAppended)))
}

// outages are what can be wrong with the leader from just before the second order, when the client knows it already, and
// what the application is told of that if nothing is tried again.
var outages = []struct {
	name   string
	broker func(*rig)
	kind   history.Kind
	note   string
}{
	{"it refuses", func(g *rig) { g.always("error", wire.ErrUnknownTopic) }, history.KindRefused, wire.ErrUnknownTopic.Error()},
	{"it is down", func(g *rig) { g.c.brokers[0].Kill(0) }, history.KindRefused, sim.ErrRefused.Error()},
	{"it dies at the request", func(g *rig) {
		g.w.Watch("broker.produce/arrived", func(h *sim.Hit) { h.Node.Kill(0) })
	}, history.KindUncertain, sim.ErrReset.Error()},
	{"it is dark", func(g *rig) { g.c.brokers[0].PowerLoss(0) }, history.KindUncertain, sim.ErrTimeout.Error()},
	{"the request is lost", func(g *rig) {
		g.w.Watch("broker.produce/sent", func(h *sim.Hit) { h.Drop = true })
	}, history.KindUncertain, sim.ErrTimeout.Error()},
	{"the reply is lost", func(g *rig) {
		g.w.Watch("broker.produce/replied", func(h *sim.Hit) { h.Drop = true })
	}, history.KindUncertain, sim.ErrTimeout.Error()},
}

// always has brokers answer every produce request in one way.
func (g *rig) always(how string, err error) {
	for range 1000 {
		g.c.plan = append(g.c.plan, answer{op: "produce", how: how, err: err})
	}
}

// second has an outage from just before the second of two orders.
func second(t tb, s producer.Settings, outage func(*rig)) *rig {
	at := sim.Time(newRig(t, 1, 1, with(s), only("order-2")).run().one(history.KindOffered).Until)
	g := newRig(t, 1, 1, with(s), only("order-1", "order-2"))
	g.at(at.Add(-ms), func() { g.tries = nil; outage(g) })
	return g
}

// Without retries the first failure is the application's: refused when it is certain that nothing was written, uncertain
// when nobody knows. A connection that is refused is no failure of the record, which waits for another.
func TestTheFirstFailureIsTheApplications(t *testing.T) {
	for _, c := range outages {
		t.Run(c.name, func(t *testing.T) {
			s := plain()
			s.Retries = 0
			g := second(t, s, c.broker).run()
			answer := g.one(c.kind)
			require.Equal(t, "order-2", answer.Event)
			require.Len(t, g.answers(), 2)
			require.Equal(t, c.note, answer.Note)
			require.Equal(t, c.kind == history.KindRefused, answer.Outcome == history.Failed)
			require.Equal(t, c.kind == history.KindUncertain, answer.Outcome == history.Indeterminate)
			require.Equal(t, g.facts(history.KindOffered)[1].ID, answer.Cause)
			if c.name != "it is down" {
				require.Len(t, g.tries, 1)
			}
		})
	}
}

// With retries the same outages are tried against until the delivery timeout is over, to the moment (KIP-91). Then the
// application is told what is known.
func TestRetriesEndWithTheDeliveryTimeout(t *testing.T) {
	for _, c := range outages {
		t.Run(c.name, func(t *testing.T) {
			s := plain()
			s.RequestTimeout = 900 * ms
			g := second(t, s, c.broker).run()
			answer := g.one(c.kind)
			require.Len(t, g.answers(), 2)
			require.Equal(t, int64(s.DeliveryTimeout), answer.Time-g.facts(history.KindOffered)[1].Time)
			require.Greater(t, len(g.tries), 5)
			for i, at := range g.tries[1:] {
				require.GreaterOrEqual(t, at.Sub(g.tries[i]), s.Reconnect-s.Reconnect/5)
			}
		})
	}
}

// A retry bridges an outage that is shorter than the delivery timeout: written once, accepted after the boot.
func TestARetryBridgesAnOutage(t *testing.T) {
	g := newRig(t, 1, 1, with(settings()), first())
	at := firstOffer(t, 1)
	g.at(at.Add(-ms), func() { g.c.brokers[0].Kill(0) })
	g.at(at.Add(5*sim.Second), g.c.brokers[0].Boot)
	accepted := g.run().one(history.KindAccepted)
	require.Len(t, g.answers(), 1)
	require.Equal(t, g.one(history.KindAppended).ID, accepted.Cause)
	require.Greater(t, sim.Time(accepted.Time), at.Add(5*sim.Second))
}

// A layer at the send port stands between the application and the client. What it refuses is refused to the application
// and never sent.
func TestSendPort(t *testing.T) {
	app := with(settings())
	app.Send = func(next model.Call) model.Call {
		return func(c model.Ctx, topic string, m model.Message) (model.Message, error) {
			require.Equal(t, "orders", topic)
			require.Equal(t, m.Intent, c.Intent())
			if m.Event == "order-1" {
				return model.Message{}, errors.New("not this one")
			}
			m.Headers = "seen"
			return next(c, topic, m)
		}
	}
	g := newRig(t, 1, 1, app, only("order-1", "order-2")).run()
	held := g.c.logs["orders/0"].messages
	require.Len(t, held, 1)
	require.Equal(t, "order-2 seen", held[0].Event+" "+held[0].Headers)
	refused := g.one(history.KindRefused)
	require.Equal(t, "order-1: not this one", refused.Event+": "+refused.Note)
	require.Zero(t, g.out.N)
}

// The workload is the world outside: a restart of the application offers nothing twice, draws nothing anew, and what
// came while it was down was turned away.
func TestRestartOffersNothingTwice(t *testing.T) {
	calm := newRig(t, 1, 1, with(settings()), orders()).run().facts(history.KindOffered)

	g := newRig(t, 1, 1, with(settings()), orders())
	g.at(sim.Time(4*sim.Minute), func() { g.producer.Kill(0) })
	g.at(sim.Time(6*sim.Minute), func() { g.producer.Boot() })
	g.run()
	offered := g.facts(history.KindOffered)
	require.Len(t, offered, len(calm))
	away := 0
	for i := range offered {
		require.Equal(t, calm[i].Event, offered[i].Event)
		require.Equal(t, calm[i].Key, offered[i].Key)
		require.Equal(t, calm[i].Until, offered[i].Until, "the intended time")
		if at := offered[i].Until; at > int64(4*sim.Minute) && at < int64(6*sim.Minute) {
			away++
		}
	}
	refused := g.facts(history.KindRefused)
	require.Len(t, refused, away)
	require.Positive(t, away)
	require.Equal(t, "the application was down", refused[0].Note)
	require.Zero(t, g.out.N)
}

// What an application had in hand when it died is nobody's to answer, and nothing waits for it.
func TestRestartForgetsWhatWasOutstanding(t *testing.T) {
	g := newRig(t, 1, 1, with(settings()), first())
	g.always("silent", nil)
	at := firstOffer(t, 1)
	g.at(at.Add(sim.Second), func() { require.Equal(t, 1, g.out.N); g.producer.Kill(0) })
	g.at(at.Add(2*sim.Second), func() { g.producer.Boot() })
	g.run()
	require.Zero(t, g.out.N)
	require.Empty(t, g.answers())
}

// An application that is asked to stop takes no more, and ends when all that it took is answered.
func TestGracefulStop(t *testing.T) {
	g := newRig(t, 1, 1, with(settings()), rush())
	half := rush().From.Add(sim.Second)
	g.at(half.Add(-10*ms), func() {
		for range 8 {
			g.c.plan = append(g.c.plan, answer{op: "produce", how: "late", wait: 400 * ms})
		}
	})
	g.at(half.Add(150*ms), func() { require.Positive(t, g.out.N); g.producer.AskStop(0) })
	g.run()
	stopped := g.one(history.KindStopped)
	require.Equal(t, "graceful", stopped.Note)
	require.Zero(t, g.out.N)
	require.Empty(t, g.facts(history.KindRefused, history.KindUncertain))
	answers := g.answers()
	require.Len(t, answers, len(g.facts(history.KindOffered)))
	require.Equal(t, stopped.Time, answers[len(answers)-1].Time)
}

// Outstanding counts what was handed to the client and has no answer yet: it grows while the broker is silent and is
// back at 0 when all is answered.
func TestOutstanding(t *testing.T) {
	s := settings()
	s.RequestTimeout, s.DeliveryTimeout = 20*sim.Minute, 20*sim.Minute
	g := newRig(t, 1, 1, with(s), rush())
	g.always("silent", nil)
	most := 0
	g.at(rush().To.Add(sim.Minute), func() { most = g.out.N })
	offered := len(g.run().facts(history.KindOffered))
	require.Equal(t, offered, most)
	require.Greater(t, offered, 20)
	require.Zero(t, g.out.N)
}

// An idle client does nothing: what is executed in an hour without work is the boot.
func TestAnIdleClientDoesNothing(t *testing.T) {
	g := newRig(t, 1, 1, with(settings()), first())
	at := firstOffer(t, 1)
	g.w.Run(at.Add(10 * sim.Second))
	before, _ := g.w.Executed()
	require.Zero(t, g.w.Pending())
	g.w.At(at.Add(sim.Hour), sim.PhaseFault, func() {})
	g.w.Run(at.Add(2 * sim.Hour))
	after, _ := g.w.Executed()
	require.Equal(t, int64(1), after-before, "the event that the test itself has made")
}

// What is handed over is answered once, whoever asks for it and however.
func TestPublish(t *testing.T) {
	g := newRig(t, 1, 2, with(settings()), only())
	var got []string
	var client *producer.Client
	n := g.w.Role("relay", func(n *sim.Node) sim.Handler {
		client = attach(g, n, settings())
		n.Go("relay", func(p *sim.Proc) {
			for _, event := range []string{"a", "b", "c"} {
				stored, err := client.Publish(p, "orders", model.Message{Intent: model.Intent{Event: event, Key: event}})
				require.NoError(t, err)
				got = append(got, g.w.History.At(stored).Event)
			}
			client.Send(p, "orders", model.Message{Intent: model.Intent{Event: "d", Key: "d"}}, func(r producer.Result) {
				got = append(got, g.w.History.At(r.Stored).Event)
			})
			require.Equal(t, 1, client.Outstanding())
			client.Flush(p)
			require.Zero(t, client.Outstanding())
		})
		return &idle{true}
	})
	n.Boot()
	g.run()
	require.Equal(t, []string{"a", "b", "c", "d"}, got)
	require.True(t, slices.Equal(got, events(g.facts(history.KindAppended))))
}
