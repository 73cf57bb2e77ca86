package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// totalQueueJudge balances what went into a queue with what came out. Per value v, as multisets:
//
//	attempted(v) = enqueues that did not fail          acknowledged(v) = enqueues that are ok
//	dequeued(v)  = copies in dequeues and drains that are ok
//
//	unexpected   dequeued(v), where attempted(v) = 0
//	duplicated   dequeued(v) − attempted(v), where attempted(v) > 0
//	recovered    min(dequeued(v), attempted(v)) − acknowledged(v): enqueues of unknown outcome that did happen
//	lost         due(v) − dequeued(v), where due(v) counts the acknowledged enqueues that returned before the last look
//
// A look is an operation that found the queue empty: a drain that is ok, or a dequeue that is ok and returned null; the
// last one is that of the latest call. What was in the queue when it was called and has not come out is gone. What was
// acknowledged later and has not come out may still be in there: undecided. A dequeue of unknown outcome may have taken
// one value that nobody saw, so that many losses are undecided; a drain of unknown outcome may have taken any number, so
// all of them are. A failed dequeue or drain took nothing.
//
// Assumes that a queue which says it is empty is empty: nothing waits in it for a redelivery. Under exactly-once
// duplicated and lost fail, under at-least-once duplicated is told only, under at-most-once lost is. Cost: linear.
// Exercised: values that were dequeued, and losses; a history in which nothing was dequeued or lost is vacuous.
type totalQueueJudge struct {
	in            queueReader
	promise       string
	accounts      []queueAccount // by number of the value
	acknowledged  []queueDebt
	lastLook      int64 // position of its call
	vagueDequeues int64
	vagueDrains   int64
}

// queueAccount is what is known of a value.
type queueAccount struct {
	attempted, acknowledged, due, dequeued int64
	enqueue                                trace // the first attempt, or the first failed enqueue if there is none
	lastDequeue                            trace
	rejected                               bool
}

// queueDebt is an acknowledged enqueue.
type queueDebt struct {
	value    int32
	returned int64
}

func totalQueue() Model {
	return Model{
		Name:      "total-queue",
		Doc:       "what was enqueued was dequeued, as often",
		Functions: queueFunctions(),
		Promises:  []string{exactlyOnce, atLeastOnce, atMostOnce},
		Anomalies: []AnomalyKind{
			{Name: "unexpected", Doc: "a value was dequeued that nobody tried to enqueue; failed enqueues do not count"},
			{Name: "duplicated", Doc: "a value was dequeued more often than anybody tried to enqueue it"},
			{Name: "lost", Doc: "a value was enqueued and acknowledged, and the queue was found empty without it having come out"},
			{Name: "recovered", Doc: "a value came out whose enqueue nobody saw succeed: no violation"},
		},
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			return &totalQueueJudge{in: newQueueReader(p), promise: o.Promise, lastLook: -1}
		},
	}
}

// What --promise takes where losses and duplicates are judged.
const (
	atLeastOnce = "at-least-once"
	atMostOnce  = "at-most-once"
)

// unless is info if the promise is the one that permits the anomaly.
func unless(promise, permits string) ops.Severity {
	if promise == permits {
		return ops.SeverityInfo
	}
	return ops.SeverityFail
}

// Take books an operation.
func (j *totalQueueJudge) Take(o *ops.Operation) {
	if o.F == "enqueue" {
		j.enqueue(o)
		return
	}
	if o.Outcome == ops.Info {
		if o.F == "drain" {
			j.vagueDrains++
		} else {
			j.vagueDequeues++
		}
		return
	}
	taken := j.in.dequeued(o)
	for _, v := range taken {
		a := j.account(v)
		a.dequeued++
		a.lastDequeue = traceOf(o)
	}
	if o.Outcome == ops.OK && (o.F == "drain" || len(taken) == 0) {
		j.lastLook = max(j.lastLook, o.Call)
	}
}

func (j *totalQueueJudge) enqueue(o *ops.Operation) {
	v, ok := j.in.enqueued(o)
	if !ok {
		return
	}
	a := j.account(v)
	if o.Outcome == ops.Fail {
		if a.attempted == 0 {
			a.rejected, a.enqueue = true, traceOf(o)
		}
		return
	}
	if a.attempted == 0 {
		a.rejected, a.enqueue = false, traceOf(o)
	}
	a.attempted++
	if o.Outcome == ops.OK {
		a.acknowledged++
		j.acknowledged = append(j.acknowledged, queueDebt{v, o.Return})
	}
}

func (j *totalQueueJudge) account(v int32) *queueAccount {
	j.accounts = grown(j.accounts, int(v)+1)
	return &j.accounts[v]
}

// Report draws the balance.
func (j *totalQueueJudge) Report() *ops.Report {
	r := &ops.Report{Numbers: map[string]int64{}}
	for _, d := range j.acknowledged {
		if d.returned < j.lastLook {
			j.accounts[d.value].due++
		}
	}
	for i := range j.accounts {
		a := &j.accounts[i]
		r.Numbers["attempted"] += a.attempted
		r.Numbers["acknowledged"] += a.acknowledged
		r.Numbers["dequeued"] += a.dequeued
		j.tooMany(r, int32(i), a)
		for range min(a.dequeued, a.attempted) - a.acknowledged {
			r.Find("recovered", ops.SeverityInfo, func(f *ops.Anomaly) {
				f.Evidence = evidence(a.enqueue, a.lastDequeue)
				f.Detail = fmt.Sprintf("%s was dequeued; an enqueue of it has an unknown outcome, so it did happen", j.in.values.value(int32(i)))
			})
		}
	}
	lost := j.missing(r)
	r.Exercised = r.Numbers["dequeued"] + lost
	if r.Exercised == 0 {
		r.Why = append(r.Why, "nothing was dequeued, and nothing is known to be lost")
	}
	return r
}

// tooMany finds copies that no enqueue accounts for.
func (j *totalQueueJudge) tooMany(r *ops.Report, v int32, a *queueAccount) {
	if a.attempted == 0 && a.dequeued > 0 {
		for range a.dequeued {
			r.Find("unexpected", ops.SeverityFail, func(f *ops.Anomaly) {
				f.Evidence = evidence(a.lastDequeue)
				f.Detail = fmt.Sprintf("%s was dequeued, but nobody tried to enqueue it", j.in.values.value(v))
				if a.rejected {
					f.Evidence = evidence(a.enqueue, a.lastDequeue)
					f.Detail = fmt.Sprintf("%s was dequeued, but its enqueue failed", j.in.values.value(v))
				}
			})
		}
		return
	}
	for range a.dequeued - a.attempted {
		r.Find("duplicated", unless(j.promise, atLeastOnce), func(f *ops.Anomaly) {
			f.Evidence = evidence(a.enqueue, a.lastDequeue)
			f.Detail = fmt.Sprintf("%s was dequeued %d times, but enqueued %d times at most", j.in.values.value(v), a.dequeued, a.attempted)
		})
	}
}

// missing finds what is lost, and says what may be. It returns how many losses are certain: as many as there are more
// than dequeues which may have taken one unseen, whichever they are.
func (j *totalQueueJudge) missing(r *ops.Report) int64 {
	var gone, waiting int64
	var first *queueAccount
	var value int32
	for i := range j.accounts {
		a := &j.accounts[i]
		out := max(0, a.due-a.dequeued)
		if out > 0 && first == nil {
			first, value = a, int32(i)
		}
		gone += out
		waiting += max(0, a.acknowledged-a.dequeued) - out
	}
	unseen := min(gone, j.vagueDequeues)
	if j.vagueDrains > 0 {
		unseen = gone
	}
	for range gone - unseen {
		r.Find("lost", unless(j.promise, atMostOnce), func(f *ops.Anomaly) {
			f.Evidence = evidence(first.enqueue)
			f.Detail = fmt.Sprintf("%s was enqueued and acknowledged, and never came out of the queue, which was found empty later", j.in.values.value(value))
			if unseen > 0 {
				f.Detail = fmt.Sprintf("%d acknowledged values never came out of the queue, among them %s, and dequeues of unknown outcome can have taken %d of them",
					gone, j.in.values.value(value), unseen)
			}
		})
	}
	r.Numbers["perhaps-lost"] = unseen + waiting
	if j.promise != atMostOnce {
		r.Undecided = unseen + waiting
		j.explain(r, unseen, waiting)
	}
	return gone - unseen
}

func (j *totalQueueJudge) explain(r *ops.Report, unseen, waiting int64) {
	switch {
	case unseen > 0 && j.vagueDrains > 0:
		r.Why = append(r.Why, fmt.Sprintf("%d acknowledged values never came out, and a drain of unknown outcome may have taken them", unseen))
	case unseen > 0:
		r.Why = append(r.Why, fmt.Sprintf("%d acknowledged values never came out, and dequeues of unknown outcome may have taken them", unseen))
	}
	switch {
	case waiting > 0 && j.lastLook < 0:
		r.Why = append(r.Why, fmt.Sprintf("%d acknowledged values never came out, and the queue was never found empty: no drain or empty dequeue completed", waiting))
	case waiting > 0:
		r.Why = append(r.Why, fmt.Sprintf("%d acknowledged values never came out, and the queue was not found empty after they went in", waiting))
	}
}
