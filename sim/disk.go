package sim

import (
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Disk holds named append-only files of records. A write goes to the page cache; Fsync makes what was written
// before it durable. A kill keeps the page cache; a power loss keeps what was fsynced, a drawn number of the
// records after it, and perhaps one record torn in the middle, which the next boot cuts off.
type Disk struct {
	n       *Node
	files   []*diskFile
	append  rng.Dist
	fsync   rng.Dist
	busy    Time // the device serves one operation after the other
	counter int32
	appends int64
	fsyncs  int64
}

type diskFile struct {
	name    string
	records []string
	durable int
	torn    bool // the last record is torn
}

// Timing sets how long a write to the page cache and an fsync take. Both are zero at first.
func (d *Disk) Timing(append, fsync rng.Dist) { d.append, d.fsync = append, fsync }

// Operations counts appends and fsyncs since the start of the world.
func (d *Disk) Operations() (appends, fsyncs int64) { return d.appends, d.fsyncs }

func (d *Disk) file(name string) *diskFile {
	for _, f := range d.files {
		if f.name == name {
			return f
		}
	}
	f := &diskFile{name: name}
	d.files = append(d.files, f)
	return f
}

// Read returns the records of a file as a boot or a handler finds them. The caller must not change them.
func (d *Disk) Read(name string) []string { return d.file(name).records }

// Append writes a record to the page cache, where it is at once visible to Read; then runs when the write has
// returned. then may be nil.
func (n *Node) Append(name, record string, act Action, then func()) {
	d := &n.disk
	d.appends++
	if n.diskHook("append", "started", act) {
		return
	}
	f := d.file(name)
	f.records = append(f.records, record)
	n.diskOp(d.append, act, "append", then)
}

// Fsync makes durable what the file holds now; then runs when that is so. A handler that acknowledges before
// then acknowledges what a power loss takes back.
func (n *Node) Fsync(name string, act Action, then func()) {
	d := &n.disk
	d.fsyncs++
	if n.diskHook("fsync", "started", act) {
		return
	}
	f := d.file(name)
	upTo := len(f.records)
	n.diskOp(d.fsync, act, "fsync", func() {
		f.durable = max(f.durable, upTo)
		if then != nil {
			then()
		}
	})
}

// diskHook fires a hook of the disk and reports whether the node died in it.
func (n *Node) diskHook(what, step string, act Action) bool {
	if n.w.hooks.byID == nil && n.w.hooks.observer == nil {
		return false
	}
	inc := n.incarnation
	n.w.fire(&Hit{Hook: n.role + ".disk." + what + "/" + step, Node: n, Event: act.Event, Stage: act.Stage})
	return !n.up || n.incarnation != inc
}

// diskOp queues the completion of one device operation. Device time is keyed by the action it belongs to, or by
// the node and a counter.
func (n *Node) diskOp(time rng.Dist, act Action, what string, then func()) {
	d, w := &n.disk, n.w
	key, purpose := act, rng.DiskTime
	if key.hash == 0 {
		d.counter++
		key, purpose = backgroundAct(rng.Combine(n.hash, 0xD15C), 0, d.counter), rng.Background
	}
	step := uint32(0)
	if what == "fsync" {
		step = 1
	}
	took := Duration(time.Quantile(w.Draw(purpose, key, step)))
	d.busy = max(d.busy, w.now).Add(took)
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.node, e.inc, e.background, e.word = evDisk, n, n.incarnation, n.bg, uint64(step)
	bg := n.bg
	e.fn = func() {
		if n.diskHook(what, "done", act) || then == nil {
			return
		}
		n.bg = bg
		then()
		n.bg = false
	}
	w.schedule(slot, d.busy, PhaseDeliver, 0)
}

// losePower drops what was not durable: a drawn number of records survives anyway, the next may be torn.
func (d *Disk) losePower() {
	for i, f := range d.files {
		volatile := len(f.records) - f.durable
		if volatile == 0 {
			continue
		}
		act := backgroundAct(rng.Combine(d.n.hash, uint64(i)), 1, d.n.incarnation)
		kept := int(rng.Below(d.n.w.Draw(rng.Torn, act, 0), uint64(volatile)+1))
		f.records = f.records[:f.durable+kept]
		if kept > 0 && d.n.w.Draw(rng.Torn, act, 1)&1 == 0 {
			last := f.records[len(f.records)-1]
			f.records[len(f.records)-1] = last[:len(last)/2]
			f.torn = true
		}
		f.durable = len(f.records) // what is on the platter after the power comes back is durable
	}
}

// recover is what a boot does first: a record that fails its checksum is cut off.
func (d *Disk) recover() (torn int) {
	for _, f := range d.files {
		if f.torn {
			f.records = f.records[:len(f.records)-1]
			f.torn = false
			torn++
		}
		f.durable = min(f.durable, len(f.records))
	}
	return torn
}

// reset forgets operations in flight: their completions belong to an instance that is no more.
func (d *Disk) reset() { d.busy = 0 }

// Held records that, at the end, this node's store still holds an event. how: queue, pending, done or parked.
func (n *Node) Held(event, stage, resource, how string, offset int64) int64 {
	return n.Record(history.Fact{Kind: history.KindHeld, Event: event, Stage: stage, Resource: resource, Op: how, Offset: offset, Fence: -1})
}
