package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// checkpointFile holds the high watermarks and log starts of all replicas: the last whole record counts.
const checkpointFile = "checkpoint"

// logFile holds one record for each batch of a partition's log.
func logFile(partition string) string { return "log/" + partition }

// checkpoint is what is remembered of one replica.
type checkpoint struct {
	topic       string
	index       int
	high, start int64
}

// checkpoints are written at multiples of their period, if anything has changed since. They are late by that: after a
// restart a replica's high watermark is behind what it knew.
type checkpoints struct {
	known []checkpoint // at boot
	armed bool
}

func (c *checkpoints) read(b *Broker) {
	for _, record := range b.n.Disk().Read(checkpointFile) {
		in, whole := model.Open(record)
		if !whole {
			break
		}
		c.known = c.known[:0]
		for in.More() {
			c.known = append(c.known, checkpoint{in.Text(), int(in.Number()), in.Number(), in.Number()})
		}
	}
}

func (c *checkpoints) of(topic string, index int) checkpoint {
	for _, k := range c.known {
		if k.topic == topic && k.index == index {
			return k
		}
	}
	return checkpoint{}
}

// changed arms the next checkpoint.
func (c *checkpoints) changed(b *Broker) {
	if c.armed {
		return
	}
	c.armed = true
	b.n.AfterBackground(b.cfg.Checkpoint-sim.Duration(b.n.Now())%b.cfg.Checkpoint, func() {
		c.armed = false
		c.write(b)
	})
}

// write replaces the checkpoint: the old one goes when the new one is on the disk. While no log is open there is nothing newer.
func (c *checkpoints) write(b *Broker) {
	var out []byte
	b.each(func(rep *replica) {
		out = model.AppendText(out, rep.topic.cfg.Name)
		for _, n := range [...]int64{int64(rep.index), rep.log.High(), rep.log.Start()} {
			out = model.AppendNumber(out, n)
		}
	})
	if out == nil {
		return
	}
	b.n.Append(checkpointFile, model.Seal(out), sim.Action{}, nil)
	b.n.Fsync(checkpointFile, sim.Action{}, func() {
		if records := len(b.n.Disk().Read(checkpointFile)); records > 1 {
			b.n.Discard(checkpointFile, records-1)
		}
	})
}
