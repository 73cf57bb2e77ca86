package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// The store of stage records. complete says that the stage of its intent is done, with the stage's result as Payload;
// recall answers with all that is recorded of an event, as netstrings: stage, result, stage, result …
const (
	StagesService = "stages"
	OpComplete    = "complete"
	OpRecall      = "recall"
)

// stagesFile is the name of its only file: the records, in order.
const stagesFile = "stages"

// stages keeps which stages of an event are done. It does not claim: a record is made after its effect, so between the
// two there is a gap that this store knows nothing of. The first result of a stage stands; a repetition of complete is
// answered and changes nothing. An answer rests on the disk. Different events wait for each other only at the disk.
type stages struct {
	door
	cfg  Config
	done map[string][]stageRecord // by event; looked up only
}

type stageRecord struct{ stage, result string }

func newStages(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &stages{cfg: cfg, done: map[string][]stageRecord{}}
		n.Disk().Timing(cfg.Append, cfg.Fsync)
		s.open(n, stagesFile, s.load, s.arrive)
		return s
	}
}

func (s *stages) load() {
	for _, line := range s.n.Disk().Read(stagesFile) {
		in, ok := model.Open(line)
		event, rec := in.Text(), stageRecord{in.Text(), in.Text()}
		if !ok || in.Bad {
			panic("store: damaged stage record " + strconv.Quote(line))
		}
		s.keep(event, rec)
	}
}

func (s *stages) keep(event string, rec stageRecord) {
	if !s.has(event, rec.stage) {
		s.done[event] = append(s.done[event], rec)
	}
}

func (s *stages) has(event, stage string) bool {
	return slices.ContainsFunc(s.done[event], func(r stageRecord) bool { return r.stage == stage })
}

// arrive lets a request take its service time.
func (s *stages) arrive(r *sim.Request) {
	s.serve(r, s.cfg.Latency, func() { s.execute(r) })
}

func (s *stages) execute(r *sim.Request) {
	m := r.Body.(model.Message)
	switch op := strings.TrimPrefix(r.Op, StagesService+"."); op {
	case OpRecall:
		var b []byte
		for _, rec := range s.done[m.Event] {
			b = model.AppendText(model.AppendText(b, rec.stage), rec.result)
		}
		r.Reply(model.Message{Intent: m.Intent, Payload: string(b)}, 0)
	case OpComplete:
		if s.has(m.Event, m.Stage) {
			r.Reply(model.Message{Intent: m.Intent, Payload: OK}, 0)
			return
		}
		s.write(r, &m)
	default:
		panic("store: no operation " + op)
	}
}

// write makes a record durable before anybody can recall it.
func (s *stages) write(r *sim.Request, m *model.Message) {
	rec := stageRecord{m.Stage, m.Payload}
	line := model.AppendText(model.AppendText(model.AppendText(nil, m.Event), rec.stage), rec.result)
	s.n.Append(stagesFile, model.Seal(line), r.Action, nil)
	if !r.Alive() {
		return
	}
	s.n.Fsync(stagesFile, r.Action, func() {
		s.keep(m.Event, rec)
		r.Applied()
		if r.Alive() {
			r.Reply(model.Message{Intent: m.Intent, Payload: OK}, 0)
		}
	})
}
