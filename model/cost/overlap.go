package cost

import "github.com/twiceless/twiceless/sim"

// overlapRounds of followers are stepped through; the first half is there to forget the start.
const overlapRounds = 256

// overlapping is the mean time between batches of which several are in flight to replicas that fetch. There is no closed form:
// a fetch takes along all that has come, so batches gather while a follower is under way, and the more have gathered the longer it is
// under way. So it steps through the rounds of the followers. (The obvious alternative, the round trip divided by what may be
// in flight, is up to twice too fast.)
func (p *Profile) overlapping(f *Flow, s *steps, client sim.Duration) sim.Duration {
	o := overlap{profile: p, flow: f, s: s, way: sender{s: s, client: client}, followers: make([]follower, f.Replicas-1)}
	for range f.InFlight {
		o.batches = append(o.batches, batch{appended: o.way.arrives(0)})
	}
	half := 0
	for round := range overlapRounds {
		if o.round(); round == overlapRounds/2 {
			half = o.acked
		}
	}
	last := o.acked - 1
	return o.batches[last].acked.Sub(o.batches[half-1].acked) / sim.Duration(last-half+1)
}

type overlap struct {
	profile   *Profile
	flow      *Flow
	s         *steps
	way       sender
	link      sim.Time // when the leader's is free
	batches   []batch  // in the order of the log
	followers []follower
	acked     int
}

type batch struct{ appended, acked sim.Time }

type follower struct {
	fetched sim.Time // when the leader has handled its last fetch
	offset  int      // which asks for this batch
}

// round is the one that begins first: the followers' fetches are answered in order of time, as they share a link.
func (o *overlap) round() {
	var next *follower
	var start sim.Time
	for i := range o.followers {
		f := &o.followers[i]
		if f.offset == len(o.batches) {
			continue // what it waits for leaves the client when the others are done
		}
		if at := max(f.fetched, o.batches[f.offset].appended); next == nil || at < start {
			next, start = f, at
		}
	}
	m := 0
	for next.offset+m < len(o.batches) && o.batches[next.offset+m].appended <= start {
		m++
	}
	bytes := m * o.profile.Format.Wire(o.flow.Batch, o.flow.Payload)
	o.link = max(o.link, start).Add(o.profile.transfer(bytes))
	next.fetched = o.link.Add(o.s.hop + o.profile.Broker.Time(1, m*o.flow.Batch, bytes) + o.s.hop + o.s.ask)
	for range m {
		b := &o.batches[next.offset]
		b.acked = max(b.acked, next.fetched)
		next.offset++
	}
	o.acknowledge()
}

// acknowledge lets a batch more leave for each that all followers have.
func (o *overlap) acknowledge() {
	high := len(o.batches)
	for i := range o.followers {
		high = min(high, o.followers[i].offset)
	}
	for ; o.acked < high; o.acked++ {
		o.batches = append(o.batches, batch{appended: o.way.arrives(o.batches[o.acked].acked.Add(o.s.hop))})
	}
}

// sender is the way of batches to the leader: one client, which makes one ready ahead, one link, one connection.
type sender struct {
	s      *steps
	client sim.Duration

	leaves, left, taken sim.Time // of the last batch: the client, the link, and when it is appended
}

// arrives is when the next batch is appended if it may leave at an instant.
func (w *sender) arrives(may sim.Time) sim.Time {
	w.leaves = max(may, w.leaves.Add(w.client)) // it begins one when the one before leaves
	w.left = max(w.leaves, w.left).Add(w.s.transfer)
	w.taken = max(w.left.Add(w.s.hop), w.taken).Add(w.s.broker)
	return w.taken
}
