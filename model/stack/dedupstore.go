package stack

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// dedupStore claims each critical effect in a store before it calls the service: absent → pending → done.
// A repetition that finds done is suppressed. One that finds pending cannot know whether the effect took place,
// because the service takes no key and answers no query: it is parked as undecided, for a person. So no effect is
// ever applied twice while the store remembers, and the price is paid in parked events.
//
// Where the records are kept is the variant: a store of package store, or the consumer's own process (dedupcache.go).
// A window bounds how long a store keeps them; a repetition that comes later is applied again.
//
// Counterexample to the obvious alternative, marking done after the effect without a claim: killed between
// effect and mark, the successor finds nothing and applies again.
type dedupStore struct {
	variant string       // cache, cached-durable, or the kind of a store
	window  sim.Duration // of the store; 0 = for ever
}

func (dedupStore) Name() string { return "dedup-store" }
func (d dedupStore) Needs() []model.Capability {
	if d.variant == inProcess {
		return []model.Capability{model.EventID}
	}
	return []model.Capability{model.EventID, model.StoreClaim}
}
func (dedupStore) Gives() []model.Capability { return nil }

// DedupService is the name of the store's service and role.
const DedupService = "dedup"

// The operations, and the results of a claim that keep the caller from the effect.
const (
	opClaim   = "claim"
	opDone    = "done"
	opRelease = "release"
	pending   = "pending"
	isDone    = "done"
)

// storeTries bounds how often one step asks a store that does not answer, before the message is retried.
const (
	storeTries = 5
	storePause = 200 * sim.Millisecond
)

// Install adds the store, if the variant has one, and wraps every critical effect.
func (d dedupStore) Install(a model.Assembly, f model.Flow) {
	wrap := d.guard(a)
	for _, s := range f.Stages {
		if s.Class == history.Critical {
			a.OnStage(s.Name, wrap)
		}
	}
}

// guard is what the variant puts around an effect.
func (d dedupStore) guard(a model.Assembly) func(model.Call) model.Call {
	switch d.variant {
	case inProcess:
		own := newTables()
		return func(inner model.Call) model.Call { return guard(own.ask, objectOfProcess, inner) }
	case inFront:
		a.Store(model.StoreSpec{Kind: "durable", Name: DedupService, Window: d.window})
		own := newTables()
		return func(inner model.Call) model.Call { return own.front(guard(client{}.ask, DedupService, inner)) }
	}
	a.Store(model.StoreSpec{Kind: d.variant, Name: DedupService, Window: d.window})
	store := client{}
	if d.variant == replicated {
		store.known = newMemory(func() *primary { return &primary{} })
	}
	return func(inner model.Call) model.Call { return guard(store.ask, DedupService, inner) }
}

// asking is one operation on the records, wherever they are kept.
type asking func(c model.Ctx, op, token string, m model.Message) (result string, err error)

// guard is claim, effect, done.
func guard(ask asking, where string, inner model.Call) model.Call {
	return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		if c.Planted(model.EffectBeforeClaim) {
			return claimAfter(ask, where, inner)(c, stage, m)
		}
		token := newToken(c, m)
		result, err := ask(c, opClaim, token, m)
		switch {
		case err != nil:
			return m, err
		case result == isDone:
			suppressed(c, where, m)
			return m, nil
		case result == pending:
			return m, model.ErrUndecided
		}
		if c.Planted(model.MarkBeforeEffect) {
			_, _ = ask(c, opDone, token, m)
		}
		reply, err := inner(c, stage, m)
		switch {
		case err == nil:
			_, _ = ask(c, opDone, token, m) // where that fails it stays pending, and a repetition is parked
			return reply, nil
		case model.Definite(err):
			if _, e := ask(c, opRelease, token, m); e != nil {
				return m, model.ErrUndecided
			}
			return m, err
		default:
			return m, model.ErrUndecided
		}
	}
}

// claimAfter is the planted bug effect-before-claim: the records agree, and come too late to keep anybody from the effect.
func claimAfter(ask asking, where string, inner model.Call) model.Call {
	return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		reply, err := inner(c, stage, m)
		if err != nil {
			return m, err
		}
		token := newToken(c, m)
		if result, e := ask(c, opClaim, token, m); e == nil && result == isDone {
			suppressed(c, where, m)
			return reply, nil
		}
		_, _ = ask(c, opDone, token, m)
		return reply, nil
	}
}

// suppressed states that a repetition was recognised.
func suppressed(c model.Ctx, where string, m model.Message) {
	c.Record(history.Fact{Kind: history.KindSuppressed, Resource: where, Op: opClaim, Cause: m.Cause, Note: "dedup store: done", Fence: -1, Offset: -1})
}

// newToken names one try of one delivery: only its holder may finish what it claimed.
func newToken(c model.Ctx, m model.Message) string {
	n := c.Process().Node()
	return fmt.Sprintf("%s/%d/%d/%d", n.Name(), n.Incarnation(), m.Cause, m.Attempt)
}

// ask performs one judged operation, again when its fate is unknown: all three are idempotent for one token.
func (s client) ask(c model.Ctx, op, token string, m model.Message) (string, error) {
	object := DedupService + "/" + c.Intent().Event + "/" + c.Intent().Stage
	var err error
	for range storeTries {
		invoke := c.Record(history.Fact{Kind: history.KindInvoke, Resource: object, Op: op, Value: token, Cause: m.Cause, Fence: -1, Offset: -1})
		req := m
		req.Payload, req.Cause, req.Asked = token, invoke, c.Wall()
		var reply model.Message
		reply, err = s.call(c, op, req)
		done := history.Fact{Kind: history.KindComplete, Resource: object, Op: op, Value: reply.Payload, Cause: invoke, Outcome: history.Acked, Note: reply.Headers, Fence: -1, Offset: -1}
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
		Doc:  "a store claims each critical effect before it is called, and skips what it knows to be done (M29, M30)",
		Params: []Param{
			{Name: "variant", Type: OneOf, Of: "cache|cached-durable|@store", Default: "durable", Doc: "Where the records are kept: cache is the memory of the consumer's process, cached-durable that in front of the durable store."},
			{Name: "window", Type: Duration, Min: "0s", Max: "87840h", Default: "0s", Doc: "How long the store keeps a record after its last change, on its wall clock. 0 = for ever."},
		},
		Check: checkDedupStore,
		Keeps: func(v Values) Keeping {
			if v.Word("variant") == inProcess {
				return KeepsInProcess
			}
			return KeepsDurably
		},
		New: func(v Values) model.Layer { return dedupStore{v.Word("variant"), v.Duration("window")} },
	}
}

func checkDedupStore(s *Site, v Values) {
	if s.commitsBefore() {
		s.Report("", "commit-before never sees an event twice, so there is no repetition to suppress; use engine: commit-after")
	}
	if v.Word("variant") == inProcess && v.Given("window") {
		s.Report("window", "a cache lasts as long as its process and has no window; leave it out, or use variant: durable")
	}
}
