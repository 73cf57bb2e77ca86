package checker

import "github.com/twiceless/twiceless/sim/history"

// FillRow fills in what a history and its verdicts say: offered and accepted intents, buckets, excess, work,
// parked intents, faults, latencies, recovery, busy time, the three maps and the fingerprints. The key of the row, the
// kernel's figures, Outside and Stop belong to who made the run.
//
// Verdicts of another history, or none, are replaced by those of this one.
func FillRow(r *history.Row, h *history.History, v Verdicts) {
	if v.judged != h || v.digest != h.Digest() {
		v = CheckAll(h)
	}
	t := &v.totals
	r.Offered, r.Accepted = t.offered, t.accepted
	r.Buckets, r.Excess = t.buckets, t.excess
	r.Transient, r.Suppressed, r.Redelivered = t.transient, t.suppressed, t.redelivered
	r.Calm, r.InFault, r.After, r.Recovery = t.calm, t.inFault, t.afterward, t.recovery
	r.Parked, r.ParkedAfter = parkedBefore(h, r.Buckets[history.ParkedB]), r.Buckets[history.ParkedB]
	r.Phantoms = v.Violations[history.PropPhantom]
	r.Reorders = v.Violations[history.PropOrder]
	r.Violations = counts(v.Violations)
	r.Undecided = counts(v.Undecided)
	r.Exercised = counts(v.Exercised)
	r.Seen = counts(v.Seen)
	r.Prints = v.Fingerprints()

	w := measureWork(h)
	r.Calls = w.calls
	r.FaultsFired, r.FaultsHit, r.BusyTime = w.faults, w.hit, w.busy
}

// phaseQuiet is what follows a drain after which an operator comes.
const phaseQuiet = "quiet"

// parkedBefore is how many intents were parked when the first drain ended, before any operator came: those that are at the
// end, if none came. The history up to there is a history of its own.
func parkedBefore(h *history.History, atEnd int64) (n int64) {
	parked, replays := false, -1
	for i := range h.Facts {
		f := &h.Facts[i]
		parked = parked || f.Kind == history.KindParked
		if f.Kind == history.KindPhase && f.Note == phaseQuiet {
			replays = i
			break
		}
	}
	switch {
	case replays < 0:
		return atEnd
	case !parked:
		return 0
	}
	l := newLedger(&history.History{Header: h.Header, Facts: h.Facts[:replays]})
	for i := range l.accounts {
		if a := &l.accounts[i]; a.offered != 0 && l.bucketOf(a) == history.ParkedB {
			n++
		}
	}
	return n
}

// counts are the entries that are not zero, under the properties' names.
func counts(m map[history.Property]int64) map[string]int64 {
	out := map[string]int64{}
	for _, p := range history.SortedKeys(m) {
		if n := m[p]; n != 0 {
			out[string(p)] = n
		}
	}
	return out
}
