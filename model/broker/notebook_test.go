package broker_test

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// notebook is a coordinator that writes each commit down and answers how many it knows of, and says yes to transactions.
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
	if add, ok := r.Body.(wire.AddPartitionsRequest); ok {
		b.verify(r, &add)
		return
	}
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

// verify says yes to every transaction but those of which the name begins with closed.
func (b *notebook) verify(r *sim.Request, add *wire.AddPartitionsRequest) {
	b.host.Node().Record(history.Fact{Kind: history.KindOperated, Op: "asked", Resource: add.Transaction, Value: fmt.Sprint(add.VerifyOnly, add.Partitions), Fence: -1})
	if strings.HasPrefix(add.Transaction, "closed") {
		r.Fail(wire.ErrTransactionAbort, 0)
		return
	}
	r.Reply(nil, 0)
}

func (b *notebook) Unload() { b.ended = true }
