package downstream

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// transacted is what one transaction of a database read and wrote. That of a commit is part of its record, so that a boot
// can state what a stop has kept from being stated. Nobody reads what is not committed, so of those that were rolled back
// there is nothing to tell.
type transacted struct {
	store        string // rows or sql, which number their commits each for itself; "" = there is nothing to tell
	level        model.Isolation
	commit       int64 // -1 = it wrote nothing
	accesses     string
	event, stage string
	cause        int64
}

// The stores of a database.
const (
	storeRows = "rows"
	storeSQL  = "sql"
)

// newTransacted tells of a transaction with a write or several reads: a single read has no others to fit with.
func newTransacted(store string, level model.Isolation, commit int64, all []history.Access, by sim.Action, cause int64) transacted {
	writes := slices.ContainsFunc(all, func(a history.Access) bool { return a.Write })
	if !writes && len(all) < 2 {
		return transacted{}
	}
	if !writes {
		commit = -1
	}
	return transacted{store, level, commit, history.Accesses(all), by.Event, by.Stage, cause}
}

// transacted records the fact, if there is something to tell.
func (s *service) transacted(t *transacted) {
	if t.store != "" {
		s.n.Record(history.Fact{Kind: history.KindTransacted, Event: t.event, Stage: t.stage, Resource: s.cfg.Service + "/" + t.store, Op: t.level.String(),
			Value: t.accesses, Offset: t.commit, Outcome: history.Acked, Cause: t.cause, Fence: -1})
	}
}

func (t *transacted) append(b []byte) []byte {
	for _, s := range [...]string{t.store, t.accesses, t.event, t.stage} {
		b = model.AppendText(b, s)
	}
	for _, n := range [...]int64{int64(t.level), t.commit, t.cause} {
		b = model.AppendNumber(b, n)
	}
	return b
}

func (t *transacted) take(in *model.Fields) {
	t.store, t.accesses, t.event, t.stage = in.Text(), in.Text(), in.Text(), in.Text()
	t.level, t.commit, t.cause = model.Isolation(in.Number()), in.Number(), in.Number()
}

// told is what a round of a general transaction tells: the versions of the rounds before it, as its client says that it
// has read them, what it reads itself, and what it writes. A row that it inserts it has not read.
func (s *database) told(r *sim.Request, t *model.TxnRequest) transacted {
	var all []history.Access
	for _, v := range t.Versions {
		all = append(all, history.Access{Object: v.Key, Version: v.Version})
	}
	for _, key := range t.Reads {
		all = append(all, history.Access{Object: key, Version: s.rows[key].Version})
	}
	for _, w := range t.Writes {
		if !slices.ContainsFunc(all, func(a history.Access) bool { return a.Write && a.Object == w.Key }) {
			all = append(all, history.Access{Write: true, Object: w.Key, Before: s.rows[w.Key].Version, Version: s.commits + 1})
		}
	}
	return newTransacted(storeRows, t.Level, s.commits+1, all, r.Action, r.Fact)
}

// toldSQL is what an SQL transaction tells that is about to commit.
func (s *database) toldSQL(st *sqlStatement, t *Transaction) transacted {
	return newTransacted(storeSQL, t.Level, s.sql.engine.commits+1, s.sql.engine.Accesses(t), st.r.Action, st.r.Fact)
}
