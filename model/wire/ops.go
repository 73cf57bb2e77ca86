package wire

// Services and their ops. A hook or a plan names them as in broker.produce.
const (
	Broker     = "broker"     // service and role of the brokers
	Controller = "controller" // service and role of the controller

	OpProduce      = "produce"
	OpFetch        = "fetch"
	OpListOffsets  = "list-offsets"
	OpEpochEnd     = "epoch-end" // OffsetsForLeaderEpoch
	OpMetadata     = "metadata"
	OpCoordinator  = "find-coordinator"
	OpReplicaFetch = "replica-fetch"

	OpJoin           = "join"
	OpSync           = "sync"
	OpHeartbeat      = "heartbeat"
	OpLeave          = "leave"
	OpGroupHeartbeat = "group-heartbeat" // server-side assignment, KIP-848
	OpCommit         = "commit"
	OpOffsets        = "offsets"

	OpInitProducer  = "init-producer"
	OpAddPartitions = "add-partitions"
	OpAddOffsets    = "add-offsets"
	OpTxnCommit     = "txn-offset-commit"
	OpEndTxn        = "end-txn"
	OpMarkers       = "write-markers"

	OpRegister       = "register"
	OpBeat           = "broker-heartbeat"
	OpImage          = "fetch-image" // of the cluster's metadata
	OpAlterPartition = "alter-partition"
	OpProducerIDs    = "producer-ids"
)

// BrokerOps lists the ops of the brokers, sorted.
func BrokerOps() []string {
	return []string{OpAddOffsets, OpAddPartitions, OpCommit, OpEndTxn, OpEpochEnd, OpFetch, OpCoordinator, OpGroupHeartbeat, OpHeartbeat,
		OpInitProducer, OpJoin, OpLeave, OpListOffsets, OpMetadata, OpOffsets, OpProduce, OpReplicaFetch, OpSync, OpTxnCommit, OpMarkers}
}

// ControllerOps lists the ops of the controller, sorted.
func ControllerOps() []string {
	return []string{OpAlterPartition, OpBeat, OpImage, OpProducerIDs, OpRegister}
}

// Topics that brokers keep for themselves.
const (
	OffsetsTopic      = "__consumer_offsets"
	TransactionsTopic = "__transaction_state"
)

// TopicPartition names one log.
type TopicPartition struct {
	Topic     string
	Partition int
}
