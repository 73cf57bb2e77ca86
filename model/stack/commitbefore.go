package stack

import "github.com/twiceless/twiceless/model"

// commitBefore commits the positions of a batch and only then handles it: at-most-once. A crash after the commit
// loses what was not handled; a commit whose fate is unknown must not be handled either, because it may come
// again to another member.
type commitBefore struct{}

func (commitBefore) Name() string              { return "commit-before" }
func (commitBefore) Needs() []model.Capability { return nil }
func (commitBefore) Gives() []model.Capability { return nil }

// Build runs the loop in every member of the group.
func (commitBefore) Build(a model.Assembly, f model.Flow) {
	a.Consume(f.Source, model.Workers, func(c model.Ctx, in model.Consumer, handle model.Batch) {
		for {
			batch, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			work := &model.Work{}
			work.Enlist(&positions{in, batch})
			if err := work.Complete(c.With(batch[len(batch)-1].Intent)); err != nil {
				skip(c, batch, err)
				continue
			}
			finish(c, batch, handle(c, batch))
		}
	})
}

// skip closes deliveries that may not be handled because their commit did not certainly take place.
func skip(c model.Ctx, batch []model.Message, why error) {
	outcomes := make([]model.Outcome, len(batch))
	for i := range outcomes {
		outcomes[i] = model.Outcome{Is: model.Defer, Why: why}
	}
	finish(c, batch, outcomes)
}
