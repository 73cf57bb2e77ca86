package broker_test

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker"
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
	asked   map[string]int // about transactions
	ended   bool
}

func newNotebook(h coordinator.Host) coordinator.Coordinator {
	return &notebook{host: h, asked: map[string]int{}}
}

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
	switch req := r.Body.(type) {
	case wire.TxnCommitRequest:
		broker.VerifyOffsets(b.host)(&req, b.host.OffsetsPartition(req.Group), func(err error) {
			if err != nil {
				r.Fail(err, 0)
				return
			}
			b.note(r, wire.Batch{Producer: req.Producer, Transactional: true}, req.Group)
		})
	case wire.CommitRequest:
		b.note(r, wire.Batch{}, req.Group)
	default:
		r.Fail(errNotebook, 0)
	}
}

func (b *notebook) note(r *sim.Request, batch wire.Batch, group string) {
	if b.ended {
		r.Fail(errNotebook, 0)
		return
	}
	batch.Messages = []model.Message{{Intent: model.Intent{Key: group}, Payload: "note"}}
	b.host.Append(batch, r.Action, func(err error) {
		if err != nil {
			r.Fail(err, 0)
			return
		}
		b.notes++
		r.Reply(fmt.Sprintf("%d notes, %d markers, epoch %d", b.notes, b.markers, b.host.Epoch()), 0)
	})
}

// verify says yes to every transaction but those of which the name begins with closed. Of slow ones it says so late, and those that
// are busy have to be asked about twice.
func (b *notebook) verify(r *sim.Request, add *wire.AddPartitionsRequest) {
	b.host.Node().Record(history.Fact{Kind: history.KindOperated, Op: "asked", Resource: add.Transaction, Value: fmt.Sprint(add.VerifyOnly, add.Partitions), Fence: -1})
	b.asked[add.Transaction]++
	switch name := add.Transaction; {
	case strings.HasPrefix(name, "closed"):
		r.Fail(wire.ErrTransactionAbort, 0)
	case strings.HasPrefix(name, "busy") && b.asked[name] == 1:
		r.Fail(wire.ErrConcurrentTxn, 0)
	case strings.HasPrefix(name, "slow") && b.asked[name] == 1:
		b.host.Node().After(50*sim.Millisecond, func() { r.Reply(nil, 0) })
	default:
		r.Reply(nil, 0)
	}
}

func (b *notebook) Unload() { b.ended = true }
