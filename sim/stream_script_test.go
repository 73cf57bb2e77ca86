package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim/rng"
)

var update = flag.Bool("update", false, "write the golden files anew")

// bytesBody is a message of so many bytes.
type bytesBody int

func (b bytesBody) WireSize() int { return int(b) }

// wireScript is one connection between a client and a server, 60 ms there and back, whose packets a script loses one by one.
type wireScript struct {
	w              *World
	client, server *Node
	lose           [wireKinds]map[int]bool // the n-th packet of a kind, from 1
	sent           [wireKinds]int
	answer         int // bytes of the server's answers; 0 = it gives none
	out            strings.Builder
}

func newWireScript(t *testing.T) *wireScript {
	s := &wireScript{w: New(Config{Seed: 1, Latency: rng.Constant(int64(30 * Millisecond)), Streams: Streams{Segment: 1000, SendBuffer: 20_000}})}
	t.Cleanup(s.w.Close)
	for k := range s.lose {
		s.lose[k] = map[int]bool{}
	}
	s.server = s.w.Role("server", func(*Node) Handler { return &requests{s.delivered} })
	s.client = s.w.Role("client", func(*Node) Handler { return NoHandler() })
	s.server.Boot()
	s.client.Boot()
	s.client.Streamed(s.server, true)
	s.client.link(s.server).fromInc, s.client.link(s.server).toInc, s.client.link(s.server).last = 1, 1, 1 // in use already
	s.w.onWire = s.packet
	return s
}

func (s *wireScript) delivered(r *Request) {
	s.say("%d bytes are delivered", int(r.Body.(bytesBody)))
	if s.answer > 0 {
		r.Reply(bytesBody(s.answer), 0)
	}
}

func (s *wireScript) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "    %-8v %s\n", s.w.now, fmt.Sprintf(format, args...))
}

// packet prints one that goes on the wire, and says whether the script loses it.
func (s *wireScript) packet(h *half, kind wireKind, at span) bool {
	s.sent[kind]++
	text := fmt.Sprintf("segment %d: %d-%d", s.sent[kind], at.from, at.to)
	if kind == wireAck {
		text = fmt.Sprintf("ack %d: all to %d", s.sent[kind], at.to)
		_, blocks := h.receiver.state()
		for _, b := range blocks {
			if b.to > 0 {
				text += fmt.Sprintf(", and %d-%d", b.from, b.to)
			}
		}
	} else {
		text += fmt.Sprintf("   window %d, on the wire %d", h.sender.cwnd, h.sender.pipe)
	}
	if h == &h.c.down {
		text = "answering " + text
		if other := h.other(); kind == wireSegment {
			text += fmt.Sprintf(", acknowledges %d", other.receiver.next)
		}
	}
	lost := s.lose[kind][s.sent[kind]]
	if lost {
		text += "   LOST"
	}
	s.say("%s", text)
	return lost
}

func (s *wireScript) command(t *testing.T, line string) {
	words := strings.Fields(line)
	switch words[0] {
	case "send":
		for _, size := range words[1:] {
			n, err := strconv.Atoi(size)
			require.NoError(t, err, line)
			if s.answer == 0 {
				s.client.Send(s.server, s.w.Op("server.put"), Action{}, bytesBody(n), 0)
				continue
			}
			s.client.Call(s.server, s.w.Op("server.ask"), Action{}, bytesBody(n), 0, Hour, func(any, int64, error) { s.say("answered") })
		}
		s.say("room for %d", s.client.Room(s.server))
	case "lose":
		kind := map[string]wireKind{"segments": wireSegment, "acks": wireAck}[words[1]]
		for _, n := range words[2:] {
			k, err := strconv.Atoi(n)
			require.NoError(t, err, line)
			s.lose[kind][k] = true
		}
	case "answers":
		n, err := strconv.Atoi(words[1])
		require.NoError(t, err, line)
		s.answer = n
	case "duplicate-acks":
		s.w.stream.DupAcks = true
	case "room":
		s.client.OnRoom(s.server, func() { s.say("there is room for %d", s.client.Room(s.server)) })
	case "cut", "mend":
		f := map[string]func(*Node, *Node){"cut": (*Node).Cut, "mend": (*Node).Mend}[words[0]]
		f(s.client, s.server)
		f(s.server, s.client)
	case "disconnect":
		s.client.Disconnect(s.server)
	case "run":
		d, err := rng.ParseDuration(words[1])
		require.NoError(t, err, line)
		end := s.w.now.Add(Duration(d))
		s.w.At(end, PhaseTimer, func() {})
		s.w.Run(end)
	default:
		t.Fatalf("unknown command %q", line)
	}
}

// TestStreamScripts plays each script of testdata/stream-*.txt: what is on the wire after which loss.
func TestStreamScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/stream-*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := os.ReadFile(file)
			require.NoError(t, err)
			s := newWireScript(t)
			for line := range strings.Lines(string(script)) {
				switch {
				case strings.HasPrefix(line, "> "):
					s.out.WriteString(line)
					s.command(t, strings.TrimSpace(line[2:]))
				case !strings.HasPrefix(line, "    "):
					s.out.WriteString(line)
				}
			}
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(s.out.String()), 0o644))
			}
			require.Equal(t, string(script), s.out.String(), "go test ./sim -run StreamScripts -update")
		})
	}
}

// check says what of one half does not add up.
func (h *half) check() string {
	s, r := &h.sender, &h.receiver
	pipe, at := 0, s.una
	for _, f := range s.flight {
		if !f.sacked && !f.lost {
			pipe++
		}
		if f.from != at || f.from >= f.to {
			return "the flight has a gap"
		}
		at = f.to
	}
	switch {
	case pipe != s.pipe:
		return fmt.Sprintf("%d segments on the wire, counted as %d", pipe, s.pipe)
	case at != s.next || s.next > s.end:
		return "what is in flight is not what was sent"
	case s.cwnd < 1 || s.ssthresh < 2:
		return fmt.Sprintf("window %d, threshold %d", s.cwnd, s.ssthresh)
	case len(s.flight) > 0 && h.timers[timerRTO].handle == (Handle{}):
		return "nothing watches what is in flight"
	case r.next < s.una || r.next > s.next:
		return "acknowledged is what is not there"
	}
	for i, a := range r.islands {
		if a.from <= r.next || a.from >= a.to {
			return "an island is none"
		}
		for _, b := range r.islands[:i] {
			if a.from <= b.to && b.from <= a.to {
				return "two islands touch"
			}
		}
	}
	return ""
}

// What was sent is delivered, each message once and in order, whatever is lost, cut and slowed on the way, and the books of
// each connection balance after every event.
func TestStreamsDeliverOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(Config{Seed: rapid.Uint64().Draw(t, "seed"), Latency: rng.Uniform(int64(Millisecond), int64(20*Millisecond)),
			Streams: Streams{Segment: rapid.IntRange(50, 1500).Draw(t, "segment"), DupAcks: rapid.Bool().Draw(t, "by count"), MaxRTO: 2 * Second,
				Bandwidth: rapid.SampledFrom([]int64{0, 100_000}).Draw(t, "bandwidth")}})
		defer w.Close()
		var asked, answered []int
		server := w.Role("server", func(*Node) Handler {
			return &requests{func(r *Request) { asked = append(asked, r.Body.(numbered).n); r.Reply(r.Body, 0) }}
		})
		n := rapid.IntRange(1, 60).Draw(t, "messages")
		client := w.Role("client", func(c *Node) Handler {
			for i := range n {
				body := numbered{i, rapid.IntRange(1, 4000).Draw(t, "size")}
				c.After(Duration(rapid.IntRange(0, 300).Draw(t, "at"))*Millisecond, func() {
					body.n = len(answered) + 1000*i // unique
					c.Call(server, w.Op("server.ask"), Action{}, body, 0, Hour, func(reply any, _ int64, err error) {
						require.NoError(t, err)
						answered = append(answered, reply.(numbered).n)
					})
				})
			}
			return NoHandler()
		})
		server.Boot()
		client.Boot()
		loss := func(what string) rng.Ratio {
			return rng.Ratio{Num: uint64(rapid.IntRange(1, 40).Draw(t, what)), Den: 100}
		}
		client.Lossy(server, loss("there"))
		server.Lossy(client, loss("back"))
		w.At(Time(100*Millisecond), PhaseFault, func() { client.Slow(server, 50*Millisecond) })
		w.At(Time(200*Millisecond), PhaseFault, func() { client.Slow(server, 0); server.Cut(client) })
		w.At(Time(5*Second), PhaseFault, func() { server.Mend(client) })
		for w.Step() {
			for _, c := range w.conns {
				require.Empty(t, c.up.check())
				require.Empty(t, c.down.check())
			}
		}
		require.Len(t, answered, n)
		require.Equal(t, asked, answered)
		require.Zero(t, w.Foreground())
	})
}

type numbered struct{ n, size int }

func (b numbered) WireSize() int { return b.size }

type requests struct{ fn func(*Request) }

func (h *requests) Receive(_ *Node, r *Request) { h.fn(r) }
