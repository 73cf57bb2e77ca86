package blackbox

import "github.com/twiceless/twiceless/checker/ops"

// kafkaOwner says how a process came to its keys.
type kafkaOwner uint8

const (
	ownsAsPolled kafkaOwner = iota // it never said: what it polls is its own
	ownsAssigned                   // nobody takes a key from it
	ownsAsMember                   // the group may give its keys to others, and others' to it
)

// kafkaConsumer is what is known of a process between its operations.
type kafkaConsumer struct {
	owner  kafkaOwner
	places map[int32]kafkaPlace // by key
	polled int32                // its last acknowledged poll
}

// kafkaPlace is where a consumer stands in a key.
type kafkaPlace struct {
	record   int32 // the last that an acknowledged poll returned; none = not yet one
	op       int32 // that poll
	member   bool  // it polled as a member of a group
	assigned bool  // an acknowledged assign lists the key, and nothing since could have taken it away
	since    int32 // the operation since which it stands there
	aborted  [2]int32
}

// notAborted are the aborted records of a place where nothing was aborted.
var notAborted = [2]int32{none, none}

// judgeConsumers follows each process through its operations: an assign or subscribe that may have happened keeps only
// the keys that it lists, a crash keeps nothing, an acknowledged poll moves on, any other poll does not. It returns
// what shows that keys were read to their ends.
func (j *kafkaJudge) judgeConsumers() []kafkaDrain {
	w := &kafkaWalk{
		j: j, consumers: make([]kafkaConsumer, len(j.processes)), drains: make([]kafkaDrain, len(j.keys)),
		stamp: make([]int32, len(j.keys)), first: make([]int32, len(j.keys)), last: make([]int32, len(j.keys)), call: make([]int32, len(j.keys)),
		lag: newKafkaLag(j),
	}
	for k := range w.stamp {
		w.stamp[k], w.drains[k].poll = none, none
	}
	for p := range w.consumers {
		w.consumers[p] = kafkaConsumer{places: map[int32]kafkaPlace{}, polled: none}
	}
	for i := range int32(len(j.ops)) {
		w.step(i)
	}
	for p := range w.consumers {
		w.leaveAll(&w.consumers[p])
	}
	w.lag.report()
	return w.drains
}

// kafkaWalk is the state of the walk. Of the operation at hand it holds the first and last record of each key,
// and which of its polls returned the last.
type kafkaWalk struct {
	j         *kafkaJudge
	consumers []kafkaConsumer
	drains    []kafkaDrain
	lag       *kafkaLag

	stamp, first, last, call []int32 // by key; they hold for the operation in stamp
	touched                  []int32 // keys of the operation
	skipped                  [][2]int32
	fracture                 kafkaFractures
}

func (w *kafkaWalk) step(i int32) {
	o := &w.j.ops[i]
	c := &w.consumers[o.process]
	switch {
	case o.f == kafkaCrash:
		w.leaveAll(c)
		*c = kafkaConsumer{places: map[int32]kafkaPlace{}, polled: none}
	case o.f == kafkaTransact:
		if o.polls {
			w.poll(i, o, c)
		}
	case o.outcome != ops.Fail:
		w.assign(i, o, c)
	}
}

// assign keeps the keys that are listed, and takes the others of the list from where the consumer has not begun. If
// its outcome is unknown, a subscription may have begun, and may not have ended.
func (w *kafkaWalk) assign(i int32, o *kafkaOp, c *kafkaConsumer) {
	sure := o.outcome == ops.OK && o.f == kafkaAssign
	was := c.places
	c.places = make(map[int32]kafkaPlace, len(w.j.listOf(i)))
	for _, k := range w.j.listOf(i) {
		if _, twice := c.places[k]; twice {
			continue
		}
		p, ok := was[k]
		if !ok {
			p = kafkaPlace{record: none, op: none, since: i, aborted: notAborted}
		}
		if p.assigned && !sure {
			w.leave(c, k, p)
		}
		if !p.assigned {
			p.since = i
		}
		p.assigned = sure
		c.places[k] = p
		delete(was, k)
	}
	w.leaveThese(c, was)
	switch {
	case o.f == kafkaSubscribe:
		c.owner = ownsAsMember
	case sure || c.owner != ownsAsMember:
		c.owner = ownsAssigned
	}
}

func (w *kafkaWalk) leaveAll(c *kafkaConsumer) { w.leaveThese(c, c.places) }

func (w *kafkaWalk) leaveThese(c *kafkaConsumer, places map[int32]kafkaPlace) {
	//det:unordered each key is its own affair: maxima are kept of them
	for k, p := range places {
		w.leave(c, k, p)
	}
}

// leave ends a consumer's stay at a place of a key that it owned: it moved on, or the key was taken from it.
func (w *kafkaWalk) leave(c *kafkaConsumer, k int32, p kafkaPlace) {
	if !p.assigned || c.polled == none || c.polled < p.since {
		return
	}
	w.lag.stood(c.polled, k, p.record)
	w.drained(c, k, p)
}

// poll follows the records of an operation.
func (w *kafkaWalk) poll(i int32, o *kafkaOp, c *kafkaConsumer) {
	w.touched, w.skipped = w.touched[:0], w.skipped[:0]
	call := int32(0)
	for _, r := range w.j.readsOf(i) {
		if r == nextPoll {
			call++
			continue
		}
		k := w.j.keyOf(r)
		if w.stamp[k] != i {
			w.stamp[k], w.first[k] = i, r
			w.touched = append(w.touched, k)
			w.between(i, c, k, r)
		} else {
			w.within(i, c, r, w.last[k], w.call[k] == call)
		}
		w.last[k], w.call[k] = r, call
	}
	if o.outcome == ops.OK {
		w.fractures(i)
		w.redelivered(i, c)
	}
	w.move(i, o, c)
}

// move takes the consumer to where the operation left it, if it is acknowledged.
func (w *kafkaWalk) move(i int32, o *kafkaOp, c *kafkaConsumer) {
	for _, k := range w.touched {
		p, ok := c.places[k]
		if !ok {
			p = kafkaPlace{record: none, op: none, since: i, aborted: notAborted}
		}
		w.unassigned(c, p, i)
		p.aborted = notAborted
		switch o.outcome {
		case ops.OK:
			w.leave(c, k, p)
			p.record, p.op, p.since, p.member = w.last[k], i, i, c.owner == ownsAsMember
		case ops.Fail:
			p.aborted = [2]int32{w.first[k], w.last[k]}
		}
		c.places[k] = p
	}
	if o.outcome == ops.OK {
		c.polled = i
	}
}

// unassigned counts records of keys that the process did not take. The members of a group get keys that they did not
// name: a subscription is to a topic.
func (w *kafkaWalk) unassigned(c *kafkaConsumer, p kafkaPlace, i int32) {
	if c.owner == ownsAssigned && !p.assigned && w.j.ops[i].outcome == ops.OK {
		w.j.numbers["polls-of-unassigned-keys"]++
	}
}
