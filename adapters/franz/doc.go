// Package franz lets a loop that is written against loop.Client run on Kafka, by the client of franz-go: what was tested against simulated faults is what
// runs in production.
//
//	client, err := franz.New(
//		kgo.SeedBrokers("kafka-1:9092", "kafka-2:9092"),
//		kgo.ConsumerGroup("billing"),
//		kgo.ConsumeTopics("orders"),
//	)
//
// All options of kgo are open but those that the contract needs; see New. What depends on them:
//
//   - kgo.RebalanceTimeout is how long the loop may stay away from Poll while the group waits for it.
//   - kgo.Balancers: with an eager balancer every rebalance revokes all partitions; the default, cooperative-sticky, those that move. Members that are
//     balanced by the broker (kgo.ServerSideBalancer) are covered too.
//   - kgo.InstanceID: Close leaves the partitions with the static member until its session times out, as kgo does.
//   - kgo.ProducerLinger delays every Produce, as each waits for its acknowledgement. kgo's producer is idempotent: its own retries make no duplicates,
//     those of the loop after loop.ErrUnknown may.
//   - kgo.ConsumeResetOffset is where a group without a position begins; the start if it is not given.
//
// The package is a module of its own, so that nobody who imports the simulator or package loop inherits a Kafka client.
package franz
