package store

import (
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// door keeps requests waiting while a boot flushes what a kill left in the page cache: an answer that rested on it
// could be taken back by the next power loss.
type door struct {
	n     *sim.Node
	enter func(*sim.Request) // a request that may be worked on
	ready bool
	early []*sim.Request
}

// open flushes the file, lets load read it, and then lets the requests in that came meanwhile.
func (d *door) open(n *sim.Node, file string, load func(), enter func(*sim.Request)) {
	d.n, d.enter = n, enter
	if len(n.Disk().Read(file)) == 0 {
		d.ready = true
		return
	}
	n.Fsync(file, sim.Action{}, func() {
		load()
		d.ready = true
		early := d.early
		d.early = nil
		for _, r := range early {
			enter(r)
		}
	})
}

// Receive lets a request in, or has it wait.
func (d *door) Receive(_ *sim.Node, r *sim.Request) {
	if !d.ready {
		d.early = append(d.early, r)
		return
	}
	d.enter(r)
}

// serve lets a request take its service time, drawn for its action.
func (d *door) serve(r *sim.Request, latency rng.Dist, then func()) {
	took := latency.Quantile(d.n.World().Draw(rng.ServiceTime, r.Action, 0))
	d.n.After(sim.Duration(took), then)
}
