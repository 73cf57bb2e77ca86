package bubble_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/sim"
)

// in runs a test in a bubble.
func in(t *testing.T, run func(b *bubble.Bubble)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { run(bubble.New()) })
}

func texts(asks []*bubble.Ask) (list []string) {
	for _, a := range asks {
		list = append(list, a.Group.Name+" "+a.Text)
	}
	return list
}

func ask(g *bubble.Group, text string) (any, error) { return g.Ask(context.Background(), text, nil) }

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// Whoever is quicker, asks of one moment come by group, in the order in which these were made, and by text.
func TestOrderOfAsksIsNotTheSchedulers(t *testing.T) {
	var first []string
	for i := range 100 {
		for _, procs := range []int{1, 2} {
			was := runtime.GOMAXPROCS(procs)
			in(t, func(b *bubble.Bubble) {
				groups := []*bubble.Group{b.Group("b"), b.Group("a")}
				for n := range 10 {
					for _, g := range groups {
						g.Go(func() {
							time.Sleep(time.Millisecond)
							_, _ = ask(g, fmt.Sprint(9-n))
						})
					}
				}
				b.Settle()
				b.Reach(sim.Time(sim.Second))
				got := texts(b.Take().Asked)
				if first == nil {
					first = got
				}
				if !slices.Equal(got, first) {
					t.Errorf("round %d on %d processors: %v, first %v", i, procs, got, first)
				}
				groups[0].Kill()
				groups[1].Kill()
			})
			runtime.GOMAXPROCS(was)
		}
	}
	same(t, "order", first[:3], "[b 0 b 1 b 2]")
	same(t, "order", first[10:13], "[a 0 a 1 a 2]")
}

func TestAnswersGoToThoseWhoAsked(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		var got any
		var err error
		run := g.Go(func() { got, err = ask(g, "what") })
		b.Settle()
		if run.Ended() {
			t.Fatal("ended without an answer")
		}
		a := b.Take().Asked[0]
		same(t, "open", texts(g.Open()), "[g what]")
		a.Answer(42, errors.New("but"))
		a.Answer(43, nil) // too late
		b.Settle()
		same(t, "ended", len(b.Take().Ended), 1)
		same(t, "answer", got, 42)
		same(t, "error", err, "but")
		same(t, "open", len(g.Open()), 0)
	})
}

// A kill runs what is deferred, as the end of a goroutine does; what that asks for finds a dead world.
func TestKillRunsDeferredCode(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		var steps []string
		run := g.Go(func() {
			defer func() { steps = append(steps, "outer") }()
			defer func() {
				steps = append(steps, "inner")
				_, _ = ask(g, "from the grave")
				steps = append(steps, "never")
			}()
			_, _ = ask(g, "first")
			steps = append(steps, "never")
		})
		b.Settle()
		a := b.Take().Asked[0]
		g.Kill()
		same(t, "steps", steps, "[inner outer]")
		same(t, "dead", g.Dead(), true)
		b.Take()
		same(t, "ended by Goexit", run.Ended() && run.Goexit, true)
		a.Answer("late", nil) // says nothing
		same(t, "context", g.Context().Err(), context.Canceled)
	})
}

// An ask of the dead that was not taken up is none.
func TestKillForgetsAsksOfTheDead(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g, other := b.Group("g"), b.Group("other")
		for _, g := range []*bubble.Group{g, other} {
			g.Go(func() { _, _ = ask(g, "x") })
		}
		b.Settle()
		g.Kill()
		same(t, "asked", texts(b.Take().Asked), "[other x]")
		other.Kill()
	})
}

// Nothing can end a goroutine that waits for something of its own; it ends at its next ask.
func TestGoroutinesOfADeadGroupEndAtTheirNextAsk(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		var reached, survived atomic.Bool
		g.Go(func() {
			go func() {
				time.Sleep(time.Second)
				reached.Store(true)
				_, _ = ask(g, "x")
				survived.Store(true)
			}()
		})
		b.Settle()
		g.Kill()
		b.Take()
		same(t, "before its next ask", reached.Load(), false)
		b.Reach(sim.Time(2 * sim.Second))
		same(t, "reached, survived", []bool{reached.Load(), survived.Load()}, "[true false]")
		same(t, "swallowed", g.Swallowed(), false)
	})
}

// Code that starts a goroutine for each attempt does not notice that it dies. It stops all the same.
func TestKillReturnsFromCodeThatNeverGivesUp(t *testing.T) {
	swallowed := false
	func() {
		// The starter of the attempts stays behind, and synctest says so.
		defer func() { _ = recover() }()
		in(t, func(bb *bubble.Bubble) {
			g := bb.Group("g")
			g.Go(func() {
				for {
					var attempt sync.WaitGroup
					attempt.Go(func() { _, _ = ask(g, "attempt") })
					attempt.Wait()
				}
			})
			bb.Settle()
			g.Kill()
			swallowed = g.Swallowed()
		})
	}()
	same(t, "swallowed", swallowed, true)
}

// The deadline of an ask passes in virtual time; the one who moves the clock is told at that moment, and answers.
func TestQuitByDeadline(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		var err error
		run := g.Go(func() {
			ctx, cancel := context.WithTimeout(g.Context(), 3*time.Second)
			defer cancel()
			_, err = g.Ask(ctx, "slow", nil)
		})
		b.Settle()
		a := b.Take().Asked[0]
		same(t, "given up", a.Quit(), false)
		same(t, "moment", b.Reach(sim.Time(sim.Minute)), sim.Time(3*sim.Second))
		same(t, "quits", texts(b.Take().Quit), "[g slow]")
		same(t, "given up, ended", []bool{a.Quit(), run.Ended()}, "[true false]")
		a.Answer(nil, a.Ctx.Err())
		b.Settle()
		b.Take()
		same(t, "ended", run.Ended(), true)
		same(t, "error", err, context.DeadlineExceeded)
	})
}

func TestReachStopsAtTheFirstAsk(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		g.Go(func() {
			for {
				time.Sleep(time.Second)
				_, _ = ask(g, "tick")
			}
		})
		b.Settle()
		same(t, "first", b.Reach(sim.Time(sim.Minute)), sim.Time(sim.Second))
		same(t, "again, nothing taken up", b.Reach(sim.Time(sim.Minute)), sim.Time(sim.Second))
		b.Take().Asked[0].Answer(nil, nil)
		same(t, "second", b.Reach(sim.Time(sim.Minute)), sim.Time(2*sim.Second))
		b.Take()
		same(t, "while nobody asks", b.Reach(sim.Time(sim.Minute)), sim.Time(sim.Minute))
		same(t, "elapsed", b.Elapsed(), sim.Time(sim.Minute))
		g.Kill()
	})
}

func TestEndsThatAreNoReturn(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		panics := g.Go(func() { panic("oh") })
		exits := g.Go(func() { runtime.Goexit() })
		returns := g.Go(func() {})
		b.Settle()
		same(t, "ended", len(b.Take().Ended), 3)
		same(t, "panic", panics.Panic, "oh")
		same(t, "goexit", []bool{panics.Goexit, exits.Goexit, returns.Goexit}, "[false true false]")
		for _, run := range []*bubble.Run{panics, exits} {
			if !strings.HasPrefix(run.Site, "internal/bubble_test/bubble_test.go:") {
				t.Errorf("site %q", run.Site)
			}
		}
		same(t, "site of what returned", returns.Site, "")
	})
}

// asker is what a team's code calls through: a transport and a database driver that ask.
type asker struct{ g *bubble.Group }

func (a asker) RoundTrip(req *http.Request) (*http.Response, error) {
	_, err := a.g.Ask(req.Context(), "http", nil)
	return nil, err
}

func (a asker) Connect(context.Context) (driver.Conn, error) { return a, nil }
func (a asker) Driver() driver.Driver                        { return nil }
func (a asker) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (a asker) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (a asker) Close() error                                 { return nil }

func (a asker) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	_, err := a.g.Ask(ctx, query, nil)
	return nil, err
}

// A site is the line of the code that calls, whatever of the standard library lies between.
func TestSiteIsTheUsersLine(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		db := sql.OpenDB(asker{g})
		defer db.Close() //nolint:errcheck // it has nothing to say
		var line int
		for _, call := range []func(){
			func() {
				_, _, line, _ = runtime.Caller(0)
				_, _ = (&http.Client{Transport: asker{g}, Timeout: time.Second}).Get("http://x/") //nolint:bodyclose // there is none
			},
			func() {
				_, _, line, _ = runtime.Caller(0)
				_, _ = db.Exec("UPDATE")
			},
			func() {
				_, _, line, _ = runtime.Caller(0)
				slices.SortFunc([]int{1, 2}, func(int, int) int { _, _ = ask(g, "x"); return 0 })
			},
		} {
			g.Go(call)
			b.Settle()
			a := b.Take().Asked[0]
			hidden := []string{"github.com/twiceless/twiceless/internal/bubble_test.asker", "github.com/twiceless/twiceless/internal/bubble_test.ask"}
			same(t, a.Text, a.Site(hidden...), fmt.Sprintf("internal/bubble_test/bubble_test.go:%d", line+1))
			a.Answer(nil, errors.New("no"))
			b.Settle()
		}
	})
}

// What nobody waits for comes among the asks; of the dead nothing comes.
func TestTell(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		told := 0
		g.Go(func() { g.Tell("x", nil); told++; _, _ = ask(g, "y"); told++ })
		b.Settle()
		same(t, "asked", texts(b.Take().Asked), "[g x g y]")
		g.Kill()
		g.Tell("z", nil)
		same(t, "of the dead", texts(b.Take().Asked), "[]")
		same(t, "steps", told, 1)
	})
}

// Whoever has left goroutines behind is found by the label of their group, which those inherit that they start.
func TestLeft(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g, other := b.Group("g"), b.Group("g")
		end := make(chan int)
		wait := func() { <-end }
		g.Go(func() { go wait() })
		other.Go(wait)
		b.Settle()
		left := bubble.Left(func(label string) bool { return label == g.Label() })
		if len(left) != 1 || !strings.HasPrefix(left[0], "1 at bubble_test.go:") || !strings.Contains(left[0], "TestLeft") {
			t.Errorf("left: %q", left)
		}
		close(end)
	})
}

// A driver below database/sql returns in any case: whoever waits at the lock that is held around it would stop the bubble.
func TestAskUntilAlwaysReturns(t *testing.T) {
	in(t, func(b *bubble.Bubble) {
		g := b.Group("g")
		var lock sync.Mutex
		var got []any
		g.Go(func() {
			ctx, cancel := context.WithTimeout(g.Context(), time.Second)
			defer cancel()
			context.AfterFunc(ctx, func() { lock.Lock() }) // as a transaction is rolled back
			lock.Lock()
			_, err := g.AskUntil(ctx, "a statement", nil)
			got = append(got, err)
			lock.Unlock()
			for range 2 { // at its death, and after it
				_, err = g.AskUntil(g.Context(), "another one", nil)
				got = append(got, err)
			}
			_, _ = ask(g, "x")
			got = append(got, "never")
		})
		b.Settle()
		first := b.Take().Asked[0]
		same(t, "time", b.Reach(sim.Time(sim.Hour)), sim.Time(sim.Second))
		taken := b.Take()
		same(t, "told", taken.Quit[0] == first, true)
		same(t, "goes on", texts(taken.Asked), "[g another one]")
		first.Answer("late", nil)
		g.Kill()
		same(t, "returned", got, []any{context.DeadlineExceeded, bubble.ErrEnded, bubble.ErrEnded})
	})
}
