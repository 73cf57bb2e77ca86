package stack

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// publishCommit is brokerTransaction without the transaction: what a member has made of a batch goes to a second topic, is
// acknowledged, and then the position moves. Who dies in between makes the same records again, and an idempotent producer
// is no help: its next incarnation is another producer, of which no log knows anything (KIP-98).
type publishCommit struct{}

func (publishCommit) Name() string              { return "publish-commit" }
func (publishCommit) Needs() []model.Capability { return []model.Capability{model.EventID} }
func (publishCommit) Gives() []model.Capability { return nil }

// Build runs one loop in the members of the group, and another in those that have the effects.
func (publishCommit) Build(a model.Assembly, f model.Flow) {
	inside, behind := halves(f.Stages)
	out := Prepared(f.Source)
	a.Topic(out, 0)
	a.ConsumeStages(f.Source, model.Workers, inside, func(c model.Ctx, in model.Consumer, handle model.Batch) {
		c.Process().Record(history.Fact{Kind: history.KindLinked, Op: "consume-produce", Resource: f.Source, Key: model.Workers, Value: out, Fence: -1, Offset: -1})
		for {
			batch, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			outcomes := handle(c, batch)
			failed := false
			for i := range batch {
				if goesOn(outcomes[i]) && !published(c, out, batch[i]) {
					outcomes[i].Is, failed = model.Defer, true
				}
			}
			finish(c, batch, outcomes)
			moveOn(c, in, settled(batch, outcomes))
			if failed {
				in.Rewind(c)
			}
		}
	})
	a.ConsumeStages(out, Appliers, behind, commitAfterLoop)
}

// published hands what was made of a message to the log; the client tries for as long as its delivery timeout.
func published(c model.Ctx, out string, m model.Message) bool {
	m.IdempotencyKey, m.Headers, m.Attempt = "", "", 0
	return c.With(m.Intent).Emit(out, m) == nil
}
