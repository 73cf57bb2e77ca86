package checker_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

// How long a run took to drain is a number; a run that did not, or that states no limit, has none.
func TestTimeToDrain(t *testing.T) {
	drains := func(limit int64, finish bool) (int64, bool) {
		s := checkertest.New()
		d := s.Many(1)[0].Deliver("consumer-1")
		s.Heals(limit).Wait(40)
		if finish {
			d.Do("charge", "book", "mail").Commit()
		}
		return checker.TimeToDrain(s.RunEnds("quiescent").History())
	}
	took, ok := drains(1000, true)
	require.True(t, ok)
	require.Equal(t, int64(52*checkertest.Millisecond), took, "40 ms of waiting, three calls of 3 ms, and three facts of the commit")
	for _, c := range []struct {
		limit  int64
		finish bool
	}{{0, true}, {1000, false}} {
		_, ok := drains(c.limit, c.finish)
		require.False(t, ok, "%v", c)
	}
}

// Acknowledged and then delivered: the time between; never delivered, or never acknowledged: none.
func TestVisibilityLatencies(t *testing.T) {
	s := checkertest.New()
	r := s.Many(3)
	s.Offer("order-4", "anna").Doubt().Append("orders/0", 3).Deliver("consumer-1")
	s.Wait(100)
	r[0].Deliver("consumer-1")
	r[1].Deliver("consumer-1")
	times := checker.Visibility(s.History())
	n := int64(0)
	for _, c := range times {
		n += int64(c)
	}
	require.Equal(t, int64(2), n)
	require.Zero(t, times[history.LatencyBucket(checkertest.Millisecond)])
	require.Positive(t, times[history.LatencyBucket(111*checkertest.Millisecond)], "order-1: acknowledged at 2 ms, delivered at 114 ms")
}

// What was not finished is undecided while it might have been, and a violation when the run had settled.
func TestCutShortIsUndecided(t *testing.T) {
	for _, c := range []struct {
		name, reason    string
		wait            int64
		seen, undecided int64
	}{
		{"cut short", "limit facts", 10, 0, 1},
		{"it says that nothing moves", "stuck: 1 record", 10, 1, 0},
		{"it lasted longer than the limit", "limit drain", 2000, 1, 0},
		{"it says that it is quiescent, and a record is unread", "quiescent", 10, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := checkertest.New()
			s.Many(1)[0].Deliver("consumer-1").Do("charge", "book", "mail")
			v := checker.CheckAll(s.Heals(1000).Wait(c.wait).RunEnds(c.reason).History())
			require.Equal(t, c.seen, v.Seen[history.PropDrained])
			require.Equal(t, c.undecided, v.Undecided[history.PropDrained])
		})
	}
}

// The limit is part of the header, survives the file, and is left out where there is none, as in files of before.
func TestLimitInFiles(t *testing.T) {
	for _, limit := range []int64{0, 7} {
		var b bytes.Buffer
		require.NoError(t, checkertest.New().Heals(limit).History().Write(&b))
		require.Equal(t, limit != 0, bytes.Contains(b.Bytes(), []byte(`"heal":`)))
		h, err := history.Read(&b, 0)
		require.NoError(t, err)
		require.Equal(t, limit*checkertest.Millisecond, h.Header.Heal)
	}
}

// A record that comes long after the last fault starves only if a younger one came before it.
func TestLateIsNotStarved(t *testing.T) {
	for _, c := range []struct {
		name  string
		first int
		seen  int64
	}{{"the younger one first", 1, 1}, {"in order", 0, 0}} {
		t.Run(c.name, func(t *testing.T) {
			s := checkertest.New()
			r := s.Many(2)
			s.Heals(100).Wait(200)
			r[c.first].Deliver("consumer-1")
			r[1-c.first].Deliver("consumer-1")
			v := checker.CheckAll(s.RunEnds("quiescent").History())
			require.Equal(t, c.seen, v.Seen[history.PropStarvation])
		})
	}
}
