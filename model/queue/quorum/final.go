package quorum

import (
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/raft"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
)

// Final is what the queue and its dead letters hold by the disks of its nodes, some of which may be down: as far as a
// majority agrees.
func Final(nodes []*sim.Node, cfg queue.Config) (messages, letters *shelf.Shelf) {
	logs := make([][]raft.Entry, len(nodes))
	best := 0
	for i, n := range nodes {
		logs[i] = raft.ReadLog(n.Disk(), decode)
		if further(logs[i], logs[best]) {
			best = i
		}
	}
	m := newMachine(&cfg)
	for i := range logs[best] {
		e := &logs[best][i]
		holders := 0
		for _, log := range logs {
			if i < len(log) && log[i].Term == e.Term {
				holders++
			}
		}
		if holders <= len(nodes)/2 {
			break
		}
		if e.Command != nil {
			m.apply(e.Command)
		}
	}
	return m.shelf, m.dead
}

func further(a, b []raft.Entry) bool {
	term := func(log []raft.Entry) int64 {
		if len(log) == 0 {
			return 0
		}
		return log[len(log)-1].Term
	}
	return term(a) > term(b) || term(a) == term(b) && len(a) > len(b)
}
