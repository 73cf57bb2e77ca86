// Package memory keeps what it has done where a crash does not reach it.
package memory

import (
	"errors"
	"log"
	"sync"
)

var errGone = errors.New("gone")

var (
	seen  = map[string]bool{}
	count int
	once  sync.Map
	rates = map[string]int{"eur": 100}
)

func handle(id string) error {
	if seen[id] {
		return errGone
	}
	seen[id] = true
	count++
	once.LoadOrStore(id, rates["eur"])
	return nil
}

func shadow() int {
	rates := map[string]int{}
	rates["usd"] = 1
	return len(rates)
}

func give(err error) { log.Fatal(err) }
