package shelf_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/shelf"
	"github.com/twiceless/twiceless/sim"
)

const sec = sim.Second

// naive is a shelf written without heaps and lists: every question walks over all messages.
type naive struct {
	cfg *queue.Config
	all []*copied
}

type copied struct {
	place    int64
	key      string
	receives int
	hidden   bool
	until    sim.Time
	spent    bool
}

func (n *naive) wake(now sim.Time) {
	for _, c := range n.all {
		if c.hidden && c.until <= now {
			c.hidden = false
			c.spent = n.cfg.Limit == queue.Stays && n.cfg.MaxReceives > 0 && c.receives >= n.cfg.MaxReceives
		}
	}
}

func (n *naive) hidden(key string) (count int) {
	for _, c := range n.all {
		if c.hidden && (key == "" || c.key == key) {
			count++
		}
	}
	return count
}

// take is the oldest that may be received, again and again.
func (n *naive) take(most int, until, now sim.Time) (places []int64) {
	n.wake(now)
	blocked := map[string]bool{}
	for _, c := range n.all {
		blocked[c.key] = blocked[c.key] || n.cfg.Groups && n.hidden(c.key) > 0
	}
	for _, c := range n.all {
		if len(places) == most || n.cfg.MaxInFlight > 0 && n.hidden("") >= n.cfg.MaxInFlight {
			break
		}
		if c.hidden || c.spent || blocked[c.key] {
			continue
		}
		c.hidden, c.until = true, until
		c.receives++
		places = append(places, c.place)
	}
	return places
}

func (n *naive) find(place int64) *copied {
	for _, c := range n.all {
		if c.place == place {
			return c
		}
	}
	return nil
}

// The shelf does what the naive one does, whatever is asked of it.
func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := &queue.Config{Groups: rapid.Bool().Draw(t, "groups"), Late: queue.LateRule(rapid.IntRange(0, 2).Draw(t, "late"))}
		if !cfg.Groups {
			cfg.MaxInFlight = rapid.IntRange(0, 3).Draw(t, "in flight")
			if rapid.Bool().Draw(t, "stays") {
				cfg.Limit, cfg.MaxReceives = queue.Stays, 2
			}
		}
		s, n := shelf.New(cfg), &naive{cfg: cfg}
		now, place := sim.Time(0), int64(0)
		var handles []int64
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(sim.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * sec)
			switch rapid.SampledFrom([]string{"put", "put", "take", "ack", "extend", "return"}).Draw(t, "step") {
			case "put":
				key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
				s.Put(model.Message{Intent: model.Intent{Event: fmt.Sprint(place), Key: key}}, place, now, now, now)
				n.all = append(n.all, &copied{place: place, key: key})
				place++
			case "take":
				most := rapid.IntRange(1, 3).Draw(t, "most")
				want := n.take(most, now.Add(5*sec), now)
				require.True(t, s.Available(now) || len(want) == 0, "Available never denies what there is")
				var got []int64
				for _, it := range s.Take("c", most, 5*sec, now) {
					got = append(got, it.Place)
					require.EqualValues(t, n.find(it.Place).receives, it.Receives)
					handles = append(handles, queue.Handle(it.Place, int64(it.Receives)))
				}
				require.Equal(t, want, got)
			default:
				if len(handles) > 0 {
					n.settle(t, s, rapid.SampledFrom(handles).Draw(t, "handle"), rapid.SampledFrom([]string{"ack", "extend", "return"}).Draw(t, "how"), now)
				}
			}
			n.wake(now)
			s.Wake(now)
			require.Equal(t, len(n.all), s.Len())
			require.Equal(t, n.hidden(""), s.InFlight())
			n.same(t, s)
		}
	})
}

func (n *naive) settle(t *rapid.T, s *shelf.Shelf, handle int64, how string, now sim.Time) {
	place, receives := queue.Place(handle)
	c := n.find(place)
	present := c != nil && c.hidden && int64(c.receives) == receives && c.until > now
	may := present || c != nil && c.hidden && c.until > now && n.cfg.Late == queue.LateAccepted
	switch how {
	case "ack":
		it, answer := s.Ack(handle, "c", now)
		want := shelf.Ignored
		switch {
		case c == nil:
		case present, n.cfg.Late == queue.LateAccepted, n.cfg.Late == queue.LateIgnored && int64(c.receives) == receives:
			want = shelf.Settled
		case n.cfg.Late == queue.LateRefused:
			want = shelf.Refused
		}
		require.Equal(t, want, answer)
		if answer == shelf.Settled {
			s.Remove(it)
			n.all = slices.DeleteFunc(n.all, func(o *copied) bool { return o == c })
		}
	case "extend":
		require.Equal(t, may, s.Extend(handle, "c", now.Add(9*sec), now))
		if may {
			c.until = now.Add(9 * sec)
		}
	case "return":
		require.Equal(t, may, s.Return(handle, "c", true, false, now))
		if may {
			c.until = now
		}
	}
}

// same compares what every message is.
func (n *naive) same(t *rapid.T, s *shelf.Shelf) {
	items := s.Items()
	for i, c := range n.all {
		want := fmt.Sprintf("%d ready", c.place)
		switch {
		case c.hidden:
			want = fmt.Sprintf("%d hidden", c.place)
		case c.spent:
			want = fmt.Sprintf("%d spent", c.place)
		}
		require.Equal(t, want, fmt.Sprintf("%d %v", items[i].Place, items[i].State()))
	}
}

// Of a group nobody is given a message while an older one is there that somebody else has, or that is ready.
func TestGroupsAreInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shelf.New(&queue.Config{Groups: true, Late: queue.LateRefused})
		now, place := sim.Time(0), int64(0)
		out := map[string]int64{} // by key: what was acknowledged last
		var hold []int64
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(sim.Duration(rapid.IntRange(0, 2).Draw(t, "seconds")) * sec)
			if rapid.Bool().Draw(t, "put") {
				key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
				s.Put(model.Message{Intent: model.Intent{Key: key}}, place, now, now, now)
				place++
			}
			for _, it := range s.Take("c", rapid.IntRange(1, 4).Draw(t, "most"), 3*sec, now) {
				for _, other := range s.Items() {
					require.False(t, other.Place < it.Place && other.Message.Key == it.Message.Key && other.State().String() == "ready", "an older one was passed over")
				}
				hold = append(hold, queue.Handle(it.Place, int64(it.Receives)))
			}
			if len(hold) > 0 && rapid.Bool().Draw(t, "ack") {
				if it, answer := s.Ack(hold[0], "c", now); answer == shelf.Settled {
					s.Remove(it)
					out[it.Message.Key] = it.Place
				}
				hold = hold[1:]
			}
		}
	})
}

// Ids are known for the window and no longer, also of messages that have left.
func TestKnown(t *testing.T) {
	s := shelf.New(&queue.Config{DedupWindow: 10 * sec})
	s.Note("x", 7, 0)
	stored, ok := s.Known("x", sim.Time(10*sec)-1)
	require.True(t, ok)
	require.EqualValues(t, 7, stored)
	_, ok = s.Known("x", sim.Time(10*sec))
	require.False(t, ok)
}
