package twiceless_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/twiceless/twiceless"
)

// What a schedule of a handler with five calls costs, delivered two or three times in most of them.
func BenchmarkSchedule(b *testing.B) {
	sys := twiceless.System[map[string]bool, string]{
		World: func() map[string]bool { return map[string]bool{} },
		Process: func(w map[string]bool, in *twiceless.Cuts) func(context.Context, string) error {
			return func(ctx context.Context, event string) error {
				for i := range 5 {
					step := fmt.Sprint(event, " ", i)
					if err := in.Call(ctx, step, func() error { w[step] = true; return nil }); err != nil {
						return err
					}
				}
				return nil
			}
		},
		State:     func(w map[string]bool) any { return w },
		Schedules: b.N,
	}
	// A bubble needs a test: this one lasts as long as the function that it is given.
	ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "schedules", F: func(t *testing.T) {
		b.ReportAllocs()
		b.ResetTimer()
		if text, ok := twiceless.Verdict(t, sys, "event"); !ok {
			t.Fatal(text)
		}
	}}})
	if !ok {
		b.Fatal("failed")
	}
}
