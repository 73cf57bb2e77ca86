package downstream_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/downstream/downstreamtest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// askCache asks the cache under test.
func askCache(c *model.Context, q model.CacheRequest) model.CacheReply {
	reply, _, err := c.Ask(downstreamtest.Service, q.Do.Op(), q, 0)
	if err != nil {
		return model.CacheReply{Value: "error: " + err.Error()}
	}
	return reply.(model.CacheReply)
}

// A cache keeps a value for its time, on its own wall clock, and forgets everything when it stops.
func TestCache(t *testing.T) {
	kind, ok := downstream.KindByName("cache")
	require.True(t, ok)
	g := downstreamtest.NewRig(kind, 1, downstream.Config{Latency: rng.Constant(int64(sim.Millisecond))})
	defer g.World.Close()
	set := func(key, value string, keep sim.Duration) model.CacheRequest {
		return model.CacheRequest{Do: model.CacheSet, Key: key, Value: value, Keep: keep}
	}
	get := func(key string) model.CacheRequest { return model.CacheRequest{Do: model.CacheGet, Key: key} }
	none, was := model.CacheReply{}, func(v string) model.CacheReply { return model.CacheReply{Value: v, Found: true} }
	g.Task(func(c *model.Context) {
		require.Equal(t, none, askCache(c, get("a")))
		require.Equal(t, none, askCache(c, set("a", "1", 0)))
		require.Equal(t, was("1"), askCache(c, get("a")))
		require.Equal(t, was("1"), askCache(c, model.CacheRequest{Do: model.CacheAdd, Key: "a", Value: "2"}), "an add finds what is there")
		require.Equal(t, was("1"), askCache(c, get("a")), "and leaves it")
		require.Equal(t, was("1"), askCache(c, model.CacheRequest{Do: model.CacheDelete, Key: "a"}))
		require.Equal(t, none, askCache(c, model.CacheRequest{Do: model.CacheAdd, Key: "a", Value: "3"}), "nothing is there: this one sets")

		askCache(c, set("short", "x", 10*sim.Second))
		c.Sleep(9 * sim.Second)
		require.Equal(t, was("x"), askCache(c, get("short")))
		g.Node.SkewWall(5 * sim.Second)
		require.Equal(t, none, askCache(c, get("short")), "a clock that jumps forward forgets early")
		g.Node.SkewWall(-5 * sim.Second)
		require.Equal(t, none, askCache(c, get("short")), "and does not remember again")

		g.Stop(downstreamtest.Stop{Down: sim.Second})
		c.Sleep(2 * sim.Second)
		require.Equal(t, none, askCache(c, get("a")), "whatever stops it empties it")
	})
	require.Equal(t, sim.StopDrained, g.Run().Kind)
}
