package stack

import (
	"github.com/twiceless/twiceless/model"
)

// replicated is the variant whose store has a primary and replicas that learn of a record after it was answered. It
// recognises repetitions through the loss of any one node, but for what the primary had answered and not yet told.
const replicated = "replicated-async"

// SentinelService is the name of the service that knows the primary, and its role.
const SentinelService = "sentinel"

// client asks the store; its zero value asks one that has a single node.
type client struct {
	known *memory[*primary] // whom a process takes for the primary; nil = there is only one node
}

// primary is the node that a process asks; "" = it asks the sentinel first.
type primary struct{ name string }

// call is one operation. As clients of such stores do, it keeps to the node that it knows until that one fails it, and
// then asks the sentinel again: one that still answers is believed, whatever has become of it.
func (s client) call(c model.Ctx, op string, req model.Message) (model.Message, error) {
	if s.known == nil {
		return c.Call(DedupService, op, req)
	}
	p := s.known.of(c)
	if p.name == "" {
		reply, err := c.Call(SentinelService, "primary", model.Message{Cause: req.Cause})
		if err != nil {
			return reply, err
		}
		p.name = reply.Payload
	}
	reply, err := c.Call(DedupService+"@"+p.name, op, req)
	if err != nil {
		p.name = ""
	}
	return reply, err
}
