package servers

import (
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
)

// Final is what the queue and its dead letters hold by the disks of its servers, some of which may be down, once they have
// told each other everything.
func Final(nodes []*sim.Node, cfg queue.Config) (messages, letters *shelf.Shelf) {
	type name struct {
		origin int
		number int64
	}
	known, gone := map[name]bool{}, map[int64]bool{}
	var puts []op
	for _, n := range nodes {
		for _, record := range n.Disk().Read(file) {
			o, origin, number, ok := decode(record)
			if !ok || known[name{origin, number}] {
				continue
			}
			known[name{origin, number}] = true
			if o.kind == opGone {
				gone[o.place] = true
			} else if o.kind != opHide {
				puts = append(puts, o)
			}
		}
	}
	letterCfg := cfg
	letterCfg.DeadLetters = ""
	messages, letters = shelf.New(&cfg), shelf.New(&letterCfg)
	for i := range puts {
		o := &puts[i]
		m := o.message
		m.Partition, m.Offset = o.origin(), o.position()
		if o.kind == opLetter {
			m.Topic = cfg.DeadLetters
			letters.Put(m, o.place, o.at, o.at, o.at)
		} else if !gone[o.place] {
			m.Topic = cfg.Queue
			messages.Put(m, o.place, o.at, o.at, o.at)
		}
	}
	return messages, letters
}
