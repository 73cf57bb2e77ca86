package wire

// MetadataRequest asks any broker what it knows of the cluster: it may be late.
type MetadataRequest struct{ Topics []string } // none = all that are not internal

// MetadataReply is that broker's view.
type MetadataReply struct {
	Brokers []string // nodes that are not fenced, sorted
	Topics  []TopicMetadata
}

// TopicMetadata is one topic; a topic that the broker does not know has Err.
type TopicMetadata struct {
	Name       string
	Err        error
	Partitions []PartitionMetadata
}

// PartitionMetadata is one partition. Leader is a node, "" = none at the moment.
type PartitionMetadata struct {
	Leader string
	Epoch  int32
}

// CoordinatorRequest asks any broker who coordinates a group, or a transaction.
type CoordinatorRequest struct {
	Transaction bool   // else a group
	Key         string // name of the group or of the transaction
}

// CoordinatorReply names the node.
type CoordinatorReply struct{ Node string }
