package producer_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// acks=1: success is what the log says. It comes after the record is durable, one hop later, and rests on its append.
func TestAcks1IsAcceptedAfterTheReply(t *testing.T) {
	g := newRig(t, 1, realBroker(1), config(), first()).run()
	appended, accepted := g.one(history.KindAppended), g.one(history.KindAccepted)
	require.Equal(t, int64(100*sim.Microsecond+2*ms+hop), accepted.Time-appended.Time, "append, fsync, reply")
	require.Equal(t, appended.ID, accepted.Cause)
	require.Equal(t, history.Acked, accepted.Outcome)
}

// acks=0: success is the hand-over to the socket, before the record is anywhere.
func TestAcks0IsAcceptedAtHandOver(t *testing.T) {
	cfg := config()
	cfg.Acks = 0
	g := newRig(t, 1, realBroker(1), cfg, first()).run()
	offered, accepted := g.one(history.KindOffered), g.one(history.KindAccepted)
	require.Equal(t, offered.Time, accepted.Time)
	require.Equal(t, offered.ID, accepted.Cause)
	require.Less(t, accepted.ID, g.one(history.KindAppended).ID)
}

// acks=0 loses silently: while the broker is down the application hears of success, and nothing is ever tried again.
func TestAcks0IsLostWhileTheBrokerIsDown(t *testing.T) {
	cfg := patient()
	cfg.Acks = 0
	wl := only("order-1", "order-2")
	g := newRig(t, 1, realBroker(1), cfg, wl)
	at := firstOffer(t, 1)
	g.at(at.Add(-ms), func() { g.broker.Kill(0) })
	g.at(at.Add(ms), g.broker.Boot)
	require.Equal(t, []string{"order-1", "order-2"}, events(g.run().facts(history.KindAccepted)))
	require.Equal(t, []string{"order-2"}, events(g.facts(history.KindAppended)))
}

// outages are what can be wrong with a broker from before its first request.
var outages = []struct {
	name   string
	broker func(*rig)
	kind   history.Kind
	note   string
}{
	{"it refuses", func(g *rig) {}, history.KindRefused, model.ErrUnknownTopic.Error()},
	{"it is down", func(g *rig) { g.broker.Kill(0) }, history.KindRefused, sim.ErrRefused.Error()},
	{"it dies at the request", func(g *rig) {
		g.w.Watch("broker.produce/arrived", func(*sim.Hit) { g.broker.Kill(0) })
	}, history.KindUncertain, sim.ErrReset.Error()},
	{"it is dark", func(g *rig) { g.broker.PowerLoss(0) }, history.KindUncertain, sim.ErrTimeout.Error()},
	{"the request is lost", func(g *rig) {
		g.w.Watch("broker.produce/sent", func(h *sim.Hit) { h.Drop = true })
	}, history.KindUncertain, sim.ErrTimeout.Error()},
	{"the reply is lost", func(g *rig) {
		g.w.Watch("broker.produce/replied", func(h *sim.Hit) { h.Drop = true })
	}, history.KindUncertain, sim.ErrTimeout.Error()},
}

// refuse answers every request with a definite error.
func refuse(_ int, r *sim.Request) { r.Fail(model.ErrUnknownTopic, 0) }

// Without retries the first failure is the application's: refused when it is certain that nothing was written,
// uncertain when nobody knows. There is one try.
func TestTheFirstFailureIsTheApplications(t *testing.T) {
	for _, c := range outages {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1, fakeBroker(refuse), config(), first())
			c.broker(g)
			g.run()
			require.Len(t, g.tries, 1)
			answer := g.one(c.kind)
			require.Len(t, g.answers(), 1)
			require.Equal(t, c.note, answer.Note)
			require.Equal(t, c.kind == history.KindRefused, answer.Outcome == history.Failed)
			require.Equal(t, c.kind == history.KindUncertain, answer.Outcome == history.Indeterminate)
			require.Equal(t, g.one(history.KindOffered).ID, answer.Cause)
		})
	}
}

// With retries the same outages are tried against, a backoff after each failure, as long as a further try begins
// within the delivery timeout. Then the application is told what is known.
func TestRetriesEndWithTheDeliveryTimeout(t *testing.T) {
	for _, c := range outages {
		t.Run(c.name, func(t *testing.T) {
			cfg := patient()
			g := newRig(t, 1, fakeBroker(refuse), cfg, first())
			c.broker(g)
			g.run()
			answer, began := g.one(c.kind), g.tries[0]
			require.Len(t, g.answers(), 1)
			for i, at := range g.tries[1:] {
				require.GreaterOrEqual(t, at.Sub(g.tries[i]), cfg.Backoff+hop)
			}
			require.Less(t, g.tries[len(g.tries)-1].Sub(began), cfg.DeliveryTimeout)
			gaveUp := sim.Time(answer.Time).Sub(began)
			require.GreaterOrEqual(t, gaveUp+cfg.Backoff, cfg.DeliveryTimeout, "it does not give up before")
			require.Less(t, gaveUp, cfg.DeliveryTimeout+cfg.RequestTimeout)
		})
	}
}

// One try of unknown fate makes the end uncertain, whatever definite refusals follow: it may have been written.
func TestAnUncertainTryIsNotForgotten(t *testing.T) {
	g := newRig(t, 1, fakeBroker(func(n int, r *sim.Request) {
		if n > 1 {
			r.Fail(model.ErrUnknownTopic, 0)
		}
	}), patient(), first()).run()
	require.Equal(t, history.Indeterminate, g.one(history.KindUncertain).Outcome)
	require.Empty(t, g.facts(history.KindRefused))
	require.Greater(t, len(g.tries), 2)
}

// A retry bridges an outage that is shorter than the delivery timeout: written once, accepted after the boot.
func TestARetryBridgesAnOutage(t *testing.T) {
	g := newRig(t, 1, realBroker(1), patient(), first())
	at := firstOffer(t, 1)
	g.at(at.Add(-ms), func() { g.broker.Kill(0) })
	g.at(at.Add(5*sim.Second), g.broker.Boot)
	accepted := g.run().one(history.KindAccepted)
	require.Len(t, g.answers(), 1)
	require.Equal(t, g.one(history.KindAppended).ID, accepted.Cause)
	require.Greater(t, sim.Time(accepted.Time), at.Add(5*sim.Second))
}

// A retry after a lost reply appends twice: a record carries no producer id and no sequence number by which the log
// could see that it has it already. The application hears of one success.
func TestARetryAfterALostReplyAppendsTwice(t *testing.T) {
	g := newRig(t, 1, realBroker(1), patient(), first())
	replies := 0
	g.w.Watch("broker.produce/replied", func(h *sim.Hit) { replies++; h.Drop = replies == 1 })
	g.run()
	appended := g.facts(history.KindAppended)
	require.Equal(t, []string{"order-1", "order-1"}, events(appended))
	require.Equal(t, []int64{0, 1}, []int64{appended[0].Offset, appended[1].Offset})
	require.Equal(t, []int32{1, 2}, []int32{appended[0].Attempt, appended[1].Attempt})
	require.Equal(t, appended[1].ID, g.one(history.KindAccepted).Cause)
}

// A layer at the send port stands between the application and the client. What it refuses is refused to the
// application and never sent.
func TestSendPort(t *testing.T) {
	cfg := config()
	cfg.Send = func(next model.Call) model.Call {
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
	var sent []model.Message
	g := newRig(t, 1, fakeBroker(func(_ int, r *sim.Request) {
		sent = append(sent, messages(r)...)
		took(r)
	}), cfg, only("order-1", "order-2")).run()
	require.Len(t, sent, 1)
	require.Equal(t, "order-2 seen", sent[0].Event+" "+sent[0].Headers)
	refused := g.one(history.KindRefused)
	require.Equal(t, "order-1: not this one", refused.Event+": "+refused.Note)
	require.Zero(t, g.out.N)
}
