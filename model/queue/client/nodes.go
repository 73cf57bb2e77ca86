package client

import (
	"errors"

	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/sim"
)

// nodes are those of a queue, and which of them a client asks. It stays with one as long as that answers.
type nodes struct {
	list []*sim.Node
	at   int
}

func (s *nodes) present() *sim.Node { return s.list[s.at] }

// failed moves on: to who is said to serve, or else to the next one, unless another process of the client has done so since
// this node was asked. It says whether the client was told whom to ask, so that it need not wait before it does.
func (s *nodes) failed(asked *sim.Node, err error) (told bool) {
	if asked != s.present() {
		return false
	}
	var other *queue.NotLeader
	if errors.As(err, &other) {
		for i, n := range s.list {
			if n.Name() == other.Node && i != s.at {
				s.at = i
				return true
			}
		}
	}
	if elsewhere(err) {
		s.at = (s.at + 1) % len(s.list)
	}
	return false
}

// elsewhere says whether another node may answer better: this one did not, or not as the one that serves.
func elsewhere(err error) bool {
	var other *queue.NotLeader
	return errors.As(err, &other) || errors.Is(err, sim.ErrRefused) || !queue.Definite(err)
}
