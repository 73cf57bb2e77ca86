package broker

import (
	"slices"

	"github.com/twiceless/twiceless/model/wire"
)

// Unread is how many records a reader at a position has before it, markers and what was aborted not counted; 1 while nobody leads the
// partition, because nobody can say. It goes to the end of the leader's log: what lies above the high watermark is there to be read
// as soon as its followers are.
func (c *Cluster) Unread(name string, index int, from int64) (n int64) {
	rep := c.leader(name, index)
	if rep == nil {
		return 1
	}
	end := rep.log.End()
	if from >= end {
		return 0
	}
	from = max(from, rep.log.Start())
	aborted := rep.log.Aborted(from, end)
	for _, b := range rep.log.Read(from, 0, end) {
		i := slices.IndexFunc(aborted, func(t wire.AbortedTxn) bool { return t.Producer == b.Producer.ID && t.First <= b.Base })
		switch {
		case b.Control == wire.Data && (i < 0 || !b.Transactional):
			n += b.Next() - max(from, b.Base)
		case b.Control == wire.AbortMarker && i >= 0:
			aborted = slices.Delete(slices.Clone(aborted), i, i+1)
		}
	}
	return n
}
