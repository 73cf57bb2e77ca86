package stack

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// commitAfter handles a batch and then commits its positions: at-least-once. A crash between an effect and the
// commit brings the whole batch again.
type commitAfter struct{}

func (commitAfter) Name() string              { return "commit-after" }
func (commitAfter) Needs() []model.Capability { return []model.Capability{model.EventID} }
func (commitAfter) Gives() []model.Capability { return nil }

// Build runs the loop in every member of the group.
func (commitAfter) Build(a model.Assembly, f model.Flow) {
	a.Consume(f.Source, model.Workers, commitAfterLoop)
}

// commitAfterLoop is the loop of one member.
func commitAfterLoop(c model.Ctx, in model.Consumer, handle model.Batch) {
	for {
		batch, ok := in.Poll(c, 0)
		if !ok {
			return
		}
		if c.Planted(model.CommitBeforeEffect) {
			moveOn(c, in, batch)
		}
		outcomes := handle(c, batch)
		finish(c, batch, outcomes)
		moveOn(c, in, settled(batch, outcomes))
	}
}

// moveOn commits the positions of what was handled. Refused or unknown: the records come again, to whoever owns them.
func moveOn(c model.Ctx, in model.Consumer, done []model.Message) {
	if len(done) == 0 {
		return
	}
	work := &model.Work{}
	work.Enlist(&positions{in, done})
	_ = work.Complete(c.With(done[len(done)-1].Intent))
}

// positions is the participant that moves the group's offsets.
type positions struct {
	in model.Consumer
	ms []model.Message
}

func (p *positions) Prepare(model.Ctx) error  { return nil }
func (p *positions) Commit(c model.Ctx) error { return p.in.Commit(c, p.ms) }
func (p *positions) Abort(model.Ctx) error    { return nil }

// finish writes down what became of each delivery. What is given up without a record of it leaves a log line.
func finish(c model.Ctx, batch []model.Message, outcomes []model.Outcome) {
	for i := range batch {
		m, o := &batch[i], &outcomes[i]
		f := history.Fact{Kind: history.KindHandled, Event: m.Event, Key: m.Key, Cause: m.Cause, Outcome: history.Acked,
			Resource: model.PartitionName(m.Topic, m.Partition), Offset: m.Offset, Fence: -1}
		if o.Is != model.Done {
			f.Outcome = history.GivenUp
			if o.Why != nil {
				f.Note = o.Why.Error()
			}
		}
		if o.Is == model.Defer {
			f.Outcome = history.Retried
		}
		id := c.Record(f)
		if o.Is != model.Done && o.Is != model.Defer {
			c.Record(history.Fact{Kind: history.KindDropped, Event: m.Event, Key: m.Key, Cause: id, Note: f.Note, Fence: -1, Offset: -1})
		}
	}
}

// settled is the prefix per partition of messages whose position may move: nothing behind a deferred one. A queue has no
// positions: there each message is acknowledged by itself.
func settled(batch []model.Message, outcomes []model.Outcome) []model.Message {
	var out []model.Message
	for _, i := range settledAt(batch, outcomes) {
		out = append(out, batch[i])
	}
	return out
}

// settledAt is where in the batch these are.
func settledAt(batch []model.Message, outcomes []model.Outcome) (at []int) {
	var blocked []int
next:
	for i := range batch {
		for _, p := range blocked {
			if p == batch[i].Partition {
				continue next
			}
		}
		if outcomes[i].Is == model.Defer {
			if batch[i].Handle == 0 {
				blocked = append(blocked, batch[i].Partition)
			}
			continue
		}
		at = append(at, i)
	}
	return at
}
