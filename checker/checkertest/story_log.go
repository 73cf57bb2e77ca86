package checkertest

import "github.com/twiceless/twiceless/sim/history"

// Partition is one replicated log of a story. Its leader takes records at the end of its own log; every other replica has
// what was copied to it.
//
//	p := s.Partition("orders/0", "broker-1")
//	p.Append("order-1", "anna").Copy("broker-2").Accept()
//	p.High(1).Truncate("broker-2", 0)
type Partition struct {
	s      *Story
	name   string
	leader string
	epoch  int64
	hash   uint64
	ends   map[string]int64 // by replica
}

// Partition begins a log whose first leader is elected in epoch 1.
func (s *Story) Partition(name, leader string) *Partition {
	p := &Partition{s: s, name: name, ends: map[string]int64{}}
	return p.Elect(leader, 1)
}

// Elect makes a replica the leader.
func (p *Partition) Elect(node string, epoch int64) *Partition { return p.elect(node, epoch, "") }

// ElectUncleanly makes a replica the leader that may lack what was committed.
func (p *Partition) ElectUncleanly(node string, epoch int64) *Partition {
	return p.elect(node, epoch, "unclean")
}

func (p *Partition) elect(node string, epoch int64, op string) *Partition {
	p.leader, p.epoch = node, epoch
	f := p.fact(history.KindElected, node, 0)
	f.Offset, f.Op = p.ends[node], op
	p.s.Record(f)
	return p
}

func (p *Partition) fact(k history.Kind, node string, cause int64) history.Fact {
	f := fact(k, node, "", cause)
	f.Resource, f.Fence = p.name, p.epoch
	return f
}

// Skip lets the leader's next record have an offset some places further on: gaps mean nothing.
func (p *Partition) Skip(places int64) *Partition {
	p.ends[p.leader] += places
	return p
}

// Hash states what the payloads of the records to come hash to.
func (p *Partition) Hash(h uint64) *Partition {
	p.hash = h
	return p
}

// Taken is a record, or a marker, that the leader has taken.
type Taken struct {
	p  *Partition
	f  history.Fact
	id int64
}

// Append lets the leader take a record that nobody in the story has sent.
func (p *Partition) Append(event, key string) *Taken { return p.append(event, key, "", 0) }

// Delete lets it take the tombstone of a key.
func (p *Partition) Delete(event, key string) *Taken { return p.append(event, key, "tombstone", 0) }

// Take lets it take the record of an intent, as the intent's producer sends it.
func (p *Partition) Take(i *Intent) *Taken { return p.append(i.event, i.key, "", i.id) }

func (p *Partition) append(event, key, op string, cause int64) *Taken {
	f := p.fact(history.KindAppended, p.leader, cause)
	f.Event, f.Key, f.Op, f.Hash, f.Offset = event, key, op, p.hash, p.ends[p.leader]
	p.ends[p.leader]++
	return &Taken{p, f, p.s.Record(f)}
}

// Mark lets the leader take the marker that ends a producer's transaction: commit or abort.
func (p *Partition) Mark(producer string, epoch int64, how string) *Taken {
	f := p.fact(history.KindMarked, p.leader, 0)
	f.Value, f.Fence, f.Op, f.Offset = producer, epoch, how, p.ends[p.leader]
	p.ends[p.leader]++
	return &Taken{p, f, p.s.Record(f)}
}

// Copy lets replicas take the record too.
func (t *Taken) Copy(nodes ...string) *Taken {
	for _, node := range nodes {
		f := t.p.fact(history.KindReplicated, node, t.id)
		f.Offset = t.f.Offset
		if t.f.Kind == history.KindAppended {
			f.Fence = t.f.Fence
		}
		t.p.ends[node] = f.Offset + 1
		t.p.s.Record(f)
	}
	return t
}

// By gives the record a producer's sequence number; name is its transaction, "" = none.
func (t *Taken) By(producer string, epoch, sequence int64, name string) *Taken {
	f := t.p.fact(history.KindSequenced, t.f.Node, t.id)
	f.Value, f.Fence, f.Offset, f.Op = producer, epoch, sequence, name
	t.p.s.Record(f)
	return t
}

// Accept tells the producer: success.
func (t *Taken) Accept() *Taken {
	t.p.s.Record(fact(history.KindAccepted, "producer-1", t.f.Event, t.id))
	return t
}

// Deliver hands the record to a reader.
func (t *Taken) Deliver(node string) *Taken {
	t.p.s.Record(t.delivery(node))
	return t
}

// DeliverAs hands something else out as this record.
func (t *Taken) DeliverAs(node string, change func(*history.Fact)) *Taken {
	f := t.delivery(node)
	change(&f)
	t.p.s.Record(f)
	return t
}

func (t *Taken) delivery(node string) history.Fact {
	f := fact(history.KindDelivered, node, t.f.Event, t.id)
	f.Resource, f.Offset, f.Key, f.Hash, f.Op = t.p.name, t.f.Offset, t.f.Key, t.f.Hash, Group
	return f
}

// Compact takes the record away from a replica.
func (t *Taken) Compact(node string) *Taken {
	f := t.p.fact(history.KindCompacted, node, t.id)
	f.Offset, f.Key = t.f.Offset, t.f.Key
	t.p.s.Record(f)
	return t
}

// Truncate cuts a replica's log at an offset, which is gone.
func (p *Partition) Truncate(node string, offset int64) *Partition {
	f := p.fact(history.KindTruncated, node, 0)
	f.Offset = offset
	p.ends[node] = offset
	p.s.Record(f)
	return p
}

// High moves the high watermark.
func (p *Partition) High(offset int64) *Partition { return p.watermark("high", offset) }

// Stable moves the last stable offset.
func (p *Partition) Stable(offset int64) *Partition { return p.watermark("stable", offset) }

func (p *Partition) watermark(op string, offset int64) *Partition {
	f := p.fact(history.KindWatermark, p.leader, 0)
	f.Op, f.Offset = op, offset
	p.s.Record(f)
	return p
}

// Init lets the coordinator give a producer an epoch.
func (s *Story) Init(producer string, epoch int64) *Story {
	s.transaction("init", "broker-1", producer, epoch, "", 0)
	return s
}

// Begin lets a client begin a transaction; it returns the fact.
func (s *Story) Begin(node, producer string, epoch int64, name string) int64 {
	return s.transaction("began", node, producer, epoch, name, 0)
}

// Decide lets the coordinator decide a transaction that began with a fact: commit or abort.
func (s *Story) Decide(how string, began int64) *Story {
	f := s.h.At(began)
	return s.DecideIn(f.Fence, how, began)
}

// DecideIn lets it decide in an epoch of the producer.
func (s *Story) DecideIn(epoch int64, how string, began int64) *Story {
	f := s.h.At(began)
	s.transaction(how, "broker-1", f.Resource, epoch, f.Value, began)
	return s
}

func (s *Story) transaction(op, node, producer string, epoch int64, name string, cause int64) int64 {
	f := fact(history.KindTransaction, node, "", cause)
	f.Resource, f.Fence, f.Op, f.Value = producer, epoch, op, name
	return s.Record(f)
}

// AssignAt is Assign for a member that reads on from an offset.
func (s *Story) AssignAt(generation int64, node, partition string, offset int64) *Story {
	f := fact(history.KindGeneration, "broker-1", "", 0)
	f.Resource, f.Fence = Group, generation
	s.Record(f)
	f = fact(history.KindAssigned, node, "", 0)
	f.Resource, f.Fence, f.Offset = partition, generation, offset
	s.Record(f)
	return s
}

// Reset is an operator who sets a group's position back.
func (s *Story) Reset(partition string, offset int64) *Story {
	f := fact(history.KindOperated, "operator-1", "", 0)
	f.Op, f.Resource, f.Offset, f.Value = "reset", partition, offset, Group
	f.Cause, f.Kind = s.Record(f), history.KindCommitted
	f.Node, f.Op, f.Value = "broker-1", Group, ""
	s.Record(f)
	return s
}
