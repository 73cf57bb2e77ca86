package stack

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// stageRecord writes down after each stage that it is done, with its result, and skips on a repetition what is written:
// the flow goes on at its first incomplete stage. Pure stages are computed again, that costs nothing and moves nothing.
//
// What it removes: repetitions because a later stage failed. What remains is the gap between an effect and its record:
// an effect whose reply is lost, or whose consumer dies before the record, is applied again. So it does not replace
// keys or a dedup store; it goes well with them.
//
//	memory   the record is in the consumer's process, for retries in place; a redelivery to another consumer, or after a
//	         kill, begins again at the first stage
//	durable  the record is in a store, which a delivery asks once before its first stage. While the store is away
//	         nothing begins; a record that cannot be written is kept in the process only
type stageRecord struct {
	variant string
}

func (stageRecord) Name() string { return "stage-record" }
func (r stageRecord) Needs() []model.Capability {
	if r.variant == "durable" {
		return []model.Capability{model.EventID, model.StoreStages}
	}
	return []model.Capability{model.EventID}
}
func (stageRecord) Gives() []model.Capability { return nil }

// StagesService is the name of the store's service and role.
const StagesService = "stages"

// progress is what a process knows of one event.
type progress struct {
	delivery int64             // for which the store was asked; 0 = never
	results  map[string]string // of the stages that are done; looked up only
}

// Install wraps every stage that calls somebody.
func (r stageRecord) Install(a model.Assembly, f model.Flow) {
	if r.variant == "durable" {
		a.Store(model.StoreSpec{Kind: "stage-records", Name: StagesService})
	}
	known := newMemory(func() map[string]*progress { return map[string]*progress{} })
	for _, s := range f.Stages {
		if s.Kind == model.Pure {
			continue
		}
		a.OnStage(s.Name, func(inner model.Call) model.Call {
			return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
				p, err := r.recall(c, known.of(c), m)
				if err != nil {
					return m, err
				}
				if result, done := p.results[stage]; done {
					if s.Kind == model.Effect {
						c.Record(history.Fact{Kind: history.KindSuppressed, Resource: r.where(), Op: stage, Cause: m.Cause, Note: "stage record: done", Fence: -1, Offset: -1})
					}
					m.Payload = result
					return m, nil
				}
				reply, err := inner(c, stage, m)
				if err == nil {
					r.complete(c, p, stage, reply.Payload, m.Cause)
				}
				return reply, err
			}
		})
	}
}

// where the record is kept, as facts name it.
func (r stageRecord) where() string {
	if r.variant == "durable" {
		return StagesService
	}
	return objectOfProcess
}

// recall is what is known of the event; the store is asked once in a delivery.
func (r stageRecord) recall(c model.Ctx, known map[string]*progress, m model.Message) (*progress, error) {
	p := known[m.Event]
	if p == nil {
		p = &progress{results: map[string]string{}}
		known[m.Event] = p
	}
	if r.variant != "durable" || p.delivery == m.Cause {
		return p, nil
	}
	reply, err := c.Call(StagesService, "recall", model.Message{Cause: m.Cause})
	if err != nil { // nothing has been done: it may be tried again
		return nil, fmt.Errorf("stage records: %w (%s)", model.ErrUnavailable, err.Error())
	}
	for in := (model.Fields{Rest: reply.Payload}); in.More(); {
		stage := in.Text()
		p.results[stage] = in.Text()
	}
	p.delivery = m.Cause
	return p, nil
}

// complete makes the record. An error of the record is no error of the stage.
func (r stageRecord) complete(c model.Ctx, p *progress, stage, result string, cause int64) {
	p.results[stage] = result
	if r.variant != "durable" {
		return
	}
	for try := 1; ; try++ {
		_, err := c.Call(StagesService, "complete", model.Message{Payload: result, Cause: cause})
		if err == nil || try == storeTries {
			return
		}
		c.Sleep(storePause)
	}
}

func stageRecordKind() LayerKind {
	return LayerKind{
		Name: stageRecord{}.Name(),
		Doc:  "what is done is written down stage by stage, and a repetition goes on at the first incomplete stage (M27)",
		Params: []Param{
			{Name: "variant", Type: OneOf, Of: "durable|memory", Default: "durable", Doc: "Where the record is kept: in a store, or in the consumer's process."},
		},
		Check: func(s *Site, _ Values) {
			if s.commitsBefore() {
				s.Report("", "commit-before never runs an event twice, so no stage is ever skipped; use engine: commit-after")
			}
		},
		Keeps: func(v Values) Keeping {
			if v.Word("variant") == "memory" {
				return KeepsInProcess
			}
			return KeepsDurably
		},
		New: func(v Values) model.Layer { return stageRecord{v.Word("variant")} },
	}
}
