package stack

import (
	"fmt"
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// fence keeps a zombie from critical effects: a consumer that was paused or cut off, whose partitions have moved, and
// that does not know. What it refuses is deferred: the event belongs to a later owner, who has it from the log.
//
//	none        does nothing
//	generation  each call carries the generation of the group under which the event was handed out; the called service
//	            refuses one that is lower than the highest it has seen, of that partition where members keep what does not move
//	lease       a consumer takes a lease on a partition once in a generation and looks at its own clock before each
//	            call. Nobody checks at the service: a pause between the look and the call goes unnoticed
//	token       the same, and the call carries the lease's token, which the service checks
//
// A queue has no partitions that somebody owns: there a lease is on one message, and its receives are the generations.
//
// What it removes: effects of a zombie after its successor has acted. What remains: what the zombie did before that
// comes again to the successor, who cannot know of it; for that a stack needs keys or records. A service knows of a
// successor only when that one has called.
//
// Counterexample to a lease without a token: paused for longer than the lease between the look and the call, the
// zombie charges after its successor did.
type fence struct {
	variant string
	lease   sim.Duration
}

func (fence) Name() string { return "fence" }

// Needs depends on who issues the token and who checks it.
func (f fence) Needs() []model.Capability {
	switch f.variant {
	case "generation":
		return []model.Capability{model.GroupFence, model.ResourceFence}
	case "lease":
		return []model.Capability{model.StoreLease}
	case "token":
		return []model.Capability{model.ResourceFence, model.StoreLease}
	}
	return nil
}

func (fence) Gives() []model.Capability { return nil }

// LeaseService is the name of the lease service and its role.
const LeaseService = "lease"

// leasePause is how long a consumer waits before it asks again for a lease that another one holds.
const leasePause = 500 * sim.Millisecond

// Install wraps every critical effect, and asks the called services to check.
func (f fence) Install(a model.Assembly, flow model.Flow) {
	var wrap func(model.Call) model.Call
	switch f.variant {
	case "none":
		return
	case "generation":
		wrap = byGeneration(flow.Incremental)
	default:
		a.Store(model.StoreSpec{Kind: "lease", Name: LeaseService, Window: f.lease})
		wrap = f.byLease(newMemory(func() map[string]*holding { return map[string]*holding{} }))
	}
	for _, s := range flow.Stages {
		if s.Class != history.Critical {
			continue
		}
		if f.variant != "lease" {
			a.AtService(s.Service, func(o *model.Offer) { o.Fences = true })
		}
		a.OnStage(s.Name, wrap)
	}
}

// byGeneration guards the topic: a generation is that of the whole group, so the service knows of a successor as soon
// as any member of it calls. In an incremental group it guards the partition: whoever keeps one has in work what it was handed
// in a generation before, and is refused if another member's call counts for all; nobody else would do that work.
func byGeneration(incremental bool) func(model.Call) model.Call {
	return func(inner model.Call) model.Call {
		return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
			m.Guard, m.Fence = m.Topic, m.Generation
			if incremental {
				m.Guard = model.PartitionName(m.Topic, m.Partition)
			}
			return inner(c, stage, m)
		}
	}
}

// holding is a process's lease on one partition, of one generation.
type holding struct {
	generation int64
	token      int64
	until      sim.Time // by the process's own monotonic clock, counted from when it asked
	lost       bool     // a later owner has it: not ours again in this generation
}

// byLease guards the partition, or the message of a queue.
func (f fence) byLease(held *memory[map[string]*holding]) func(model.Call) model.Call {
	return func(inner model.Call) model.Call {
		return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
			guard := guardOf(&m)
			own := held.of(c)
			h := own[guard]
			if h == nil || h.generation != m.Generation {
				h = &holding{generation: m.Generation}
				own[guard] = h
			}
			if err := f.hold(c, guard, h, m); err != nil {
				return m, err
			}
			if f.variant == "token" && !c.Planted(model.LeaseWithoutToken) {
				m.Guard, m.Fence = guard, h.token
			}
			return inner(c, stage, m)
		}
	}
}

// guardOf names what one consumer at a time may work on.
func guardOf(m *model.Message) string {
	guard := model.PartitionName(m.Topic, m.Partition)
	if m.Handle != 0 {
		guard += ":" + strconv.FormatInt(m.Offset, 10)
	}
	return guard
}

// hold makes sure that the lease is ours now, by our own clock. It is taken once in a generation: a zombie whose lease
// has gone to its successor must not take it back, however long the successor has nothing to do.
func (f fence) hold(c model.Ctx, guard string, h *holding, m model.Message) error {
	switch {
	case h.lost:
		return model.ErrFenced
	case h.token == 0:
		return f.acquire(c, guard, h, m)
	case c.Now() < h.until:
		return nil
	}
	asked := c.Now()
	result, err := askLease(c, "renew", model.Message{Guard: guard, Fence: h.token, Cause: m.Cause})
	if err != nil {
		return err
	}
	if result.Payload != "renewed" {
		h.lost = true
		return model.ErrFenced
	}
	h.until = asked.Add(f.lease)
	return nil
}

// acquire waits until the earlier owner's lease has run out. Whoever waits longer than that can take has met a renewal:
// the earlier owner is alive, and the event is tried again later.
func (f fence) acquire(c model.Ctx, guard string, h *holding, m model.Message) error {
	n := c.Process().Node()
	holder := fmt.Sprintf("%s/%d", n.Name(), n.Incarnation())
	for began := c.Now(); ; c.Sleep(leasePause) {
		asked := c.Now()
		result, err := askLease(c, "acquire", model.Message{Guard: guard, Payload: holder, Generation: m.Generation, Cause: m.Cause})
		if err != nil {
			return err
		}
		switch result.Payload {
		case "granted":
			h.token, h.until = result.Fence, asked.Add(f.lease)
			return nil
		case "lost":
			h.lost = true
			return model.ErrFenced
		}
		if c.Now().Sub(began) > f.lease {
			return fmt.Errorf("%s is held by another: %w", guard, model.ErrUnavailable)
		}
	}
}

// askLease performs one operation. Whatever became of it, the effect has not been called: the error is definite.
func askLease(c model.Ctx, op string, req model.Message) (model.Message, error) {
	reply, err := c.Call(LeaseService, op, req)
	if err != nil { // nothing has been done: it may be tried again
		return reply, fmt.Errorf("lease service: %w (%s)", model.ErrUnavailable, err.Error())
	}
	return reply, nil
}

func fenceKind() LayerKind {
	return LayerKind{
		Name: fence{}.Name(),
		Doc:  "the called service refuses a consumer whose partitions have moved (M31)",
		Params: []Param{
			{Name: "variant", Type: OneOf, Of: "generation|lease|none|token", Default: "generation", Doc: "What tells the owners apart; lease is one without a token, which nobody but its holder checks."},
			{Name: "lease", Type: Duration, Min: "100ms", Max: "1h", Default: "10s", Doc: "How long a lease holds after its grant or last renewal."},
		},
		Check: checkFence,
		Chain: func(v Values, run sim.Duration) sim.Duration {
			if f := fenceOf(v); f.leases() {
				return run + 2*f.lease
			}
			return run
		},
		New: func(v Values) model.Layer { return fenceOf(v) },
	}
}

func fenceOf(v Values) fence { return fence{v.Word("variant"), v.Duration("lease")} }

func (f fence) leases() bool { return f.variant == "lease" || f.variant == "token" }

func checkFence(s *Site, v Values) {
	f := fenceOf(v)
	if s.commitsBefore() {
		s.Report("", "commit-before moves the position on before the handler runs, so an event that is refused here would come to nobody; use engine: commit-after")
	}
	if !f.leases() && v.Given("lease") {
		s.Report("lease", "%s takes no lease; leave it out, or use variant: token", f.variant)
	}
	if f.variant != "generation" && f.variant != "token" {
		return
	}
	for _, called := range s.Called {
		switch {
		case called.OffersFence:
		case called.CanFence:
			s.Report("", "%s refuses nobody; set downstreams.%s.fencing: offered, or use the layer { idempotency-key: {} }", called.Name, called.Name)
		default:
			s.Report("", "%s cannot refuse an earlier owner; use the layer { dedup-store: { variant: durable } }", called.Name)
		}
	}
}
