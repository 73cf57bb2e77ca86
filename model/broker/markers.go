package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// marking is one request for markers under way.
type marking struct {
	r    *sim.Request
	errs [][]error
	open int
}

// markers writes the ends of transactions into the partitions that the broker leads, and answers when the high watermarks
// have passed them all.
func (b *Broker) markers(r *sim.Request, req *wire.MarkersRequest) {
	m := &marking{r: r, errs: make([][]error, len(req.Markers)), open: 1}
	for i := range req.Markers {
		marker := &req.Markers[i]
		m.errs[i] = make([]error, len(marker.Partitions))
		for k, at := range marker.Partitions {
			m.open++
			b.mark(at, marker, func(err error) {
				m.errs[i][k] = err
				m.done()
			})
		}
	}
	m.done()
}

func (m *marking) done() {
	if m.open--; m.open > 0 {
		return
	}
	m.r.Applied()
	m.r.Reply(wire.MarkersReply{Errs: m.errs}, 0)
}

// mark writes one marker. It must not be of an epoch of the producer, or by a coordinator, that has passed.
func (b *Broker) mark(at wire.TopicPartition, marker *wire.Marker, then func(error)) {
	rep, err := b.led(at.Topic, at.Partition)
	switch {
	case err != nil:
	case len(rep.state.ISR) < rep.minISR():
		err = wire.ErrNotEnoughReplicas
	default:
		err = rep.log.CheckMarker(marker.Producer, marker.CoordinatorEpoch)
	}
	if err != nil {
		then(err)
		return
	}
	batch := wire.Batch{Base: rep.log.End(), LeaderEpoch: rep.epoch, Producer: marker.Producer, Sequence: -1, Transactional: true,
		Control: wire.AbortMarker, CoordinatorEpoch: marker.CoordinatorEpoch, Time: b.n.Wall()}
	if marker.Commit {
		batch.Control = wire.CommitMarker
	}
	fact := b.c.witness.marked(rep, &batch, marker.Fact)
	batch.Messages = rep.place([]model.Message{{Cause: marker.Fact, Stored: fact}})
	rep.seal(&batch)
	if rep.host != nil {
		rep.host.markers = append(rep.host.markers, batch)
	}
	rep.take(batch, sim.Action{}, rep.written)
	rep.awaitOwn(batch.Next(), then)
}

// seal gives a batch the record that disks hold of it.
func (rep *replica) seal(batch *wire.Batch) { batch.Raw = partition.Encode(batch) }
