package stack

import (
	"errors"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// autoCommit leaves the commits to the client, as a Kafka consumer does by default (enable.auto.commit, every
// auto.commit.interval.ms): at the first poll after the interval it commits the positions of all that earlier polls
// have returned, and again before it gives up its share. It does not ask whether the work was done. The client of a queue does
// nothing of the sort; there the loop does it.
//
// With librdkafka it is at-most-once for what is in work: a timer commits all that was handed over, also while the loop
// works. All that follows is said of the Java client.
//
// In the loop that is at-least-once: by the next poll the work of the polls before is done. What was done since the
// last commit comes again after a crash: up to the interval's worth, where commit-after repeats one batch.
//
// With a hand-off to a worker it is neither: the loop polls on while the worker has a queue, and the positions of what
// nobody has done are committed. A crash loses the queue without a trace; after a rebalance the worker does what now
// belongs to another.
type autoCommit struct{ handOff bool }

func (e autoCommit) Name() string {
	if e.handOff {
		return "auto-commit-hand-off"
	}
	return "auto-commit"
}

func (autoCommit) Needs() []model.Capability { return []model.Capability{model.EventID} }
func (autoCommit) Gives() []model.Capability { return nil }

// autoCommitInterval is Kafka's default.
const autoCommitInterval = 5 * sim.Second

// Build runs the loop in every member of the group.
func (e autoCommit) Build(a model.Assembly, f model.Flow) {
	a.Consume(f.Source, model.Workers, func(c model.Ctx, in model.Consumer, handle model.Batch) {
		poll := func(c model.Ctx) ([]model.Message, bool) { return in.Poll(c, 0) }
		if !in.AutoCommits() {
			s := &autoPositions{in: in, due: c.Now().Add(autoCommitInterval)}
			in.OnRevoke(s.revoked)
			c.GoBackground("auto-commit", s.idle)
			defer s.over.Broadcast()
			poll = s.poll
		}
		work := func(batch []model.Message) { finish(c, batch, handle(c, batch)) }
		if e.handOff {
			w := &worker{handle: handle}
			c.Go("worker", w.run)
			defer w.close()
			work = w.take
		}
		for {
			batch, ok := poll(c)
			if !ok {
				return
			}
			work(batch)
		}
	})
	a.AutoCommit(model.Workers)
}

// autoPositions do what the client would, where it does not: they are those of what polls have returned and nobody has committed
// yet.
type autoPositions struct {
	in       model.Consumer
	returned []model.Message
	due      sim.Time // of the next commit, on the node's monotonic clock
	polling  bool     // the loop waits in a poll
	share    int      // counts the shares that were given up
	over     sim.Signal
}

// poll commits if it is time, and waits for records.
func (s *autoPositions) poll(c model.Ctx) ([]model.Message, bool) {
	if c.Now() >= s.due {
		s.commit(c)
	}
	s.polling = true
	batch, ok := s.in.Poll(c, 0)
	s.polling = false
	s.returned = append(s.returned, batch...)
	return batch, ok
}

// idle stands for the polls that return nothing: a real loop comes round several times a second, ours waits in one.
func (s *autoPositions) idle(c model.Ctx) {
	for !c.Process().Wait(&s.over, autoCommitInterval) {
		if s.polling && c.Now() >= s.due {
			s.commit(c)
		}
	}
}

// commit moves the positions past all that was returned. If it fails the client only logs it: the next one covers
// the same records, unless they are certainly another's by now.
func (s *autoPositions) commit(c model.Ctx) {
	s.due = c.Now().Add(autoCommitInterval)
	ms, share := s.returned, s.share
	if len(ms) == 0 {
		return
	}
	s.returned = nil
	err := s.in.Commit(c.With(ms[len(ms)-1].Intent), ms)
	if err != nil && share == s.share && !errors.Is(err, model.ErrFenced) {
		s.returned = append(ms, s.returned...)
	}
}

// revoked is the last chance to commit: what comes of it, the positions are no longer this member's.
func (s *autoPositions) revoked(c model.Ctx) {
	s.commit(c)
	s.returned = nil
	s.share++
}

// worker does what the loop hands over, in order, on a process of its own.
type worker struct {
	handle  model.Batch
	queue   [][]model.Message // without bound, as an executor's is
	more    sim.Signal
	closing bool
}

func (w *worker) take(batch []model.Message) {
	w.queue = append(w.queue, batch)
	w.more.Broadcast()
}

// close lets the worker end when its queue is empty.
func (w *worker) close() {
	w.closing = true
	w.more.Broadcast()
}

func (w *worker) run(c model.Ctx) {
	for {
		for len(w.queue) == 0 {
			if w.closing {
				return
			}
			c.Process().Wait(&w.more, -1)
		}
		batch := w.queue[0]
		w.queue = w.queue[1:]
		finish(c, batch, w.handle(c, batch))
	}
}
