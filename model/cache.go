package model

import "github.com/twiceless/twiceless/sim"

// CacheDo is what a client asks of a cache.
type CacheDo uint8

// The requests. CacheAdd sets a value only where there is none, as SET NX does.
const (
	CacheGet CacheDo = iota
	CacheSet
	CacheAdd
	CacheDelete
)

// Op names the request in calls: get, set, add or delete.
func (d CacheDo) Op() string { return [...]string{"get", "set", "add", "delete"}[d] }

// CacheRequest is one request to a cache.
type CacheRequest struct {
	Do         CacheDo
	Key, Value string
	Keep       sim.Duration // of CacheSet and CacheAdd: on the cache's wall clock; 0 = until it stops
}

// CacheReply says what was there before: Value of a get, and whether there was one.
type CacheReply struct {
	Value string
	Found bool
}
