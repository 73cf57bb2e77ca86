package twiceless

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Message is one record of the log, as handlers see it: Event is the id of the business event, the same at each delivery;
// Key, Payload, Topic, Partition and Offset are the record's.
type Message = model.Message

// Env is what one process of hosted code, an instance of the consumer, has of the world. Each start of the process gets
// a new one: what was made from the one before belongs to a dead process.
//
// What an Env hands out may be used by any goroutine of the process. Pass the context of a message on with each call that
// belongs to it: that is how a call is known to belong to the message when several are in work.
type Env struct {
	// Node is the name of the simulated machine: consumer-1.
	Node string

	m *member
}

// Context ends when the process does: it was killed, or the run is over. Goroutines that outlive a message should end with
// it.
func (e *Env) Context() context.Context { return e.m.under(&delivery{}) }

// HTTP is a client whose requests go to a service of the scenario, whatever their host is. It has no time-out of its own;
// set one as in production.
func (e *Env) HTTP(service string) *http.Client {
	return &http.Client{Transport: e.Transport(service)}
}

// Transport is the transport of HTTP, for code that makes its own client.
func (e *Env) Transport(service string) http.RoundTripper {
	e.m.known(service)
	return &roundTripper{m: e.m, service: service}
}

// SQL is a pool of connections to a database of the scenario, or to one that the option Database has added.
func (e *Env) SQL(database string) *sql.DB {
	e.m.known(database)
	return e.m.openSQL(database)
}

// Producer publishes to the topics of the scenario's log, from this process.
func (e *Env) Producer() *Producer { return &Producer{m: e.m} }

// Producer is a client that publishes records.
type Producer struct{ m *member }

// Produce appends a record and waits until the log has acknowledged it. Events that a handler publishes belong to the
// event that it handles: Event of the message is that of the context's message if it is empty.
func (p *Producer) Produce(ctx context.Context, topic string, m Message) error {
	_, err := p.m.group.Ask(ctx, "produce "+topic+" "+m.Key+" "+m.Payload, &produceAsk{topic: topic, m: m})
	return err
}

type produceAsk struct {
	topic string
	m     Message
}

func (q *produceAsk) do(c model.Ctx, _ *guest, d *delivery) (any, error) {
	if q.m.Event == "" && d != nil {
		q.m.Event, q.m.Cause = d.intent.Event, d.cause
	}
	return nil, c.Emit(q.topic, q.m)
}

// member is one process of hosted code: one incarnation of a consumer's node.
type member struct {
	gu    *guest
	node  *sim.Node
	inc   int32
	group *bubble.Group
	env   *Env

	batch   BatchHandler         // nil = it owns its loop
	client  *client              // of a loop; nil = the engine's
	changed sim.Signal           // something that its processes wait for has happened
	works   []*delivery          // what is in work, in order of beginning
	run     *bubble.Run          // of the loop
	loopErr error                // what the loop returned
	conns   map[string]string    // names of connections by those of the driver; looked up only
	txs     map[string]*delivery // what transactions are about, by the driver's names of connections; looked up only
	handed  map[string]int64     // by event: the fact of its latest delivery; looked up only
	closers []func()
	pools   int
	over    bool
}

// delivery is one message, or a batch, in the hands of the code.
type delivery struct {
	intent model.Intent // of a single message; Event "" = of none
	cause  int64
	batch  bool // of several
}

type deliveryKey struct{}

// under is a context that says which message it belongs to.
func (m *member) under(d *delivery) context.Context {
	return context.WithValue(m.group.Context(), deliveryKey{}, d)
}

// Single narrows the context of a batch to one of its messages: calls made with it belong to that message.
func Single(ctx context.Context, m Message) context.Context {
	return context.WithValue(ctx, deliveryKey{}, &delivery{intent: m.Intent, cause: m.Cause})
}

// workOf is the message that a call belongs to: that of its context, or else the only one in work, or else the one whose
// event the call names: code that owns its loop, a batch, or a relay that works off what was written down has no context
// of one message. nil = nobody can tell.
func (m *member) workOf(a *bubble.Ask) *delivery {
	d := m.toldOf(a)
	if q, ok := a.What.(*sqlAsk); ok {
		d = m.inTransaction(q, d)
	}
	return d
}

// toldOf is what an ask by itself says that it belongs to.
func (m *member) toldOf(a *bubble.Ask) *delivery {
	d, told := a.Ctx.Value(deliveryKey{}).(*delivery)
	if told && d.intent.Event != "" {
		return d
	}
	events := named(a.Text, m.gu.hall.Scenario.Event)
	switch {
	case len(events) == 1:
		return &delivery{intent: model.Intent{Event: events[0], Correlation: events[0]}, cause: m.ledTo(events[0])}
	case !told && len(m.works) == 1 && m.works[0].intent.Event != "":
		return m.works[0]
	case len(events) > 1 || told && d.batch || !told && len(m.works) > 1:
		m.gu.h.remark("a call has not the context of one message and names no event, or several, so nobody can say which it belongs to; use Single: " + a.Site(drivers...))
	}
	return nil
}

// ledTo is the delivery that led to work for an event: the latest to this process, or else, as a relay works off what others
// have written down, the latest to any.
func (m *member) ledTo(event string) int64 { return cmp.Or(m.handed[event], m.gu.handed[event]) }

// named are the events that a text names, each once: order-117 is one if the noun is order.
func named(text, noun string) (events []string) {
	for from := 0; ; {
		i := strings.Index(text[from:], noun+"-")
		if i < 0 {
			return events
		}
		start := from + i
		end := start + len(noun) + 1
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		from = end
		if end == start+len(noun)+1 || start > 0 && wordByte(text[start-1]) || end < len(text) && wordByte(text[end]) {
			continue
		}
		if event := text[start:end]; !slices.Contains(events, event) {
			events = append(events, event)
		}
	}
}

func wordByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// known panics, in the code of whoever asks, for a service that the scenario does not have.
func (m *member) known(service string) {
	if _, ok := m.gu.hall.Scenario.Downstreams[service]; !ok {
		panic(fmt.Sprintf("twiceless: scenario %s has no service %q; it has %v (a database is added by the option Database)", m.gu.hall.Scenario.Name, service, m.gu.services()))
	}
}
