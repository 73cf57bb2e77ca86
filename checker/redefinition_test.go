package checker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

// Buckets, duplicates and losses by a second definition: each question scans the whole history, nothing is indexed or kept, and
// a bucket is a condition of its own that knows no order. Exactly one must hold, and be the ledger's.
func TestLedgerRedefined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := fewFacts(t)
		v := checker.CheckAll(h)
		var r history.Row
		checker.FillRow(&r, h, v)
		var buckets [history.BucketCount]int64
		duplicates, losses := int64(0), int64(0)
		for _, event := range []string{"a", "b", "c"} {
			e := retell(h, event)
			if !e.has(history.KindOffered) {
				continue
			}
			in := e.buckets()
			require.Len(t, in, 1, "%s is in exactly one bucket", event)
			buckets[in[0]]++
			if e.net("charge") > 1 {
				duplicates++
			}
			if e.lost(in[0]) {
				losses++
			}
		}
		require.Equal(t, buckets, r.Buckets)
		require.Equal(t, duplicates, v.Violations[history.PropDuplicateCritical])
		require.Equal(t, losses, v.Violations[history.PropLoss])
	})
}

// fewFacts draws short histories of the kinds that decide buckets, so that each of their conditions is met often.
func fewFacts(t *rapid.T) *history.History {
	h := checkertest.New().History()
	kinds := []history.Kind{history.KindOffered, history.KindApplied, history.KindApplied, history.KindReversed, history.KindAccepted,
		history.KindRefused, history.KindUncertain, history.KindAppended, history.KindParked, history.KindGaveUp, history.KindHeld, history.KindOperated}
	for i, event := range []string{"a", "b", "c"} {
		h.Record(history.Fact{Kind: history.KindOffered, Event: event, Time: int64(i), Fence: -1, Offset: -1})
	}
	for i := range rapid.IntRange(0, 14).Draw(t, "facts") {
		stage := rapid.IntRange(0, 1).Draw(t, "stage")
		f := history.Fact{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Time: int64(i + 3), Fence: -1, Offset: -1, Changed: rapid.IntRange(0, 4).Draw(t, "changed") > 0}
		f.Event = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "event")
		f.Stage, f.Resource, f.Class = []string{"charge", "book"}[stage], []string{"payments", "ledger"}[stage], history.Class(stage+1)
		switch f.Kind {
		case history.KindHeld:
			f.Op = rapid.SampledFrom([]string{"queue", "pending", "done", "parked"}).Draw(t, "held")
		case history.KindOperated:
			f.Op = rapid.SampledFrom([]string{"replay", "reset"}).Draw(t, "operated")
		}
		h.Record(f)
	}
	return h
}

// retold is what a history says of one event.
type retold struct {
	facts []history.Fact
}

func retell(h *history.History, event string) retold {
	var e retold
	for _, f := range h.Facts {
		if f.Event == event {
			e.facts = append(e.facts, f)
		}
	}
	return e
}

func (e retold) has(k history.Kind) bool { return e.last(k, "") != 0 }

// last is the id of the last fact of a kind, with an operation if one is named.
func (e retold) last(k history.Kind, ops ...string) (id int64) {
	for _, f := range e.facts {
		for _, op := range ops {
			if f.Kind == k && (op == "" || f.Op == op) {
				id = f.ID
			}
		}
	}
	return id
}

func (e retold) count(k history.Kind, stage string) (n int) {
	for _, f := range e.facts {
		if f.Kind == k && f.Changed && f.Stage == stage {
			n++
		}
	}
	return n
}

func (e retold) net(stage string) int {
	return e.count(history.KindApplied, stage) - e.count(history.KindReversed, stage)
}

// buckets are all whose condition holds. Charge and book decide in these histories, and nothing has a deadline.
func (e retold) buckets() []history.Bucket {
	charge, book := e.net("charge"), e.net("book")
	excess, all, none := charge > 1 || book > 1, charge > 0 && book > 0, charge < 1 && book < 1
	reversed := e.count(history.KindReversed, "charge")+e.count(history.KindReversed, "book") > 0
	told := e.has(history.KindGaveUp)
	refused := e.has(history.KindRefused) && !e.has(history.KindAccepted) && !e.has(history.KindUncertain) || none && reversed && told
	parked := max(e.last(history.KindParked, ""), e.last(history.KindHeld, "parked")) > e.last(history.KindOperated, "replay")
	held := e.last(history.KindHeld, "queue", "pending") != 0
	silent := !e.has(history.KindAccepted) && !e.has(history.KindAppended)
	unknown := silent && (!e.has(history.KindRefused) || e.has(history.KindUncertain))
	missing := !excess && !all && (none || parked)
	var in []history.Bucket
	for _, c := range []struct {
		is     bool
		bucket history.Bucket
	}{
		{excess, history.Duplicated},
		{!excess && all, history.Done},
		{!excess && !all && !none && !parked, history.Partial},
		{missing && refused, history.RefusedB},
		{missing && !refused && parked, history.ParkedB},
		{missing && !refused && !parked && held, history.StuckB},
		{missing && !refused && !parked && !held && unknown, history.AbsentUnknown},
		{missing && !refused && !parked && !held && !unknown && told, history.LostKnown},
		{missing && !refused && !parked && !held && !unknown && !told, history.LostSilent},
	} {
		if c.is {
			in = append(in, c.bucket)
		}
	}
	return in
}

// lost says whether something is missing that nothing will bring, and that somebody was owed.
func (e retold) lost(in history.Bucket) bool {
	turnedAway := e.has(history.KindRefused) && !e.has(history.KindAccepted) && !e.has(history.KindUncertain)
	parked := max(e.last(history.KindParked, ""), e.last(history.KindHeld, "parked")) > e.last(history.KindOperated, "replay")
	held := e.last(history.KindHeld, "queue", "pending") != 0
	missing := e.net("charge") < 1 || e.net("book") < 1
	return missing && !turnedAway && !parked && !held && in != history.RefusedB && in != history.AbsentUnknown
}
