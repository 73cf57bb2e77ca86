package producer

import (
	"errors"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Outstanding counts the intents handed to a client that has not answered them yet.
type Outstanding struct{ N int }

// Application is what a publishing application is made of.
type Application struct {
	Topic   string
	Client  Settings
	Cluster client.Config
	Send    func(model.Call) model.Call // layers between the application and its client; nil = none

	// Own starts the client of another broker on the node: it takes messages, states by itself what the application is told
	// of each, and calls answered once. nil = the client of the log, by Client and Cluster.
	Own func(n *sim.Node, answered func()) (hand func(model.Message))
}

// Boot is the factory of the application's node. The workload is the world outside: it goes on while the application
// is down, and what comes meanwhile is turned away. Each intent has a thread of its own, so that one for which the client has
// no room does not keep the next from coming. Asked to stop the application takes no more, and ends when its client has
// answered.
func (a Application) Boot(wl Workload, out *Outstanding) func(*sim.Node) sim.Handler {
	demand := &demand{workload: wl}
	return func(n *sim.Node) sim.Handler {
		out.N = 0 // what an incarnation before had taken died with it: nobody will answer
		r := &running{n: n, app: a, out: out}
		if a.Own != nil {
			r.own = a.Own(n, func() { out.N-- })
		} else {
			r.client = Attach(n, a.Client, client.New(n, a.Cluster))
		}
		n.Go("application", func(p *sim.Proc) { r.run(p, demand) })
		return r
	}
}

// running is one incarnation of an application.
type running struct {
	n       *sim.Node
	app     Application
	client  *Client             // nil = own
	own     func(model.Message) // see Application
	out     *Outstanding
	stopped bool
	stop    sim.Signal
}

// Receive answers nothing: nobody asks an application.
func (r *running) Receive(*sim.Node, *sim.Request) {}

// Stop begins a graceful stop.
func (r *running) Stop() {
	r.stopped = true
	r.stop.Broadcast()
}

// run offers each intent at its time and hands it to the client through the send port.
func (r *running) run(p *sim.Proc, d *demand) {
	booted := p.World().Now()
	send := model.Call(r.hand)
	if r.app.Send != nil {
		send = r.app.Send(send)
	}
	ctx := model.NewContext(p, nil)
	for a := d.next(p.World()); a != nil && !r.stopped; a = d.next(p.World()) {
		if wait := a.at.Sub(p.World().Now()); wait > 0 && p.Wait(&r.stop, wait) {
			break
		}
		m := a.message
		m.Cause = offer(p, a)
		d.offered++
		r.out.N++
		if a.at < booted {
			r.answer(&m, errAway, 0)
			continue
		}
		if _, err := send(ctx.With(m.Intent), r.app.Topic, m); err != nil {
			r.answer(&m, err, 0)
		}
	}
	r.close(p)
}

var errAway = errors.New("the application was down")

// close waits until it is asked to stop and the client has answered.
func (r *running) close(p *sim.Proc) {
	for !r.stopped {
		p.Wait(&r.stop, -1)
	}
	if r.client != nil {
		r.client.Flush(p)
	}
	r.n.After(0, r.n.Finish)
}

// hand gives a message to the client.
func (r *running) hand(_ model.Ctx, topic string, m model.Message) (model.Message, error) {
	if r.own != nil {
		r.own(m)
		return m, nil
	}
	r.client.Enqueue(topic, m, func(res Result) { r.answer(&m, res.Err, res.Stored) })
	return m, nil
}

// answer is what the producer's API tells the application about one intent; stored is the fact that success rests on,
// 0 = none.
func (r *running) answer(m *model.Message, err error, stored int64) {
	r.out.N--
	f := history.Fact{Kind: history.KindAccepted, Event: m.Event, Key: m.Key, Outcome: history.Acked, Cause: m.Cause, Fence: -1, Offset: -1}
	switch {
	case err == nil && stored != 0:
		f.Cause = stored
	case err == nil && r.app.Client.Acks == 0:
		f.Note = "handed to the socket"
	case err == nil:
	case model.Definite(err):
		f.Kind, f.Outcome, f.Note = history.KindRefused, history.Failed, err.Error()
	default:
		f.Kind, f.Outcome, f.Note = history.KindUncertain, history.Indeterminate, err.Error()
	}
	r.n.Record(f)
}
