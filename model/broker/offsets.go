package broker

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// listOffsets answers where logs begin or end for a reader.
func (b *Broker) listOffsets(r *sim.Request, req *wire.ListOffsetsRequest) {
	reply := wire.ListOffsetsReply{Results: make([]wire.OffsetResult, len(req.Partitions))}
	for i, p := range req.Partitions {
		reply.Results[i] = b.placeOf(p, req)
	}
	r.Reply(reply, 0)
}

// placeOf is one of them. A new leader does not answer for the end before its high watermark has come to where its
// leadership began: until then it may be behind what the leader before has answered (KIP-207).
func (b *Broker) placeOf(p wire.TopicPartition, req *wire.ListOffsetsRequest) wire.OffsetResult {
	rep, err := b.led(p.Topic, p.Partition)
	switch {
	case err != nil:
		return wire.OffsetResult{Err: err, Offset: -1, Epoch: -1}
	case req.At == wire.Earliest:
		return wire.OffsetResult{Offset: rep.log.Start(), Epoch: rep.epoch}
	case !rep.exposed() && !b.cfg.EarlyOffsets:
		return wire.OffsetResult{Err: wire.ErrOffsetNotAvailable, Offset: -1, Epoch: rep.epoch}
	}
	return wire.OffsetResult{Offset: rep.limit(req.Isolation, rep.log.High()), Epoch: rep.epoch}
}

// epochEnd answers where an epoch ends in the leader's log (OffsetsForLeaderEpoch).
func (b *Broker) epochEnd(r *sim.Request, req *wire.EpochEndRequest) {
	rep, err := b.led(req.Topic, req.Partition)
	if err == nil {
		err = rep.fence(req.CurrentEpoch)
	}
	if err != nil {
		r.Fail(err, 0)
		return
	}
	epoch, end := rep.log.EpochEnd(req.Epoch)
	r.Reply(wire.EpochEndReply{Epoch: epoch, End: end}, 0)
}
