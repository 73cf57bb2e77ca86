package sim

import (
	"slices"

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
	counter [2]int32
	appends int64
	fsyncs  int64
	hookIDs [len(diskHookTable)]string
	expire  Duration // see Writeback; 0 = never
}

type diskFile struct {
	name    string
	records []string
	durable int
	torn    bool      // the last record is torn
	written []Time    // of each record, if the system writes back by itself
	syncing []*diskOp // fsyncs under way, in order
}

// diskOp is one operation of the device in flight.
type diskOp struct {
	kind diskKind
	act  Action
	then func()
	file *diskFile
	upTo int // fsync: how many records it makes durable
	bg   bool
}

type diskKind uint8

const (
	diskAppend diskKind = iota
	diskFsync
)

// diskHookTable names the hooks of a disk, by 2·kind + 1 if done.
var diskHookTable = [...]string{"append/started", "append/done", "fsync/started", "fsync/done"}

// Timing sets how long a write to the page cache and an fsync take. Both are zero at first.
func (d *Disk) Timing(append, fsync rng.Dist) { d.append, d.fsync = append, fsync }

// Writeback has the operating system write back by itself what has been in the page cache for so long: Linux does after
// about 30 s (vm.dirty_expire_centisecs). 0, the default, is never. It is to be set before anything is written, or else
// nobody knows how old that is.
func (d *Disk) Writeback(after Duration) {
	if after < 0 || after != d.expire && len(d.files) > 0 {
		panic("sim: bad or late writeback on " + d.n.name)
	}
	d.expire = after
}

// Truncate cuts a file behind its first keep records, durably and at once, as a truncation that the journal of a file
// system has taken does. What is written next follows the cut, and an fsync that is under way does not make it durable.
// A file that is shorter is left alone. keep < 0 is a bug.
func (n *Node) Truncate(name string, keep int) {
	n.w.living()
	f := n.disk.find(name)
	if keep < 0 || !n.up {
		panic("sim: bad truncation of " + name + " on " + n.name)
	}
	if f == nil || keep >= len(f.records) {
		return
	}
	f.records = f.records[:keep:keep] // whoever holds the old slice keeps what it has: the next write copies
	f.durable = min(f.durable, keep)
	if f.written != nil {
		f.written = f.written[:keep]
	}
	for _, op := range f.syncing {
		op.upTo = min(op.upTo, keep)
	}
}

// Discard takes the first records of a file away, durably and at once: whole segments that a retention deletes. To take
// more than there are is a bug. It costs the same whatever the file holds.
func (n *Node) Discard(name string, first int) {
	n.w.living()
	f := n.disk.find(name)
	if first < 0 || !n.up || f == nil && first > 0 || f != nil && first > len(f.records) {
		panic("sim: bad discard of " + name + " on " + n.name)
	}
	if f == nil || first == 0 {
		return
	}
	f.records = f.records[first:]
	f.durable = max(0, f.durable-first)
	if f.written != nil {
		f.written = f.written[first:]
	}
	for _, op := range f.syncing {
		op.upTo = max(0, op.upTo-first)
	}
}

// Written counts the records that all nodes have written to their disks.
func (w *World) Written() (records int64) {
	for _, n := range w.nodes {
		records += n.disk.appends
	}
	return records
}

// Operations counts appends and fsyncs since the start of the world.
func (d *Disk) Operations() (appends, fsyncs int64) { return d.appends, d.fsyncs }

func (d *Disk) find(name string) *diskFile {
	for _, f := range d.files {
		if f.name == name {
			return f
		}
	}
	return nil
}

func (d *Disk) file(name string) *diskFile {
	if f := d.find(name); f != nil {
		return f
	}
	f := &diskFile{name: name}
	d.files = append(d.files, f)
	return f
}

// Read returns the records of a file as a boot or a handler finds them. The caller must not change them.
func (d *Disk) Read(name string) []string {
	if f := d.find(name); f != nil {
		return f.records
	}
	return nil
}

// Append writes a record to the page cache, where it is at once visible to Read; then runs when the write has
// returned. then may be nil.
func (n *Node) Append(name, record string, act Action, then func()) {
	n.diskStart(diskAppend, act)
	f := n.disk.file(name)
	f.records = append(f.records, record)
	if n.disk.expire > 0 {
		f.written = append(f.written, n.w.now)
	}
	n.diskQueue(diskOp{kind: diskAppend, act: act, file: f, then: then})
}

// Fsync makes durable what the file holds now; then runs when that is so. A handler that acknowledges before
// then acknowledges what a power loss takes back.
func (n *Node) Fsync(name string, act Action, then func()) {
	n.diskStart(diskFsync, act)
	f := n.disk.file(name)
	n.diskQueue(diskOp{kind: diskFsync, act: act, file: f, upTo: len(f.records), then: then})
}

// diskStart begins an operation. Code that is killed at its hook unwinds here, before anything is written.
func (n *Node) diskStart(kind diskKind, act Action) {
	n.w.living()
	if !n.up {
		panic("sim: disk operation on " + n.name + ", which is down")
	}
	if kind == diskAppend {
		n.disk.appends++
	} else {
		n.disk.fsyncs++
	}
	n.diskHook(2*int(kind), act)
}

func (n *Node) diskHook(i int, act Action) {
	if n.w.hooks.active() {
		n.w.fire(&Hit{Hook: n.disk.hookIDs[i], Node: n, Event: act.Event, Stage: act.Stage})
		n.w.obey()
	}
}

// diskQueue queues the completion of one device operation. Device time is keyed by the action it belongs to, or by
// the node and a counter.
func (n *Node) diskQueue(o diskOp) {
	d, w := &n.disk, n.w
	time, key, purpose := d.append, o.act, rng.DiskTime
	if o.kind == diskFsync {
		time = d.fsync
	}
	if key.hash == 0 {
		d.counter[o.kind]++
		key, purpose = backgroundAct(rng.Combine(n.hash, 0xD15C), uint64(o.kind), d.counter[o.kind]), rng.Background
	}
	took := Duration(time.Quantile(w.Draw(purpose, key, uint32(o.kind))))
	d.busy = max(d.busy, w.now).Add(took)
	o.bg = n.background()
	op := w.newDiskOp()
	*op = o
	if o.kind == diskFsync {
		o.file.syncing = append(o.file.syncing, op)
	}
	slot := w.alloc()
	e := &w.events[slot]
	e.kind, e.what, e.node, e.inc, e.background, e.word = evDisk, op, n, n.incarnation, o.bg, uint64(o.kind)
	w.schedule(slot, d.busy, PhaseDeliver, 0)
}

// diskDone completes an operation: what was fsynced is durable, whatever its hook does to the node.
func (n *Node) diskDone(op *diskOp) {
	if f := op.file; op.kind == diskFsync {
		f.durable = max(f.durable, op.upTo)
		i := slices.Index(f.syncing, op)
		f.syncing = slices.Delete(f.syncing, i, i+1)
	}
	if n.w.hooks.active() {
		n.w.guarded(n, func() { n.diskThen(op) })
	} else {
		n.diskThen(op)
	}
	n.w.freeDiskOp(op)
}

func (n *Node) diskThen(op *diskOp) {
	n.diskHook(2*int(op.kind)+1, op.act)
	bg, then := op.bg, op.then
	switch {
	case then == nil:
	case n.paused: // at that hook
		n.later(bg, func() { n.inBackground(bg, then) })
	default:
		n.inBackground(bg, then)
	}
}

// inBackground runs code of the handler whose consequences are background, or not.
func (n *Node) inBackground(bg bool, fn func()) {
	n.bg = bg
	fn()
	n.bg = false
}

func (w *World) newDiskOp() *diskOp {
	if k := len(w.diskOps); k > 0 {
		op := w.diskOps[k-1]
		w.diskOps = w.diskOps[:k-1]
		return op
	}
	return &diskOp{}
}

func (w *World) freeDiskOp(op *diskOp) {
	*op = diskOp{}
	w.diskOps = append(w.diskOps, op)
}

// records counts those of all files, the page cache included; -1 when nothing was ever written.
func (d *Disk) records() int64 {
	if len(d.files) == 0 {
		return -1
	}
	n := 0
	for _, f := range d.files {
		n += len(f.records)
	}
	return int64(n)
}

// dropPageCache is the planted bug KillDropsPageCache.
func (d *Disk) dropPageCache() {
	for _, f := range d.files {
		f.records = slices.Clone(f.records[:f.durable])
		if f.written != nil {
			f.written = f.written[:f.durable]
		}
	}
}

// losePower drops what was not durable: a drawn number of records survives anyway, the last of them may be torn.
func (d *Disk) losePower() {
	for _, f := range d.files {
		d.writtenBack(f)
		volatile := len(f.records) - f.durable
		if volatile == 0 {
			continue
		}
		act := backgroundAct(rng.Combine(d.n.hash, rng.Hash(f.name)), 1, d.n.incarnation)
		kept := int(rng.Below(d.n.w.Draw(rng.Torn, act, 0), uint64(volatile)+1))
		f.records = slices.Clone(f.records[:f.durable+kept]) // the dead instance may still hold the old slice
		if kept > 0 && d.n.w.Draw(rng.Torn, act, 1)&1 == 0 {
			last := f.records[len(f.records)-1]
			f.records[len(f.records)-1] = last[:len(last)/2]
			f.torn = true
		}
		f.durable = len(f.records) // what is on the platter after the power comes back is durable
		if f.written != nil {
			f.written = f.written[:f.durable]
		}
	}
}

// writtenBack counts as durable what the system has written back by now.
func (d *Disk) writtenBack(f *diskFile) {
	for d.expire > 0 && f.durable < len(f.written) && f.written[f.durable].Add(d.expire) <= d.n.w.now {
		f.durable++
	}
}

// recover is what a boot does first: a record that fails its checksum is cut off.
func (d *Disk) recover() (torn int) {
	for _, f := range d.files {
		if f.torn {
			f.records = slices.Clip(f.records[:len(f.records)-1])
			if f.written != nil {
				f.written = f.written[:len(f.records)]
			}
			f.torn = false
			torn++
		}
		f.durable = min(f.durable, len(f.records))
	}
	return torn
}

// reset forgets operations in flight: their completions belong to an instance that is no more.
func (d *Disk) reset() {
	d.busy = 0
	for _, f := range d.files {
		f.syncing = f.syncing[:0]
	}
}

// Held records that, at the end, this node's store still holds an event. how: queue, pending, done or parked.
func (n *Node) Held(event, stage, resource, how string, offset int64) int64 {
	return n.Record(history.Fact{Kind: history.KindHeld, Event: event, Stage: stage, Resource: resource, Op: how, Offset: offset, Fence: -1})
}
