package raft

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// The disk of a member holds the log, one sealed record an entry, and the file of terms and votes, whose last record counts.
const (
	logFile  = "raft/log"
	termFile = "raft/term"
)

// disk is what is known of it.
type disk struct {
	stable  int64 // entries up to here count: see Config.SyncEvery
	written int64 // entries up to here are in the page cache, and their append has returned
	syncing bool
	upTo    int64 // what the fsync under way makes durable
	durable int64
	timer   bool // the next fsync of an interval is due some time

	saving int // terms that are not durable yet
	then   []func()
}

// cut forgets what is said of entries behind an index.
func (d *disk) cut(keep int64) {
	d.stable, d.written, d.upTo, d.durable = min(d.stable, keep), min(d.written, keep), min(d.upTo, keep), min(d.durable, keep)
}

func (d *disk) termSaved() bool { return d.saving == 0 }

// onTerm runs when the present term and vote are durable.
func (d *disk) onTerm(then func()) {
	if d.saving == 0 {
		then()
		return
	}
	d.then = append(d.then, then)
}

// load reads what an incarnation before has left. What is in the page cache after a kill counts as stable only after an
// fsync, or at once where that is the policy.
func (r *Raft) load() {
	r.log = ReadLog(r.n.Disk(), r.machine.Decode)
	for _, record := range r.n.Disk().Read(termFile) {
		if in, ok := model.Open(record); ok {
			r.term, r.voted = in.Number(), int(in.Number())
		}
	}
	r.disk.written = r.Last()
	if r.Last() > 0 {
		r.sync(sim.Action{})
	}
	if r.alive() && r.term > 0 {
		r.disk.saving++
		r.n.Fsync(termFile, sim.Action{}, r.savedTerm)
	}
}

// ReadLog is the log that a disk holds, as far as it is whole: also that of a node that is down.
func ReadLog(d *sim.Disk, decode func(raw string) Command) (log []Entry) {
	for _, record := range d.Read(logFile) {
		in, ok := model.Open(record)
		if !ok {
			break
		}
		e := Entry{Term: in.Number(), record: record}
		if raw := in.Text(); raw != "" {
			e.Command = decode(raw)
		}
		log = append(log, e)
	}
	return log
}

// saveTerm writes term and vote down.
func (r *Raft) saveTerm() {
	r.disk.saving++
	r.n.Append(termFile, model.Seal(model.AppendNumber(model.AppendNumber(nil, r.term), int64(r.voted))), sim.Action{}, nil)
	if r.alive() {
		r.n.Fsync(termFile, sim.Action{}, r.savedTerm)
	}
}

func (r *Raft) savedTerm() {
	if r.disk.saving--; r.disk.saving > 0 {
		return
	}
	then := r.disk.then
	r.disk.then = nil
	for _, fn := range then {
		fn()
		if !r.alive() {
			return
		}
	}
	r.flush()
}

// write puts an entry into the page cache.
func (r *Raft) write(index int64, act sim.Action) {
	e := &r.log[index-1]
	var then func()
	if r.cfg.SyncEvery > 0 {
		term := e.Term
		then = func() { r.wrote(index, term) }
	}
	r.n.Append(logFile, e.record, act, then)
}

// wrote is that an append has returned. An entry that was cut meanwhile counts for nothing.
func (r *Raft) wrote(index, term int64) {
	if index <= r.Last() && r.termAt(index) == term {
		r.disk.written = max(r.disk.written, index)
		r.counts(index)
	}
}

// sync has the log become durable: at once, by one fsync for all that has been written when it begins, or at the end of
// the interval.
func (r *Raft) sync(act sim.Action) {
	d := &r.disk
	switch {
	case r.cfg.SyncEvery > 0:
		if d.written > d.stable {
			r.counts(d.written)
		}
		if !d.timer && r.alive() {
			d.timer = true
			r.n.AfterBackground(r.cfg.SyncEvery, func() {
				d.timer = false
				r.fsync(sim.Action{})
			})
		}
	case !d.syncing:
		r.fsync(act)
	}
}

func (r *Raft) fsync(act sim.Action) {
	r.disk.syncing, r.disk.upTo = true, r.Last()
	r.n.Fsync(logFile, act, r.after.fsynced)
}

func (r *Raft) fsynced() {
	d := &r.disk
	d.syncing = false
	d.durable = max(d.durable, d.upTo)
	if r.cfg.SyncEvery > 0 {
		return
	}
	if d.durable < r.Last() {
		r.fsync(sim.Action{})
		if !r.alive() {
			return
		}
	}
	r.counts(d.durable)
}

// counts is that the log is stable up to an index.
func (r *Raft) counts(index int64) {
	r.disk.stable = max(r.disk.stable, index)
	r.flush()
	if r.alive() {
		r.advance()
	}
}
