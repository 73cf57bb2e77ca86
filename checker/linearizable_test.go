package checker_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/sim/history"
)

// without is a history that lacks the facts of one kind.
func without(h *history.History, kind history.Kind) *history.History {
	out := &history.History{Header: h.Header}
	renumbered := map[int64]int64{}
	for _, f := range h.Facts {
		if f.Kind == kind {
			continue
		}
		old := f.ID
		f.Cause = renumbered[f.Cause]
		renumbered[old] = out.Record(f)
	}
	return out
}

// What callers saw can leave more orders than a search can try, and can explain what did not take place. Where the store
// says when each operation took effect nothing is left open.
func TestOnlyPointsDecide(t *testing.T) {
	want := map[string]string{
		"mine, among many claims and releases that nobody heard of":                            "violated → unknown",
		"mine, among many claims and releases that nobody heard of, one of which was its own":  "explained → explained",
		"pending, and the only other claim never took effect":                                  "violated → explained",
		"granted to one who never heard of it, and to another":                                 "violated → explained",
		"done, which nobody heard of, and forgotten":                                           "violated → violated", // the claim before it was heard of
		"pending, for the other claim was granted although its caller was told that it failed": "explained → violated",
		"an answer whose point is not stated, so that no point is believed":                    "explained → explained",
		"a copy that was late answers pending, and its caller cannot tell":                     "explained → explained",
		"granted after its caller had given up, when a restart found it on the disk":           "explained → explained",
	}
	for _, e := range slices.Concat(checkertest.Planted(), checkertest.Near()) {
		if w, ok := want[e.Name]; ok {
			delete(want, e.Name)
			require.Equal(t, w, said(checker.AuditedStore(e.History))+" → "+said(checker.AuditedStore(without(e.History, history.KindDecided))), e.Name)
		}
	}
	require.Empty(t, want)
}

func said(r checker.Report) string {
	switch p := history.PropLinearizable; {
	case r.Violations[p] > 0:
		return "violated"
	case r.Undecided[p] > 0:
		return "unknown"
	case r.Exercised[p] > 0:
		return "explained"
	}
	return "vacuous"
}

// The evidence holds the calls, the points and the answers, up to the first answer that is wrong; where its caller heard
// nothing, up to the point.
func TestPointsAreEvidence(t *testing.T) {
	heard := dedup(func(s *checkertest.Story) {
		s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Gives("granted")
		s.Dedup("claim", "order-1", "charge", "b").Decides("granted").Gives("granted")
		s.Dedup("claim", "order-1", "charge", "c").Decides("pending").Gives("pending")
	})
	require.Equal(t, []int64{1, 2, 3, 4, 5, 6}, heard.Findings[0].Evidence)
	unheard := dedup(func(s *checkertest.Story) {
		s.Dedup("claim", "order-1", "charge", "a").Decides("granted").Ends(history.Indeterminate)
		s.Dedup("claim", "order-1", "charge", "b").Decides("granted").Ends(history.Indeterminate)
	})
	require.Equal(t, []int64{1, 2, 4, 5}, unheard.Findings[0].Evidence)
	require.Contains(t, unheard.Findings[0].Detail, `claim by "b" gave granted`)
}

// answer is what a store gives to a call in a state, and the state that it leaves.
func answer(o *linear.Object, s linear.State, op, by string) (after linear.State, result string) {
	f := o.Functions[slices.IndexFunc(o.Functions, func(f linear.Function) bool { return f.Name == op })]
	for _, result := range f.Results {
		if after, possible := o.Step(s, &linear.Action{F: op, By: by, Result: result}, true); possible {
			return after, result
		}
	}
	panic("the table has a result for every call in every state")
}

// task is one client's operation.
type task struct {
	*checkertest.Operation
	op, by, result string // the result is "" until it has taken effect
}

// randomStore lets up to four clients at once work with one record. Requests and answers are lost. Of lies, one decision in
// so many leaves the record as it was and is the answer to another state, or makes it forget; 0 = none is.
func randomStore(rng *rand.Rand, lies int) *history.History {
	s, object := checkertest.New(), linear.DedupObject()
	state := object.Init
	var open []*task
	for asked := 0; asked < 12 || len(open) > 0; {
		if asked < 12 && (len(open) == 0 || len(open) < 4 && rng.IntN(3) == 0) {
			op, by := []string{"claim", "claim", "done", "release"}[rng.IntN(4)], []string{"a", "b"}[rng.IntN(2)]
			open = append(open, &task{s.Dedup(op, "order-1", "charge", by), op, by, ""})
			asked++
			continue
		}
		i := rng.IntN(len(open))
		k, lost := open[i], rng.IntN(8) == 0
		switch {
		case !lost && k.result == "":
			if lies > 0 && rng.IntN(lies) == 0 {
				state = object.Init
			}
			state, k.result = answer(&object, state, k.op, k.by)
			k.Decides(k.result)
			continue
		case lost && rng.IntN(2) == 0:
			k.Ends(history.Indeterminate)
		case !lost:
			k.Gives(k.result)
		}
		open = slices.Delete(open, i, i+1)
	}
	return s.History()
}

// A store that keeps to its table is explained by its points, whatever is lost, and no search contradicts. Of one that
// forgets now and then, all that its callers can tell is told from its points too, and more.
//
// TWICELESS_FULL=1 go test ./checker -run TestPointsOfRandomStores tries 300,000 of each.
func TestPointsOfRandomStores(t *testing.T) {
	n := 1000
	if os.Getenv("TWICELESS_FULL") != "" {
		n = 300_000
	}
	rng := rand.New(rand.NewPCG(1, 1))
	told := map[string]int{}
	for range n {
		told["true: "+said(checker.AuditedStore(randomStore(rng, 0)))]++
		h := randomStore(rng, 10)
		told["forgetting: "+said(checker.AuditedStore(h))+", by its callers "+said(checker.AuditedStore(without(h, history.KindDecided)))]++
	}
	t.Log(told)
	require.Equal(t, n, told["true: explained"]+told["true: vacuous"])
	require.Greater(t, told["true: explained"], n/2)
	require.Greater(t, told["forgetting: violated, by its callers violated"], n/10)
	require.Greater(t, told["forgetting: violated, by its callers explained"], n/100)
	require.Zero(t, told["forgetting: explained, by its callers violated"])
	require.Zero(t, told["forgetting: vacuous, by its callers violated"])
}
