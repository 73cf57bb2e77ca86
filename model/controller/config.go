package controller

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Config of the controller. The zero value of a field is the default of Kafka 4.
type Config struct {
	// Topics of the cluster, in order; those that brokers keep for themselves are added (wire.WithInternal).
	Topics                 []wire.Topic
	OffsetsPartitions      int // 0 = 3; Kafka's 50
	TransactionsPartitions int // 0 = 3; Kafka's 50

	Session      sim.Duration // broker.session.timeout.ms: without a heartbeat for so long a broker is fenced; 0 = 9 s
	UncleanRetry sim.Duration // unclean.leader.election.interval.ms; 0 = 5 min
	Rebalance    sim.Duration // leader.imbalance.check.interval.seconds: preferred replicas are made leaders; 0 = 300 s, < 0 = never

	// WithoutELR is Kafka before 4.0: no eligible leader replicas (KIP-966). The last member stays in the in-sync set, however
	// much of its log it comes back with, and leads again.
	WithoutELR bool

	// WithoutLastLeader leaves a partition without a leader when neither in-sync nor eligible replicas are left.
	WithoutLastLeader bool

	// WithoutBrokerEpochs is Kafka before 3.5: a leader's wish for another in-sync set is granted whatever sessions its
	// members are in (KIP-841, KAFKA-14139, KIP-903).
	WithoutBrokerEpochs bool

	// QuickRestart has a broker that comes back within its session stay in its in-sync sets, as with ZooKeeper, which
	// knew sessions of clients and not of processes. What it led is elected anew. Today it must wait for the end of the
	// session before it may register.
	QuickRestart bool
}

func (c Config) filled() Config {
	c.Topics = wire.WithInternal(c.Topics, c.OffsetsPartitions, c.TransactionsPartitions)
	for _, d := range []struct {
		field *sim.Duration
		value sim.Duration
	}{{&c.Session, 9 * sim.Second}, {&c.UncleanRetry, 5 * sim.Minute}, {&c.Rebalance, 300 * sim.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}
