package broker

import "github.com/twiceless/twiceless/sim"

// retain arms the leader's scan, at a multiple of the period of scans, when the first thing below the high watermark will be too
// old or there is too much, or sooner than it was armed for: the wall clock may have stepped. Idle logs that keep everything have
// no timer.
func (rep *replica) retain() {
	t, held := rep.topic.cfg, rep.log.High()-rep.log.Start()
	tooMany := t.RetentionRecords > 0 && held > t.RetentionRecords
	if rep.role != leading || held == 0 || t.Retention == 0 && !tooMany {
		return
	}
	n, period := rep.b.n, rep.b.cfg.RetentionScan
	due := n.Now()
	if !tooMany {
		due = due.Add(max(0, rep.log.Batches()[0].Time.Add(t.Retention).Sub(n.Wall())))
	}
	due = due.Add(period - sim.Duration(due)%period)
	if rep.retaining && rep.scanAt <= due {
		return
	}
	n.Cancel(rep.scan)
	rep.retaining, rep.scanAt = true, due
	rep.scan = n.AfterBackground(due.Sub(n.Now()), func() {
		rep.retaining = false
		if rep.role == leading {
			rep.drop(rep.retainFrom())
			rep.retain()
		}
	})
}

// retainFrom is the offset before which everything may go, whole batches below the high watermark.
func (rep *replica) retainFrom() int64 {
	t, from := rep.topic.cfg, rep.log.Start()
	if t.RetentionRecords > 0 {
		from = max(from, rep.log.High()-t.RetentionRecords)
	}
	if t.Retention > 0 {
		oldest := rep.b.n.Wall().Add(-t.Retention)
		for _, b := range rep.log.Batches() {
			if b.Time > oldest {
				break
			}
			from = max(from, b.Next())
		}
	}
	return from
}

// drop takes away what lies wholly before an offset, from the log and from the disk. Followers do as their leader did. Where an
// empty log begins its file does not say: that is written down first.
func (rep *replica) drop(before int64) {
	k := rep.log.DropBefore(before)
	if k == 0 {
		return
	}
	if rep.log.Start() == rep.log.End() {
		rep.b.checkpoints.write(rep.b)
	} else {
		rep.b.checkpoints.changed(rep.b)
	}
	rep.b.n.Discard(rep.file, k)
}

// expireProducers forgets producers as the periodic scan would have by now: looking only when somebody asks leaves no
// timer in idle time.
func (rep *replica) expireProducers(now sim.Time) {
	if scan := now - now%sim.Time(rep.b.cfg.ProducerScan); scan > rep.expired {
		rep.expired = scan
		rep.log.ExpireProducers(scan, rep.b.cfg.ProducerExpiry)
	}
}
