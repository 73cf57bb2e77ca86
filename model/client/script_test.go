package client_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// view is a broker as it sees the cluster: topic orders of two partitions, and who coordinates what.
type view struct {
	s       *script
	leaders []string
	epochs  []int32
	missing bool
	silent  bool
	coord   string // "" = nobody
}

// Receive answers with what the broker knows.
func (v *view) Receive(n *sim.Node, r *sim.Request) {
	if v.silent {
		v.s.say("%s: %s, not answered", n.Name(), strings.TrimPrefix(r.Op, "broker."))
		return
	}
	switch req := r.Body.(type) {
	case wire.MetadataRequest:
		v.s.say("%s: metadata of %s", n.Name(), strings.Join(req.Topics, ", "))
		reply := wire.MetadataReply{Brokers: []string{"broker-1", "broker-2", "broker-3"}}
		for _, name := range req.Topics {
			told := wire.TopicMetadata{Name: name}
			if name != "orders" || v.missing {
				told.Err = wire.ErrUnknownTopic
			} else {
				for i, leader := range v.leaders {
					told.Partitions = append(told.Partitions, wire.PartitionMetadata{Leader: leader, Epoch: v.epochs[i]})
				}
			}
			reply.Topics = append(reply.Topics, told)
		}
		r.Reply(reply, 0)
	case wire.CoordinatorRequest:
		v.s.say("%s: coordinator of %s", n.Name(), req.Key)
		if v.coord == "" {
			r.Fail(wire.ErrNoCoordinator, 0)
			return
		}
		r.Reply(wire.CoordinatorReply{Node: v.coord}, 0)
	}
}

// script is a client and three brokers, of which the first two are its bootstrap. A hop takes 1 ms.
type script struct {
	t       *testing.T
	w       *sim.World
	brokers []*sim.Node
	views   []*view
	node    *sim.Node
	c       *client.Cluster
	out     strings.Builder
}

func play(t *testing.T, text string) string {
	s := &script{t: t}
	defer func() {
		if s.w != nil {
			s.w.Close()
		}
	}()
	scripttest.Commands(text, &s.out, s.command)
	return s.out.String()
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-11v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

func (s *script) begin() {
	if s.w != nil {
		s.w.Close()
	}
	s.w = sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))})
	s.brokers, s.views = nil, nil
	for i := range 3 {
		v := &view{s: s, leaders: []string{"broker-1", "broker-2"}, epochs: []int32{1, 1}, coord: "broker-3"}
		s.views = append(s.views, v)
		s.brokers = append(s.brokers, s.w.Role("broker", func(*sim.Node) sim.Handler { w := *s.views[i]; s.views[i] = &w; return &w }))
		s.brokers[i].Boot()
	}
	s.node = s.w.Role("client", func(n *sim.Node) sim.Handler {
		s.c = client.New(n, client.Config{Bootstrap: s.brokers[:2], RequestTimeout: sim.Second})
		s.c.OnMissing(func(topic string) { s.say("%s is missing", topic) })
		return sim.NoHandler()
	})
	s.node.Boot()
}

func (s *script) advance(d sim.Duration) {
	done := false
	s.w.At(s.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && s.w.Step() {
	}
	if stop, ok := s.w.Stopped(); ok {
		s.t.Fatalf("the world ended: %v %s", stop, stop.Detail)
	}
}

// view of a broker that is named.
func (s *script) view(name string) *view {
	i, err := strconv.Atoi(strings.TrimPrefix(name, "broker-"))
	require.NoError(s.t, err)
	return s.views[i-1]
}

func (s *script) command(f []string) {
	switch f[0] {
	case "client":
		s.begin()
	case "run":
		ns, err := rng.ParseDuration(f[1])
		require.NoError(s.t, err)
		s.advance(sim.Duration(ns))
	case "kill":
		s.w.Node(f[1]).Kill(0)
	case "power-loss":
		s.w.Node(f[1]).PowerLoss(0)
	case "boot":
		s.w.Node(f[1]).Boot()
	case "silent":
		s.view(f[1]).silent = true
	case "knows": // knows broker-2 0 broker-3 5: from now on that broker knows another leader of the partition, in epoch 5
		i, _ := strconv.Atoi(f[2])
		epoch, _ := strconv.Atoi(f[4])
		v := s.view(f[1])
		v.leaders[i], v.epochs[i] = strings.Trim(f[3], "-"), int32(epoch)
	case "missing", "found":
		s.view(f[1]).missing = f[0] == "missing"
	case "coordinator-is":
		for _, v := range s.views {
			v.coord = strings.Trim(f[1], "-")
		}
	default:
		s.ask(f)
	}
	s.advance(0)
}

// ask is what users of the client do.
func (s *script) ask(f []string) {
	switch f[0] {
	case "refresh":
		s.c.Refresh(f[1], func(err error) { s.say("refreshed %s: %v", f[1], err) })
	case "stale":
		s.c.Stale(f[1])
	case "leader":
		i, _ := strconv.Atoi(f[2])
		if n, epoch := s.c.Leader(f[1], i); n != nil {
			s.say("%s leads %s/%d in epoch %d", n.Name(), f[1], i, epoch)
		} else {
			s.say("no leader of %s/%d known", f[1], i)
		}
	case "partitions":
		s.say("%s has %d partitions", f[1], s.c.Partitions(f[1]))
	case "coordinator":
		s.c.Coordinator(false, f[1], func(n *sim.Node, err error) {
			if err != nil {
				s.say("coordinator of %s: %v", f[1], err)
				return
			}
			s.say("%s coordinates %s", n.Name(), f[1])
		})
	case "forget":
		s.c.ForgetCoordinator(false, f[1])
	case "await-leader":
		i, _ := strconv.Atoi(f[2])
		s.node.Go("await", func(p *sim.Proc) {
			n, _, err := s.c.AwaitLeader(p, f[1], i, 3*sim.Second)
			s.told(n, err)
		})
	case "await-coordinator":
		s.node.Go("await", func(p *sim.Proc) {
			n, err := s.c.AwaitCoordinator(p, false, f[1], 3*sim.Second)
			s.told(n, err)
		})
	default:
		s.t.Fatalf("no command %v", f)
	}
}

func (s *script) told(n *sim.Node, err error) {
	if err != nil {
		s.say("awaited in vain: %v", err)
		return
	}
	s.say("awaited: %s", n.Name())
}
