package stack

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// dedupStore claims each critical effect in a durable store before it calls the service: absent → pending → done.
// A repetition that finds done is suppressed. One that finds pending cannot know whether the effect took place,
// because the service takes no key and answers no query: it is parked as undecided, for a person. So no effect is
// ever applied twice, and the price is paid in parked events.
//
// Counterexample to the obvious alternative, marking done after the effect without a claim: killed between
// effect and mark, the successor finds nothing and applies again.
type dedupStore struct {
	variant string // kind of the store
}

func (dedupStore) Name() string { return "dedup-store" }
func (dedupStore) Needs() []model.Capability {
	return []model.Capability{model.EventID, model.StoreClaim}
}
func (dedupStore) Gives() []model.Capability { return nil }

// DedupService is the name of the store's service and role.
const DedupService = "dedup"

// Results of a claim that keep the caller from the effect.
const (
	pending = "pending"
	isDone  = "done"
)

// storeTries bounds how often one step asks a store that does not answer, before the message is retried.
const (
	storeTries = 5
	storePause = 200 * sim.Millisecond
)

// Install adds the store and wraps every critical effect.
func (d dedupStore) Install(a model.Assembly, f model.Flow) {
	a.Store(d.variant, DedupService)
	for _, s := range f.Stages {
		if s.Class == history.Critical {
			a.OnStage(s.Name, guard)
		}
	}
}

// guard is claim, effect, done.
func guard(inner model.Call) model.Call {
	return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		token := newToken(c, m)
		result, err := ask(c, "claim", token, m)
		switch {
		case err != nil:
			return m, err
		case result == isDone:
			c.Record(history.Fact{Kind: history.KindSuppressed, Resource: DedupService, Op: "claim", Cause: m.Cause, Note: "dedup store: done", Fence: -1, Offset: -1})
			return m, nil
		case result == pending:
			return m, model.ErrUndecided
		}
		reply, err := inner(c, stage, m)
		switch {
		case err == nil:
			_, _ = ask(c, "done", token, m) // where that fails it stays pending, and a repetition is parked
			return reply, nil
		case model.Definite(err):
			if _, e := ask(c, "release", token, m); e != nil {
				return m, model.ErrUndecided
			}
			return m, err
		default:
			return m, model.ErrUndecided
		}
	}
}

// newToken names one try of one delivery: only its holder may finish what it claimed.
func newToken(c model.Ctx, m model.Message) string {
	n := c.Process().Node()
	return fmt.Sprintf("%s/%d/%d/%d", n.Name(), n.Incarnation(), m.Cause, m.Attempt)
}

// ask performs one judged operation, again when its fate is unknown: all three are idempotent for one token.
func ask(c model.Ctx, op, token string, m model.Message) (string, error) {
	object := DedupService + "/" + c.Intent().Event + "/" + c.Intent().Stage
	var err error
	for range storeTries {
		invoke := c.Record(history.Fact{Kind: history.KindInvoke, Resource: object, Op: op, Value: token, Cause: m.Cause, Fence: -1, Offset: -1})
		req := m
		req.Payload, req.Cause = token, invoke
		var reply model.Message
		reply, err = c.Call(DedupService, op, req)
		done := history.Fact{Kind: history.KindComplete, Resource: object, Op: op, Value: reply.Payload, Cause: invoke, Outcome: history.Acked, Fence: -1, Offset: -1}
		if err != nil {
			done.Outcome = history.Failed
			if !model.Definite(err) {
				done.Outcome = history.Indeterminate
			}
		}
		c.Record(done)
		if err == nil {
			return reply.Payload, nil
		}
		c.Sleep(storePause)
	}
	return "", err
}

func dedupStoreKind() LayerKind {
	return LayerKind{
		Name: dedupStore{}.Name(),
		Doc:  "a durable store claims each critical effect before it is called (M29)",
		Params: []Param{
			{Name: "variant", Type: OneOf, Of: "@store", Default: "durable", Doc: "How the store remembers."},
		},
		Check: func(s *Site, _ Values) {
			if s.commitsBefore() {
				s.Report("", "commit-before never sees an event twice, so there is no repetition to suppress; use engine: commit-after")
			}
		},
		New: func(v Values) model.Layer { return dedupStore{v.Word("variant")} },
	}
}
