package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// The life of a broker: it registers, which may have to wait until the session of its last incarnation has ended; polls the
// metadata; beats, and is unfenced when it has the metadata of its registration; serves; and stops, killed or by a
// controlled shutdown: beats until all others know that it leads nothing, makes everything durable, and leaves a marker
// that says so.

// cleanFile holds one record while the log on the disk is known to have everything: the epoch of the session that ended then. A broker
// that stops before it is registered has no session to vouch for, and 0 stands there: it may have lost something before.
const cleanFile = "clean-shutdown"

func (b *Broker) boot() {
	if b.cfg.Writeback > 0 {
		b.n.Disk().Writeback(b.cfg.Writeback)
	}
	b.checkpoints.read(b)
	if marks := b.n.Disk().Read(cleanFile); len(marks) > 0 {
		if in, whole := model.Open(marks[len(marks)-1]); whole {
			b.ended = in.Number()
		}
		b.n.Discard(cleanFile, len(marks))
	}
	b.c.witness.booted(b)
	b.n.AfterBackground(0, b.register)
}

func (b *Broker) register() {
	req := wire.RegisterRequest{Broker: b.id, Incarnation: b.inc, LastEpoch: b.ended}
	b.n.Call(b.controller, b.op.register, sim.Action{}, req, 0, b.cfg.controlTimeout(), func(reply any, _ int64, err error) {
		if err != nil {
			b.n.AfterBackground(b.cfg.ControlRetry, b.register)
			return
		}
		b.epoch = reply.(wire.RegisterReply).Epoch
		b.pollImage()
	})
}

// beat keeps the session. The next one follows a period after the answer, or sooner where something waits for it.
func (b *Broker) beat() {
	req := wire.BeatRequest{Broker: b.id, Epoch: b.epoch, Image: b.version, WantShutdown: b.stopping}
	b.n.Call(b.controller, b.op.beat, sim.Action{}, req, 0, b.cfg.controlTimeout(), func(reply any, _ int64, err error) {
		switch {
		case err == nil && reply.(wire.BeatReply).ShouldShutDown:
			b.shutDown()
		case err != nil || b.stopping || !b.open:
			b.nextBeat = b.n.AfterBackground(b.cfg.ControlRetry, b.beat)
		default:
			b.nextBeat = b.n.AfterBackground(b.cfg.Heartbeat, b.beat)
		}
	})
}

// Stop begins a controlled shutdown: the next beat says so, at once. A broker that is not registered has nothing to hand
// over.
func (b *Broker) Stop() {
	if b.stopping {
		panic("broker: " + b.n.Name() + " stops twice")
	}
	b.stopping = true
	switch {
	case b.epoch == 0:
		b.shutDown()
	case b.n.Cancel(b.nextBeat):
		b.n.AfterBackground(0, b.beat)
	}
}

// shutDown makes everything durable, then the marker that says so, and ends.
func (b *Broker) shutDown() {
	b.checkpoints.write(b)
	b.each(func(rep *replica) { b.n.Fsync(rep.file, sim.Action{}, nil) })
	b.n.Append(cleanFile, model.Seal(model.AppendNumber(nil, b.epoch)), sim.Action{}, nil)
	b.n.Fsync(cleanFile, sim.Action{}, b.n.Finish)
}
