package stack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// idempotencyKey sends a key made from event and stage with every call of a critical effect, and asks the called
// service to keep it. The service then answers a repetition with the first result. The price: the service remembers,
// and when it has forgotten (KeepKeys, on its wall clock) the repetition is a new request.
//
// Counterexamples, which a file may state to show what they cost:
//
//	attempt   changes with every run of the handler: a reply that was lost is charged again by the retry. A
//	          redelivery counts its attempts from the beginning, so it is recognised, by accident
//	record    is where the event lies in the log: redeliveries are recognised, an event that was published twice is not
//	delivery  changes with every delivery, as a receipt handle or a delivery tag does: retries in place are
//	          recognised, redeliveries are not
type idempotencyKey struct {
	from []string // of attempt, delivery, event, record, stage
	sets bool     // the keeping time of the service; otherwise the service has its own
	keep sim.Duration
}

func (idempotencyKey) Name() string { return "idempotency-key" }
func (idempotencyKey) Needs() []model.Capability {
	return []model.Capability{model.EventID, model.ServiceKey}
}
func (idempotencyKey) Gives() []model.Capability { return nil }

// Install wraps every critical effect and sets the service half.
func (k idempotencyKey) Install(a model.Assembly, f model.Flow) {
	for _, s := range f.Stages {
		if s.Class != history.Critical {
			continue
		}
		a.AtService(s.Service, k.offer)
		a.OnStage(s.Name, func(inner model.Call) model.Call {
			return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
				m.IdempotencyKey = k.key(c, m, stage)
				return inner(c, stage, m)
			}
		})
	}
}

// offer is the service half.
func (k idempotencyKey) offer(o *model.Offer) {
	o.Keys = true
	if k.sets {
		o.KeepKeys = k.keep
	}
}

// key is the same for every try of one intent.
func (k idempotencyKey) key(c model.Ctx, m model.Message, stage string) string {
	parts := make([]string, 0, len(k.from)+1)
	if c.Planted(model.AttemptDerivedKey) {
		parts = append(parts, strconv.Itoa(m.Attempt))
	}
	for _, part := range k.from {
		switch part {
		case "attempt":
			parts = append(parts, strconv.Itoa(m.Attempt))
		case "delivery":
			parts = append(parts, strconv.FormatInt(m.Cause, 10)) // the fact that opened it stands for its handle
		case "event":
			parts = append(parts, m.Event)
		case "record":
			parts = append(parts, model.PartitionName(m.Topic, m.Partition)+"@"+strconv.FormatInt(m.Offset, 10))
		case "stage":
			parts = append(parts, stage)
		default:
			panic("stack: key part " + part)
		}
	}
	return strings.Join(parts, "/")
}

func idempotencyKeyKind() LayerKind {
	return LayerKind{
		Name: idempotencyKey{}.Name(),
		Doc:  "the called service recognises a repetition by a key (M28)",
		Params: []Param{
			{Name: "from", Type: SomeOf, Of: "attempt|delivery|event|record|stage", Default: "event,stage", Doc: "What the key is made of. One with attempt or delivery changes with every try and recognises little or nothing."},
			{Name: "keep", Type: Duration, Min: "0s", Max: "87840h", Doc: "How long the service keeps keys for this stack; by default its keep_keys. 0 = for ever."},
		},
		Check: checkIdempotencyKey,
		Keeps: func(v Values) Keeping {
			if from := v.Words("from"); slices.Contains(from, "delivery") || len(from) == 0 {
				return KeepsNothing
			}
			return KeepsDurably // by the called service
		},
		New: func(v Values) model.Layer {
			k := idempotencyKey{from: v.Words("from"), sets: v.Given("keep")}
			if k.sets {
				k.keep = v.Duration("keep")
			}
			return k
		},
	}
}

func checkIdempotencyKey(s *Site, v Values) {
	checkKeyFrom(s, v.Words("from"))
	for _, called := range s.Called {
		if called.TakesKeys && called.OffersKeys {
			checkKeep(s, v, called)
		}
	}
	checkKeysTaken(s)
}

// checkKeysTaken: some service that a critical effect calls takes keys, and each that could does.
func checkKeysTaken(s *Site) {
	var could, offered []string
	for _, called := range s.Called {
		switch {
		case !called.TakesKeys:
		case !called.OffersKeys:
			could = append(could, called.Name)
		default:
			offered = append(offered, called.Name)
		}
	}
	const store = "use the layer { dedup-store: { variant: durable } }"
	switch {
	case len(could) > 0:
		s.Report("", "%s takes no key; set downstreams.%s.idempotency_keys: offered, or %s", could[0], could[0], store)
	case len(offered) == 0:
		s.Report("", "no service that a critical effect calls can take a key; %s", store)
	}
}

func checkKeyFrom(s *Site, from []string) {
	if len(from) == 0 {
		s.Report("from", "empty; want [event, stage]")
	}
	for i, part := range from {
		if slices.Index(from, part) < i {
			s.Report(fmt.Sprintf("from[%d]", i), "%s is there already", part)
		}
	}
}

// checkKeep: a stack cannot ask a service to remember longer than it does.
func checkKeep(s *Site, v Values, called Service) {
	if !v.Given("keep") || called.KeepKeys == 0 {
		return
	}
	if keep := v.Duration("keep"); keep == 0 || keep > called.KeepKeys {
		s.Report("keep", "longer than %s keeps keys, %s", called.Name, called.KeepKeys)
	}
}
