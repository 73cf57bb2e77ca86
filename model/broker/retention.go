package broker

import "github.com/twiceless/twiceless/sim"

// retain arms the leader's next look at what is too old or too much, while there is anything that will be: at a multiple of the
// period of its scan. Idle logs that keep everything have no timer.
func (rep *replica) retain() {
	t := rep.topic.cfg
	if t.Retention == 0 && t.RetentionRecords == 0 || rep.retaining || rep.role != leading {
		return
	}
	batches := rep.log.Batches()
	if len(batches) == 0 {
		return
	}
	n, period := rep.b.n, rep.b.cfg.RetentionScan
	wait := sim.Duration(0)
	if t.RetentionRecords == 0 || rep.log.High()-rep.log.Start() <= t.RetentionRecords {
		if t.Retention == 0 {
			return
		}
		wait = max(0, batches[0].Time.Add(t.Retention).Sub(n.Wall()))
	}
	due := n.Now().Add(wait)
	due = due.Add(period - sim.Duration(due)%period)
	rep.retaining = true
	n.AfterBackground(due.Sub(n.Now()), func() {
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
