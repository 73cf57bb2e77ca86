package producer

// NextSequence has the sequence of a partition go on at a number, as if so many records had been acknowledged.
func (c *Client) NextSequence(topic string, partition int, next int64) {
	s := &c.partition(c.topic(topic), partition).seq
	s.next, s.acked = next, next-1
}
