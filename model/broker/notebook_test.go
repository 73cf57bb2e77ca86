package broker_test

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// notebook is a coordinator that writes each commit down and answers how many it knows of.
type notebook struct {
	host    coordinator.Host
	notes   int
	markers int
	ended   bool
}

func newNotebook(h coordinator.Host) coordinator.Coordinator { return &notebook{host: h} }

func (b *notebook) Load(batches []wire.Batch) {
	for _, batch := range batches {
		if batch.Control == wire.Data {
			b.notes++
		} else {
			b.markers++
		}
	}
}

func (b *notebook) Marker(wire.Batch) { b.markers++ }

func (b *notebook) Receive(r *sim.Request) {
	req, ok := r.Body.(wire.CommitRequest)
	if !ok || b.ended {
		r.Fail(errNotebook, 0)
		return
	}
	batch := wire.Batch{Messages: []model.Message{{Intent: model.Intent{Key: req.Group}, Payload: "note"}}}
	b.host.Append(batch, r.Action, func(err error) {
		if err != nil {
			r.Fail(err, 0)
			return
		}
		b.notes++
		r.Reply(fmt.Sprintf("%d notes, %d markers, epoch %d", b.notes, b.markers, b.host.Epoch()), 0)
	})
}

func (b *notebook) Unload() { b.ended = true }
