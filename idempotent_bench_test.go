package twiceless_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twiceless/twiceless"
)

// A handler with five calls, all of them harmless: what a schedule costs is what the check itself costs.
func TestSpeedX(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		sys := fiveCalls()
		sys.Schedules = 20000
		start := time.Now()
		events := []string{"a", "b", "c"}[:n]
		text, ok := twiceless.Verdict(t, sys, events...)
		fmt.Println(n, ok, text, time.Since(start), time.Since(start)/20000)
	}
}

func fiveCalls() twiceless.System[map[string]bool, string] {
	return twiceless.System[map[string]bool, string]{
		World: func() map[string]bool { return map[string]bool{} },
		Process: func(w map[string]bool, in *twiceless.Cuts) func(context.Context, string) error {
			return func(ctx context.Context, e string) error {
				for i := range 5 {
					if err := in.Call(ctx, fmt.Sprint("call ", i), func() error { w[fmt.Sprint(e, i)] = true; return nil }); err != nil {
						return err
					}
				}
				return nil
			}
		},
		State: func(w map[string]bool) any { return w },
	}
}
