package stack

import (
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// idempotencyKey sends a key made from event and stage with every call of a critical effect, and asks the called
// service to keep it. The service then answers a repetition with the first result. The key never contains an
// attempt: such a key recognises nothing.
type idempotencyKey struct{ p Params }

func newIdempotencyKey(p Params) model.Layer { return idempotencyKey{p} }

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
		a.AtService(s.Service, func(o *model.Offer) { o.Keys, o.KeepKeys = true, k.p.Keep })
		a.OnStage(s.Name, func(inner model.Call) model.Call {
			return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
				m.IdempotencyKey = k.key(m, stage)
				return inner(c, stage, m)
			}
		})
	}
}

func (k idempotencyKey) key(m model.Message, stage string) string {
	parts := make([]string, 0, len(k.p.KeyFrom))
	for _, part := range k.p.KeyFrom {
		switch part {
		case "event":
			parts = append(parts, m.Event)
		case "stage":
			parts = append(parts, stage)
		default:
			panic("stack: key part " + part)
		}
	}
	return strings.Join(parts, "/")
}
