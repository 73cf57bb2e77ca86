package sqldoor

import (
	"context"
	"fmt"
	"sync"

	"github.com/twiceless/twiceless/model"
)

// double is a Transport without a database: it writes down what it is given, and answers what is scripted.
type double struct {
	mu     sync.Mutex
	log    []string
	script []func(ctx context.Context) (model.SQLReply, error) // answers in order; when there is none, the zero reply
}

func (d *double) Do(ctx context.Context, session string, req model.SQLRequest) (model.SQLReply, error) {
	d.mu.Lock()
	d.log = append(d.log, line(session, &req))
	answer := func(context.Context) (model.SQLReply, error) { return model.SQLReply{}, nil }
	if len(d.script) > 0 {
		answer, d.script = d.script[0], d.script[1:]
	}
	d.mu.Unlock()
	return answer(ctx)
}

func (d *double) Tell(session string, req model.SQLRequest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, "tell "+line(session, &req))
}

// line is a request in words: connection, op, arguments, and in brackets the transaction that it is in.
func line(session string, r *model.SQLRequest) string {
	s := session + " " + r.Op()
	if r.Connection != session {
		s += " of connection " + r.Connection
	}
	for _, v := range r.Args {
		s += " " + printLiteral(v)
	}
	if r.Do == model.SQLBegin {
		s += fmt.Sprint(map[model.Isolation]string{model.ReadCommitted: "", model.Serializable: " serializable"}[r.Level], map[bool]string{true: " read only"}[r.ReadOnly])
	}
	if r.Session != "" {
		s += " [" + r.Session + "]"
	}
	return s
}

// told is the log so far, which is forgotten.
func (d *double) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	log := d.log
	d.log = nil
	return log
}

// answers adds to the script: a SQLReply, an error, or a function.
func (d *double) answers(all ...any) {
	for _, a := range all {
		var f func(context.Context) (model.SQLReply, error)
		switch a := a.(type) {
		case model.SQLReply:
			f = func(context.Context) (model.SQLReply, error) { return a, nil }
		case error:
			f = func(context.Context) (model.SQLReply, error) { return model.SQLReply{}, a }
		case func(context.Context) (model.SQLReply, error):
			f = a
		default:
			panic(fmt.Sprintf("an answer of type %T", a))
		}
		d.script = append(d.script, f)
	}
}

// untilCancelled is a request that is answered by nobody.
func untilCancelled(ctx context.Context) (model.SQLReply, error) {
	<-ctx.Done()
	return model.SQLReply{}, ctx.Err()
}
