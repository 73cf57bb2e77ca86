package model

import "errors"

// Outermost wraps inner so that the first of the list is outermost.
func Outermost[T any](inner T, wraps []func(T) T) T {
	for i := len(wraps) - 1; i >= 0; i-- {
		inner = wraps[i](inner)
	}
	return inner
}

// Calls are the stages of a flow by name, each through what layers put around it; looked up only.
type Calls map[string]Call

// Compose puts around each stage what layers asked for: around is by stage, and "" is around every stage, outside of what
// is around that one.
func Compose(stages []Stage, around map[string][]func(Call) Call) Calls {
	calls := Calls{}
	for _, st := range stages {
		run := Call(func(c Ctx, _ string, m Message) (Message, error) { return st.Run(c, m) })
		calls[st.Name] = Outermost(Outermost(run, around[st.Name]), around[""])
	}
	return calls
}

// RunStages runs a message through stages; the first error ends it.
func (calls Calls) RunStages(c Ctx, m Message, stages []Stage) error {
	for _, st := range stages {
		m.Stage = st.Name
		next, err := calls[st.Name](c.With(m.Intent), st.Name, m)
		if err != nil {
			return err
		}
		m.Payload = next.Payload
	}
	return nil
}

// Handle runs each message of a batch through stages, one after the other.
func (calls Calls) Handle(stages []Stage) Batch {
	return func(c Ctx, ms []Message) []Outcome {
		out := make([]Outcome, len(ms))
		for i := range ms {
			out[i] = OutcomeOf(calls.RunStages(c, ms[i], stages))
		}
		return out
	}
}

// OutcomeOf is what becomes of a message whose handling ended with that error.
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return Outcome{}
	case errors.Is(err, ErrUndecided):
		return Outcome{Is: Park, Why: err}
	case errors.Is(err, ErrFenced): // it belongs to a later owner, who has it from the log
		return Outcome{Is: Defer, Why: err}
	}
	return Outcome{Is: Retry, Why: err}
}
