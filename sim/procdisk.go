package sim

// Write appends a record to a file of the node's disk and waits until it is durable: what straight-line code
// with a journal of its own does (orchestrators, relays). Both device operations are hooks.
func (p *Proc) Write(file, record string, act Action) {
	p.alive()
	p.n.Append(file, record, act, nil)
	p.n.Fsync(file, act, func() { p.wake(nil, nil, 0) })
	p.await(forever)
}
