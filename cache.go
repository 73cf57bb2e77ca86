package twiceless

import (
	"context"
	"fmt"
	"time"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Cache is a client of a cache of the scenario: a service of kind cache, or one that the option WithCache has added. It keeps
// values in the memory of one node, and whatever stops that node empties it.
type Cache struct {
	m    *member
	name string
}

// Cache is a client of that cache.
func (e *Env) Cache(name string) *Cache {
	e.m.known(name)
	if kind := e.m.gu.hall.Scenario.Downstreams[name].Kind; kind != "cache" {
		panic(fmt.Sprintf("twiceless: service %s is of kind %s, not a cache", name, kind))
	}
	return &Cache{m: e.m, name: name}
}

// Get is the value of a key; ok is false if there is none, or none any more.
func (c *Cache) Get(ctx context.Context, key string) (value string, ok bool, err error) {
	r, err := c.ask(ctx, model.CacheRequest{Do: model.CacheGet, Key: key})
	return r.Value, r.Found, err
}

// Set sets a value for a time, on the clock of the cache; 0 = until the cache stops.
func (c *Cache) Set(ctx context.Context, key, value string, keep time.Duration) error {
	_, err := c.ask(ctx, model.CacheRequest{Do: model.CacheSet, Key: key, Value: value, Keep: sim.Duration(keep)})
	return err
}

// Add sets a value only where there is none, as SET NX does; ok says that this call has set it.
func (c *Cache) Add(ctx context.Context, key, value string, keep time.Duration) (ok bool, err error) {
	r, err := c.ask(ctx, model.CacheRequest{Do: model.CacheAdd, Key: key, Value: value, Keep: sim.Duration(keep)})
	return err == nil && !r.Found, err
}

// Delete removes a value, if there is one.
func (c *Cache) Delete(ctx context.Context, key string) error {
	_, err := c.ask(ctx, model.CacheRequest{Do: model.CacheDelete, Key: key})
	return err
}

func (c *Cache) ask(ctx context.Context, req model.CacheRequest) (model.CacheReply, error) {
	v, err := c.m.group.Ask(ctx, c.name+" "+req.Do.Op()+" "+req.Key+" "+req.Value, &cacheAsk{c.name, req})
	if err != nil {
		return model.CacheReply{}, networkError(c.name, err)
	}
	return v.(model.CacheReply), nil
}

type cacheAsk struct {
	name string
	req  model.CacheRequest
}

func (q *cacheAsk) do(c model.Ctx, _ *guest, d *delivery) (any, error) {
	cause := int64(0)
	if d != nil {
		cause = d.cause
	}
	reply, _, err := c.Ask(q.name, q.req.Do.Op(), q.req, cause)
	if err != nil {
		return nil, err
	}
	return reply, nil
}
