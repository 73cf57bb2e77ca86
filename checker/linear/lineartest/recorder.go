// Package lineartest holds services of a simulated world to sequential objects: by their own order, as a witness, and by
// search, as any stranger would have to.
//
// What a service decided and when is among the facts of a run only of dedup stores. A test sees more: the hook at which the service's
// state has changed, and the one at which its reply leaves. The first of them is the moment of an operation, if the
// service decides where it changes or answers, which is what is tested. A reply without a change before it changed
// nothing: if it gets lost, the operation never took effect.
package lineartest

import (
	"cmp"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Recorder gathers what clients asked and heard, with the moments at which the service decided.
type Recorder struct {
	at       int64
	byCaller map[*sim.Node]*operation
	objects  map[string][]*operation
	names    []string // of objects, in the order of first use
}

type operation struct {
	linear.Witnessed
	failed, applied, replied bool
}

// Watch records the calls of these "service.op".
func Watch(w *sim.World, serviceOps ...string) *Recorder {
	r := &Recorder{byCaller: map[*sim.Node]*operation{}, objects: map[string][]*operation{}}
	for _, op := range serviceOps {
		for _, step := range []string{history.StepApplied, history.StepReplied} {
			w.Watch(history.RPCHook(op, step), func(h *sim.Hit) {
				o := r.byCaller[h.Caller]
				if o == nil {
					return
				}
				if o.Point == linear.Never {
					o.Point = r.next()
				}
				o.applied, o.replied = o.applied || step == history.StepApplied, o.replied || step == history.StepReplied
			})
		}
	}
	return r
}

func (r *Recorder) next() int64 {
	r.at++
	return r.at
}

// Ask records one operation on an object, the only one of its client node: ask makes the call, and returns the action with
// its answer. An error of type Answer is one that the object may give; other definite ones mean that nothing took place.
func (r *Recorder) Ask(c *model.Context, object string, asked linear.Action, ask func() (linear.Action, error)) {
	o := &operation{Witnessed: linear.Witnessed{Operation: linear.Operation{Span: linear.Span{Call: r.next(), Return: linear.Never}, Action: asked}, Point: linear.Never}}
	if r.objects[object] == nil {
		r.names = append(r.names, object)
	}
	r.objects[object] = append(r.objects[object], o)
	if r.byCaller[c.Process().Node()] != nil {
		panic("lineartest: a client node asks once")
	}
	r.byCaller[c.Process().Node()] = o
	answered, err := ask()
	switch {
	case err == nil:
		o.Action, o.Return = answered, r.next()
	case model.Definite(err):
		o.failed = true
	}
}

// Answer turns an error of a service into a result of the object.
func Answer(a linear.Action, err error, results map[error]string) (linear.Action, error) {
	for is, result := range results {
		if errors.Is(err, is) {
			a.Result = result
			return a, nil
		}
	}
	return a, err
}

// Counts says what was held to the object: Witnessed and Searched count objects that their witness and a search decided,
// Pending operations of unknown outcome; Denied objects that their own order does not explain, Wrong those that no order
// does, Undecided those beyond the budget. Unseen counts objects of which an operation of unknown outcome has no moment because the service was stopped in the
// middle of it: only a search can say whether it took effect.
type Counts struct {
	Witnessed, Searched, Pending, Denied, Wrong, Undecided, Unseen int
	Why                                                            string // of the last that was denied
}

const budget = 200_000

// Judge holds every object to its witness and to a search. A witness that explains what no order can is a bug of ours.
func (r *Recorder) Judge(t require.TestingT, object linear.Object, stopped bool) (n Counts) {
	for _, name := range r.names {
		all, unseen := kept(r.objects[name], &n)
		var bare []linear.Operation
		for _, o := range all {
			bare = append(bare, o.Operation)
		}
		search := object.Search(bare, budget)
		switch search.Verdict {
		case linear.Violated:
			n.Wrong++
		case linear.Unknown:
			n.Undecided++
		default:
			n.Searched++
		}
		if unseen && stopped {
			n.Unseen++
			continue
		}
		witness := object.Witness(all)
		if witness.Verdict == linear.Linearizable {
			n.Witnessed++
			require.NotEqual(t, linear.Violated, search.Verdict, "%s: its witness explains it, and the search says: %s", name, search.Because)
			continue
		}
		n.Denied++
		n.Why = witness.Because
	}
	return n
}

// kept are the operations that may have taken place; unseen says that nobody knows of one of them whether it did.
func kept(operations []*operation, n *Counts) (all []linear.Witnessed, unseen bool) {
	for _, o := range operations {
		switch {
		case o.failed:
			continue
		case o.Pending() && !o.applied:
			o.Point = linear.Never
			unseen = unseen || !o.replied
		}
		if o.Pending() {
			n.Pending++
		}
		all = append(all, o.Witnessed)
	}
	return all, unseen
}

// Add sums up counts.
func (n *Counts) Add(o Counts) {
	n.Witnessed += o.Witnessed
	n.Searched += o.Searched
	n.Pending += o.Pending
	n.Unseen += o.Unseen
	n.Denied += o.Denied
	n.Wrong += o.Wrong
	n.Why = cmp.Or(o.Why, n.Why)
	n.Undecided += o.Undecided
}

// Clean requires that nothing was wrong and that enough was decided by witness and by search, with operations of unknown
// outcome among them.
func (n *Counts) Clean(t *testing.T, enough int) {
	t.Helper()
	t.Logf("%+v", *n)
	require.Zero(t, n.Denied, n.Why)
	require.Zero(t, n.Wrong)
	require.Zero(t, n.Undecided)
	require.GreaterOrEqual(t, n.Witnessed, enough)
	require.GreaterOrEqual(t, n.Searched, enough)
	require.Positive(t, n.Pending)
}
