package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// logRegress judges each replicated log:
//
//	the high watermark and the last stable offset that its leaders state never decrease
//	the epochs of its elections ascend, and those of its records never decrease along any replica
//	∀ offset below the highest high watermark:  replicas that hold something there in the end hold the same record
//
// What an unclean election discards takes watermarks back, and replicas differ that have not been told of it: that is noted.
// A replica that lags holds nothing there, and one that was cut off may differ behind the watermark that it knew until it
// has cut its log: so replicas are compared in the end, and those of nodes that are down then are left out. Assumes that
// watermarks are stated by leaders to readers; a follower's idea of them is no fact.
//
// Cost: linear in records and elections; one finding per log and kind of regress. Exercised: watermarks and elections
// after the first of their log, records with an epoch after another one, offsets that two replicas hold.
func logRegress() Checker {
	return overLedger(Checker{
		Name:       "log-regress",
		Doc:        "watermarks and leader epochs never go back, and replicas agree on what is committed",
		Properties: []history.Property{history.PropLogRegress},
		Weight:     history.Guaranteed,
	}, judgeLogRegress)
}

func judgeLogRegress(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindWatermark])+len(l.byKind[history.KindElected])+len(l.byKind[history.KindReplicated]) == 0 {
		return r
	}
	l.judgeWatermarks(&r)
	down := l.downAtEnd()
	for _, p := range l.logs() {
		l.judgeEpochs(&r, p)
		l.judgeReplicas(&r, p, down)
	}
	return r
}

// judgeWatermarks finds the first watermark of each sort that lies before the one stated before, and the first election
// under an epoch that is not new.
func (l *ledger) judgeWatermarks(r *Report) {
	type sort struct{ partition, op string }
	last, found := map[sort]*history.Fact{}, map[sort]bool{}
	for f := range l.kinds(history.KindWatermark, history.KindElected) {
		at := sort{f.Resource, f.Op}
		if f.Kind == history.KindElected {
			at.op = ""
		}
		before := last[at]
		last[at] = f
		if before == nil {
			continue
		}
		r.Exercised[history.PropLogRegress]++
		switch {
		case found[at]:
		case f.Kind == history.KindElected && f.Fence <= before.Fence:
			found[at] = true
			r.find(l.regress(f.Resource, history.LabelEpochBack, before.ID, f.ID,
				fmt.Sprintf("a leader was elected in epoch %d after one in epoch %d", f.Fence, before.Fence)))
		case f.Kind == history.KindWatermark && f.Offset < before.Offset:
			found[at] = true
			l.log(f.Resource).file(r, before.ID, l.regress(f.Resource, history.LabelWatermarkBack, before.ID, f.ID,
				fmt.Sprintf("the %s watermark went from %d to %d", f.Op, before.Offset, f.Offset)))
		}
	}
}

// judgeEpochs finds the first record of a log that follows one of a newer leader.
func (l *ledger) judgeEpochs(r *Report, p *partitionLog) {
	for _, c := range p.replicas {
		before := entry{epoch: -1}
		for _, b := range c.records {
			if b.epoch < 0 {
				continue
			}
			a := before
			before = b
			if a.epoch < 0 {
				continue
			}
			r.Exercised[history.PropLogRegress]++
			if b.epoch < a.epoch {
				r.find(l.regress(p.name, history.LabelEpochBack, a.by, b.by,
					fmt.Sprintf("the record at offset %d is of epoch %d, the one before it of epoch %d", b.offset, b.epoch, a.epoch)))
				return
			}
		}
	}
}

// judgeReplicas compares each replica with the leader's, both below the highest high watermark.
func (l *ledger) judgeReplicas(r *Report, p *partitionLog, down map[string]bool) {
	if len(p.high) == 0 || len(p.replicas) < 2 {
		return
	}
	high := p.high[len(p.high)-1].offset
	leader := p.standing()
	for _, c := range p.replicas {
		if c == leader || down[c.node] {
			continue
		}
		for _, e := range c.records[:c.from(high)] {
			i := leader.from(e.offset)
			if i == len(leader.records) || leader.records[i].offset != e.offset {
				continue
			}
			r.Exercised[history.PropLogRegress]++
			if other := leader.records[i]; other.origin != e.origin {
				p.file(r, 0, l.regress(p.name, history.LabelReplicasDiffer, other.by, e.by,
					fmt.Sprintf("two replicas hold different records at offset %d, below the high watermark %d", e.offset, high)))
				return
			}
		}
	}
}

// downAtEnd are the nodes whose last incarnation has ended.
func (l *ledger) downAtEnd() map[string]bool {
	down := map[string]bool{}
	for f := range l.kinds(history.KindStopped, history.KindBooted) {
		down[f.Node] = f.Kind == history.KindStopped
	}
	return down
}

func (l *ledger) regress(partition string, label history.Label, before, after int64, why string) history.Finding {
	var ev evidence
	ev.add(before, after)
	ev.add(between(l.faults, before, after, maxEvidence)...)
	return history.Finding{
		Property: history.PropLogRegress,
		Label:    label,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s: %s", partition, why),
	}
}
