package broker

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// pollImage asks for metadata that is newer than what the broker has. It is late by nature: what it says was true when it
// was sent.
func (b *Broker) pollImage() {
	req := wire.ImageRequest{Broker: b.id, Since: b.version, MaxWait: b.cfg.ImageWait}
	b.n.CallBackground(b.controller, b.op.image, sim.Action{}, req, 0, b.cfg.ImageWait+b.cfg.controlTimeout(), func(reply any, _ int64, err error) {
		if err != nil {
			b.n.AfterBackground(b.cfg.ControlRetry, b.pollImage)
			return
		}
		image, first := reply.(wire.ImageReply), b.version == 0
		b.apply(&image)
		b.pollImage()
		if first {
			b.beat()
		}
	})
}

// apply takes a newer image: first the followers' work ends and begins, then the leaders', so that nobody follows himself.
// An image of before the registration is of no use: in it the broker may lead what it led in its last session.
func (b *Broker) apply(image *wire.ImageReply) {
	if image.Version < b.epoch {
		return
	}
	if image.Brokers != nil {
		b.brokers = image.Brokers
	}
	b.version = image.Version
	for i := range image.Partitions {
		b.meet(&image.Partitions[i])
	}
	for i := range image.Partitions {
		s := &image.Partitions[i]
		b.find(s.Topic, s.Partition).become(*s)
	}
	if self := &b.brokers[b.id-1]; !self.Fenced && self.Epoch == b.epoch {
		b.open = true
	}
}

// meet gets to know a partition, and opens the log if the broker has a replica of it.
func (b *Broker) meet(s *wire.PartitionState) {
	t := b.topic(s.Topic)
	if t == nil {
		t = &topic{cfg: b.cfg.topic(s.Topic), internal: wire.Internal(s.Topic)}
		b.topics = append(b.topics, t)
	}
	for len(t.replicas) <= s.Partition {
		index := len(t.replicas)
		t.replicas = append(t.replicas, &replica{b: b, topic: t, index: index, name: model.PartitionName(s.Topic, index),
			state: wire.PartitionState{Leader: wire.NoLeader, LeaderEpoch: -1, PartitionEpoch: -1}, epoch: -1})
	}
	if rep := t.replicas[s.Partition]; rep.log == nil && contains(s.Replicas, b.id) {
		rep.open()
	}
}

// eligible says whether the image lets a broker be in sync: registered in that session, not fenced and not about to stop.
func (b *Broker) eligible(id int32, epoch int64) bool {
	if int(id) > len(b.brokers) {
		return false
	}
	s := &b.brokers[id-1]
	return !s.Fenced && !s.Stopping && (b.cfg.WithoutBrokerEpochs || s.Epoch == epoch)
}

// metadata answers what the broker knows of the cluster.
func (b *Broker) metadata(r *sim.Request, req *wire.MetadataRequest) {
	var reply wire.MetadataReply
	for i := range b.brokers {
		if s := &b.brokers[i]; !s.Fenced {
			reply.Brokers = append(reply.Brokers, b.nodes[s.Broker-1].Name())
		}
	}
	names := req.Topics
	if names == nil {
		for _, t := range b.topics {
			if !t.internal {
				names = append(names, t.cfg.Name)
			}
		}
	}
	for _, name := range names {
		reply.Topics = append(reply.Topics, b.describe(name))
	}
	r.Reply(reply, 0)
}

func (b *Broker) describe(name string) wire.TopicMetadata {
	m := wire.TopicMetadata{Name: name}
	t := b.topic(name)
	if t == nil {
		m.Err = wire.ErrUnknownTopic
		return m
	}
	for _, rep := range t.replicas {
		p := wire.PartitionMetadata{Epoch: rep.state.LeaderEpoch}
		if leader := b.node(rep.state.Leader); leader != nil {
			p.Leader = leader.Name()
		}
		m.Partitions = append(m.Partitions, p)
	}
	return m
}

func contains(ids []int32, id int32) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}
