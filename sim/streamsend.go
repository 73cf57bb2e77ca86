package sim

// sender is the sending side of one half. Windows are counted in segments, as Linux counts them.
type sender struct {
	una, next, end int64 // acknowledged up to, sent up to, taken up to
	flight         []sent
	pipe           int // of these, presumed on the wire

	cwnd, ssthresh int
	credit         int   // segments acknowledged towards the next step of congestion avoidance
	phase          phase // of congestion
	recover        int64 // it is over when this is acknowledged

	srtt, rttvar, least Duration // of the round trip; 0 = not measured yet
	backoff             uint

	newest    Time     // RACK: of what is known to have arrived, when the last was sent,
	newestEnd int64    // and its end,
	newestRTT Duration // and how long it took
}

// sent is a segment that is not acknowledged by its number.
type sent struct {
	span
	at     Time
	again  bool // it was sent more than once
	sacked bool
	lost   bool // and not sent again since
}

type phase uint8

const (
	phaseOpen     phase = iota
	phaseRecovery       // after a loss that was found: the window stays
	phaseLoss           // after a timeout: slow start
)

func (s *sender) begin(c *Streams) { s.cwnd, s.ssthresh = c.InitialWindow, 1<<30 }

// pump sends what the window lets out: what is lost first, then what is new.
func (h *half) pump() {
	s := &h.sender
	if h.c.dials > 0 || h.c.over {
		return
	}
	for i := 0; s.pipe < s.cwnd; {
		for i < len(s.flight) && !s.flight[i].lost {
			i++
		}
		switch {
		case i < len(s.flight):
			h.resend(i)
		case s.next < s.end:
			h.sendNext()
		default:
			h.watch()
			return
		}
	}
	h.watch()
}

// sendNext sends the next bytes that were never sent, a full segment if there are so many.
func (h *half) sendNext() {
	s := &h.sender
	seg := span{s.next, min(s.next+int64(h.w.stream.Segment), s.end)}
	s.next = seg.to
	s.flight = append(s.flight, sent{span: seg, at: h.w.now})
	s.pipe++
	h.put(wireSegment, seg)
}

// resend sends a segment that is lost.
func (h *half) resend(i int) {
	s := &h.sender
	f := &s.flight[i]
	f.lost, f.again, f.at = false, true, h.w.now
	s.pipe++
	h.put(wireSegment, f.span)
}

// watch keeps the timeout running while anything is in flight.
func (h *half) watch() {
	s := &h.sender
	if len(s.flight) == 0 {
		h.disarm(timerRTO)
		return
	}
	if h.timers[timerRTO].handle == (Handle{}) {
		h.arm(timerRTO, h.w.now.Add(h.rto()))
	}
}

// rto is the timeout now (RFC 6298, with the least variance of Linux); a second before a round trip is known.
func (h *half) rto() Duration {
	s, c := &h.sender, &h.w.stream
	rto := Second
	if s.srtt > 0 {
		rto = s.srtt + max(4*s.rttvar, c.MinRTO)
	}
	return min(rto<<min(s.backoff, 20), c.MaxRTO)
}

// sample takes one round trip into the estimate.
func (h *half) sample(rtt Duration) {
	s := &h.sender
	if rtt <= 0 {
		return
	}
	if s.srtt == 0 {
		s.srtt, s.rttvar, s.least = rtt, rtt/2, rtt
		return
	}
	off := s.srtt - rtt
	s.rttvar += (max(off, -off) - s.rttvar) / 4
	s.srtt += (rtt - s.srtt) / 8
	s.least = min(s.least, rtt)
}

// timedOut takes everything for lost, and begins again with one segment.
func (h *half) timedOut() {
	s := &h.sender
	if s.phase != phaseLoss {
		s.reduce(&h.w.stream)
	}
	s.phase, s.recover, s.cwnd, s.credit, s.pipe = phaseLoss, s.next, 1, 0, 0
	for i := range s.flight {
		s.flight[i].lost = !s.flight[i].sacked
	}
	s.backoff++
	h.disarm(timerReorder)
	h.pump()
}

// reduce is what a loss does to the window.
func (s *sender) reduce(c *Streams) {
	s.ssthresh = max(2, int(uint64(s.cwnd)*c.Decrease.Num/c.Decrease.Den))
}

// acked takes an acknowledgement: all up to a byte, and blocks beyond.
func (h *half) acked(upTo int64, blocks [3]span) {
	s := &h.sender
	limited := s.pipe >= s.cwnd || s.cwnd < s.ssthresh && 2*s.pipe > s.cwnd
	moved := upTo > s.una
	k, got := 0, 0
	for ; k < len(s.flight) && s.flight[k].to <= upTo; k++ {
		got += h.arrivedThere(&s.flight[k])
	}
	s.flight = append(s.flight[:0], s.flight[k:]...)
	for _, b := range blocks {
		for i := range s.flight {
			if f := &s.flight[i]; b.from <= f.from && f.to <= b.to {
				got += h.arrivedThere(f)
			}
		}
	}
	if moved {
		s.una, s.backoff = upTo, 0
		h.disarm(timerRTO)
	}
	if s.phase != phaseOpen && s.una >= s.recover {
		s.phase = phaseOpen
	}
	if got > 0 {
		h.detect()
		if limited && s.phase != phaseRecovery {
			s.grow(got)
		}
	}
	h.pump()
	if moved && h == &h.c.up && h.c.room != nil && h.roomy() {
		h.c.tellRoom()
	}
}

// arrivedThere marks a segment that the receiver has; 1 if that is news.
func (h *half) arrivedThere(f *sent) int {
	s := &h.sender
	if f.sacked {
		return 0
	}
	if !f.lost {
		s.pipe--
	}
	f.sacked, f.lost = true, false
	took := h.w.now.Sub(f.at)
	if !f.again {
		h.sample(took)
	} else if took < s.least {
		return 1 // what arrived is the one sent before
	}
	if f.at > s.newest || f.at == s.newest && f.to > s.newestEnd {
		s.newest, s.newestEnd, s.newestRTT = f.at, f.to, took
	}
	return 1
}

// grow is slow start below the threshold, congestion avoidance above.
func (s *sender) grow(got int) {
	if s.cwnd < s.ssthresh {
		step := min(got, s.ssthresh-s.cwnd)
		s.cwnd += step
		got -= step
	}
	if s.credit += got; s.credit >= s.cwnd {
		s.credit -= s.cwnd
		s.cwnd++
	}
}

// detect finds what is lost.
func (h *half) detect() {
	s := &h.sender
	found := false
	if h.w.stream.DupAcks {
		found = s.detectByCount()
	} else {
		found = h.detectByTime()
	}
	if found && s.phase == phaseOpen {
		s.reduce(&h.w.stream)
		s.phase, s.recover, s.cwnd, s.credit = phaseRecovery, s.next, s.ssthresh, 0
	}
}

// detectByCount takes for lost what three segments behind it have overtaken, once: a second loss of it shows at the
// timeout only.
func (s *sender) detectByCount() (found bool) {
	behind := 0
	for i := len(s.flight) - 1; i >= 0; i-- {
		switch f := &s.flight[i]; {
		case f.sacked:
			behind++
		case behind >= 3 && !f.again && !f.lost:
			f.lost, found = true, true
			s.pipe--
		}
	}
	return found
}

// detectByTime takes for lost what was sent before something that has arrived, and has had as long to arrive and, while
// nothing else speaks for a loss, a quarter of a round trip more.
func (h *half) detectByTime() (found bool) {
	s := &h.sender
	sacked, grace := 0, Duration(0)
	for i := range s.flight {
		if s.flight[i].sacked {
			sacked++
		}
	}
	if s.phase == phaseOpen && sacked < 3 {
		grace = s.least / 4
	}
	wait := Duration(0)
	for i := range s.flight {
		f := &s.flight[i]
		if f.sacked || f.lost || f.at > s.newest || f.at == s.newest && f.to > s.newestEnd {
			continue
		}
		if left := f.at.Add(s.newestRTT + grace).Sub(h.w.now); left > 0 {
			wait = max(wait, left)
			continue
		}
		f.lost, found = true, true
		s.pipe--
	}
	if wait > 0 {
		h.arm(timerReorder, h.w.now.Add(wait))
	} else {
		h.disarm(timerReorder)
	}
	return found
}
