package broker

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Work is how long a broker is busy with so many requests that hold so many records and bytes in all. It is a pure function.
type Work func(requests, records, bytes int) sim.Duration

// handlers are the request handlers of a broker (num.io.threads). Each is busy with one request at a time, in the order of
// arrival. A request that then waits, for data, for followers or for a disk, keeps no handler busy. When all is handled
// nothing remains, so that idle cycles repeat.
type handlers struct {
	b     *Broker
	idle  int
	ready []*sim.Request
}

func newHandlers(b *Broker) *handlers { return &handlers{b: b, idle: b.cfg.Handlers} }

// take has a request handled in its turn.
func (h *handlers) take(r *sim.Request) {
	h.ready = append(h.ready, r)
	h.begin()
}

// begin has idle handlers begin what is ready.
func (h *handlers) begin() {
	for h.idle > 0 && len(h.ready) > 0 {
		r := h.ready[0]
		h.ready = h.ready[1:]
		h.idle--
		r.After(h.b.workOf(r), func() { h.handled(r) })
	}
}

// handled is the end of the work on a request: what it does takes place now.
func (h *handlers) handled(r *sim.Request) {
	h.idle++
	h.begin()
	h.b.handle(r)
}

// workOf is how long a request keeps a handler busy: an append is what is in it, anything else is a request without records.
func (b *Broker) workOf(r *sim.Request) sim.Duration {
	req, ok := r.Body.(wire.ProduceRequest)
	if !ok {
		return b.cfg.Work(1, 0, 0)
	}
	records := 0
	for i := range req.Batches {
		records += len(req.Batches[i].Messages)
	}
	return b.cfg.Work(1, records, req.Size)
}

// copying is for how long a follower's fetcher is busy with what a fetch has brought, before it is in its log. A fetcher is no
// request handler: it waits for nobody, and asks for more when it is done.
func (b *Broker) copying(reply any) sim.Duration {
	if reply == nil || b.cfg.Work == nil {
		return 0
	}
	records, bytes := 0, 0
	for _, part := range reply.(ReplicaFetchReply).Partitions {
		for i := range part.Batches {
			records += int(part.Batches[i].Records())
			bytes += len(part.Batches[i].Raw)
		}
	}
	if records == 0 {
		return 0
	}
	return b.cfg.Work(1, records, bytes)
}
