package stack

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// The two variants of the dedup store that keep something in the consumer's own process.
//
//	cache           the process alone: no call, no wait; what it knows is gone when it stops, and no other member of
//	                the group ever knew it. A repetition after a crash or a rebalance is applied again
//	cached-durable  what this process has seen done is skipped without asking; everything else goes to the durable
//	                store. As safe as that one, because the cache only ever says "done" of what was done
const (
	inProcess = "cache"
	inFront   = "cached-durable"
)

// objectOfProcess is the kind of judged object that a table in a process is: each process has its own.
const objectOfProcess = "cache"

type recordName struct{ event, stage string }

// table is the cache of one process: which records are pending (false) or done (true). There are no tokens: the
// process is the only one that asks, and asks for one thing at a time.
type table map[recordName]bool

// tables are those of all processes.
type tables struct{ *memory[table] }

func newTables() tables { return tables{newMemory(func() table { return table{} })} }

// ask performs one operation on the table of the process.
func (t tables) ask(c model.Ctx, op, token string, m model.Message) (string, error) {
	invoke := history.Fact{Kind: history.KindInvoke, Resource: objectOfProcess + "/" + c.Intent().Event + "/" + c.Intent().Stage, Op: op,
		Value: token, Cause: m.Cause, Fence: -1, Offset: -1}
	complete := invoke
	complete.Kind, complete.Cause, complete.Outcome = history.KindComplete, c.Record(invoke), history.Acked
	complete.Value = t.of(c).decide(op, recordName{c.Intent().Event, c.Intent().Stage})
	c.Record(complete)
	return complete.Value, nil
}

func (t table) decide(op string, name recordName) string {
	done, known := t[name]
	switch {
	case op == opClaim && !known:
		t[name] = false
		return "granted"
	case op == opClaim && done:
		return isDone
	case op == opClaim:
		return pending
	case op == opRelease:
		delete(t, name)
	default:
		t[name] = true
	}
	return "ok"
}

// front skips what this process has seen done, and lets everything else through to what is behind.
func (t tables) front(behind model.Call) model.Call {
	return func(c model.Ctx, stage string, m model.Message) (model.Message, error) {
		name := recordName{c.Intent().Event, c.Intent().Stage}
		if t.of(c)[name] {
			suppressed(c, objectOfProcess, m)
			return m, nil
		}
		reply, err := behind(c, stage, m)
		if err == nil {
			t.of(c)[name] = true
		}
		return reply, err
	}
}
