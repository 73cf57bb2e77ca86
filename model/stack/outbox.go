package stack

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// outbox writes down what is to be done, and has it done by somebody else. Where the flow reaches a critical effect the
// consumer does not call the service: it puts the call, as a row named by event and stage, into a store in one durable
// operation, and goes on. A relay on the store's node takes the rows in order and calls.
//
// What it removes: whatever happens to consumers and to their group finds the row written once, so that no redelivery
// repeats the effect; and an outage of the service is outlasted by the relay, while consumers go on and park nothing.
// The effect needs no compensation when it fails for good: the row is all that there is of it, and is parked.
//
// The price: the flow goes on before the effect, so that later stages know nothing of its answer and may run although it
// is never applied; one that fails holds up those behind it; and the store keeps every row for ever.
//
//	keyed    each call carries event and stage as its idempotency key
//	keyless  none does. That is wrong: a relay that dies after a call and before its mark calls again, and so does one
//	         whose reply is lost; nobody knows these for repetitions. The outbox has moved the gap between effect and
//	         record from the consumer to the relay, and only the key closes it
//
// Rows are kept for ever, so the horizon of redeliveries does not matter: the key has to last no longer than the relay is
// away between a call and its repetition.
type outbox struct {
	keyed bool
	relay model.Relay
}

// OutboxService is the name of the store's service and role.
const OutboxService = "outbox"

// keyed and keyless are the variants of outbox.
const (
	keyed   = "keyed"
	keyless = "keyless"
)

// isKnown answers a put of a row that is there.
const isKnown = "known"

func (outbox) Name() string { return "outbox" }
func (o outbox) Needs() []model.Capability {
	if o.keyed {
		return []model.Capability{model.EventID, model.StoreOutbox, model.ServiceKey}
	}
	return []model.Capability{model.EventID, model.StoreOutbox}
}
func (outbox) Gives() []model.Capability { return nil }

// Install adds the store and wraps every critical effect.
func (o outbox) Install(a model.Assembly, f model.Flow) {
	a.Store(model.StoreSpec{Kind: "outbox", Name: OutboxService, Relay: o.relay})
	for _, s := range f.Stages {
		if s.Class != history.Critical {
			continue
		}
		if o.keyed {
			a.AtService(s.Service, func(offer *model.Offer) { offer.Keys = true })
		}
		a.OnStage(s.Name, func(inner model.Call) model.Call {
			return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
				u := &calls{service: s.Service}
				reply, err := inner(c.In(u), stage, m)
				if err != nil || u.to == "" {
					return reply, err
				}
				return m, o.put(c, u, stage)
			}
		})
	}
}

// put writes the row. Any error may be followed by another try: a row that is there is known.
func (o outbox) put(c model.Ctx, u *calls, stage string) error {
	row := u.call
	row.Headers = u.to
	if o.keyed {
		row.IdempotencyKey = row.Event + "/" + stage
	}
	reply, err := c.Call(OutboxService, "put", row)
	if err == nil && reply.Payload == isKnown {
		c.Record(history.Fact{Kind: history.KindSuppressed, Resource: OutboxService, Op: "put", Cause: row.Cause, Note: "outbox: known", Fence: -1, Offset: -1})
	}
	return err
}

// calls is a unit in which the call of a service is not made but noted, for the outbox.
type calls struct {
	model.Work
	service string
	to      string // service and op; "" = nothing was called
	call    model.Message
}

// Take notes the call. A row is named by event and stage and holds one.
func (u *calls) Take(c model.Ctx, service, op string, m model.Message) (model.Message, bool) {
	if service != u.service {
		return model.Message{}, false
	}
	if u.to != "" {
		panic("stack: stage " + m.Stage + " calls " + service + " twice; an outbox has one row for it")
	}
	u.to, u.call = service+"."+op, m
	u.call.Intent = c.Intent()
	return m, true
}

func outboxKind() LayerKind {
	return LayerKind{
		Name: outbox{}.Name(),
		Doc:  "what is to be done outside is written down first, and a relay does it, again until it succeeds (M33)",
		Params: []Param{
			{Name: "variant", Type: OneOf, Of: "keyed|keyless", Default: keyed, Doc: "Whether the relay's calls carry a key of event and stage. Without it a relay that dies between a call and its mark, or loses a reply, does it twice."},
			{Name: "from", Type: Duration, Min: "1ms", Max: "1h", Default: "100ms", Doc: "Delay of the relay after a first call that failed; it doubles with each."},
			{Name: "to", Type: Duration, Min: "1ms", Max: "24h", Default: "10s", Doc: "Longest delay."},
			{Name: "budget", Type: Count, Min: "1", Max: "100000", Unit: "tries", Default: "200", Doc: "Calls for one row after the first; then it is parked, and the next row's turn comes. By default they last half an hour."},
		},
		Check: checkOutbox,
		Chain: func(v Values, run sim.Duration) sim.Duration { // a fault that ends finds the relay in a delay
			return v.Duration("to") + run
		},
		Keeps: func(Values) Keeping { return KeepsDurably },
		New: func(v Values) model.Layer {
			return outbox{v.Word("variant") == keyed, model.Relay{From: v.Duration("from"), To: v.Duration("to"), Budget: v.Count("budget")}}
		},
	}
}

func checkOutbox(s *Site, v Values) {
	engine, known := EngineByName(s.Engine)
	switch {
	case s.commitsBefore():
		s.Report("", "commit-before moves the position on before the row is written, so a consumer that dies in between loses the event; use engine: commit-after")
	case known && slices.Contains(engine.Needs(), model.SinkTransaction):
		s.Report("", "%s commits the effect together with the position, so nothing is left for a relay to call; use engine: commit-after", s.Engine)
	}
	if len(s.Inside) > 0 {
		s.Report("", "stands around %s, which would take what is only written down for done: the last layer of the list is the innermost; put outbox there", s.Inside[0])
	}
	if s.within(fence{}.Name()) {
		s.Report("", "the relay calls under no token, so a fence around it is never checked; leave out the layer fence")
	}
	if v.Duration("to") < v.Duration("from") {
		s.Report("to", "%s is shorter than from, %s", v.Duration("to"), v.Duration("from"))
	}
	if v.Word("variant") == keyed {
		checkKeysTaken(s)
	}
}
