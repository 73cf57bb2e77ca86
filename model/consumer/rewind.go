package consumer

import "github.com/twiceless/twiceless/model"

// Rewind has the positions of the whole share asked for again: what the member has in memory is behind what an aborted
// transaction would have moved them to.
func (c *Consumer) Rewind(model.Ctx) {
	for _, p := range c.owned {
		p.refetch()
		p.state, p.sent = initializing, -1
	}
	c.search()
}
