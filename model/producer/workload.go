package producer

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Workload is what the business offers. Arrivals are open-loop: they wait for nothing. All draws are keyed by
// the event, so every stack meets the same intents at the same times.
type Workload struct {
	Event    string       // noun: order gives order-117
	Interval sim.Duration // mean time between arrivals (Poisson)
	From, To sim.Time     // the chaos phase
	Keys     int          // number of business keys, at least 1
	Zipf     *rng.Zipf    // nil = uniform keys
	Amount   int64
	Kept     func(event string) bool // a reduction: nil keeps every event
}

// arrival is one intent and when it is intended to arrive.
type arrival struct {
	at      sim.Time
	message model.Message
}

// arrivals draws the list. It depends on the seed and the workload only.
func (wl *Workload) arrivals(w *sim.World) []arrival {
	var list []arrival
	at := wl.From
	for i := 1; ; i++ {
		event := fmt.Sprintf("%s-%d", wl.Event, i)
		act := w.Act(event, "", "arrival")
		at = at.Add(sim.Duration(rng.Exponential(w.Draw(rng.Arrival, act, 0), int64(wl.Interval))))
		if at >= wl.To {
			return list
		}
		if wl.Kept != nil && !wl.Kept(event) {
			continue
		}
		key := "key-" + fmt.Sprint(wl.rank(w.Draw(rng.EntityKey, act, 0)))
		list = append(list, arrival{at, model.Message{
			Intent: model.Intent{Event: event, Key: key, Correlation: event},
			Schema: "v1", Payload: event, Amount: wl.Amount,
		}})
	}
}

func (wl *Workload) rank(u uint64) int {
	if wl.Zipf != nil {
		return wl.Zipf.Rank(u) + 1
	}
	return int(rng.Below(u, uint64(wl.Keys))) + 1
}

// demand is the workload as it goes on outside of any incarnation.
type demand struct {
	workload Workload
	list     []arrival
	drawn    bool
	offered  int // of list
}

// next is the first arrival that was not offered yet; nil = none.
func (d *demand) next(w *sim.World) *arrival {
	if !d.drawn {
		d.list, d.drawn = d.workload.arrivals(w), true
	}
	if d.offered == len(d.list) {
		return nil
	}
	return &d.list[d.offered]
}

// offer records the intent: what the business wants, whatever the system makes of it.
func offer(p *sim.Proc, a *arrival) int64 {
	return p.Record(history.Fact{Kind: history.KindOffered, Event: a.message.Event, Key: a.message.Key,
		Until: int64(a.at), Fence: -1, Offset: -1})
}
