package model

// Work is the plain unit of work: participants prepare in the order in which they enlisted and commit in
// reverse. It is not atomic by itself: what a crash between two commits leaves is the business of an engine that
// promises more (two-phase commit logs its decision; a checkpoint stores it with the barrier).
type Work struct{ participants []Participant }

// Enlist adds a participant.
func (w *Work) Enlist(p Participant) { w.participants = append(w.participants, p) }

// Complete prepares all, then commits all. The first refusal aborts those already prepared and is returned.
func (w *Work) Complete(c Ctx) error {
	n := c.Process().Node()
	for i, p := range w.participants {
		if err := p.Prepare(c); err != nil {
			w.abort(c, i)
			return err
		}
	}
	for i := len(w.participants) - 1; i >= 0; i-- {
		reached(c, n, "unit/committing")
		if err := w.participants[i].Commit(c); err != nil {
			return err
		}
		reached(c, n, "unit/committed")
	}
	w.participants = w.participants[:0]
	return nil
}

// abort undoes the first n participants, the latest first; an abort that fails leaves its participant in doubt.
func (w *Work) abort(c Ctx, n int) {
	for i := n - 1; i >= 0; i-- {
		_ = w.participants[i].Abort(c)
	}
	w.participants = w.participants[:0]
}
