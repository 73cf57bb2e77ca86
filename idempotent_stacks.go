package twiceless

import (
	"bufio"
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/internal/bubble"
)

// Dumps of goroutines are read as text: nothing else says where a goroutine is that is not ours.

// dumpedGoroutine is one goroutine of a dump.
type dumpedGoroutine struct {
	state  string // what stands in brackets: what it waits for, and its bubble
	frames []dumpedFrame
}

type dumpedFrame struct{ function, place string } // place is file:line

// bubbleID is how a dump names the bubble of the calling goroutine.
func bubbleID() string {
	buf := make([]byte, 96)
	head, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), "]")
	if i := strings.Index(head, "synctest bubble "); i >= 0 {
		return head[i:]
	}
	return "no bubble"
}

// dump reads where all goroutines are.
func dump() []dumpedGoroutine {
	buf := make([]byte, 1<<20)
	return readDump(buf[:runtime.Stack(buf, true)])
}

func readDump(text []byte) (list []dumpedGoroutine) {
	function := ""
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "goroutine "):
			_, state, _ := strings.Cut(line, "[")
			list = append(list, dumpedGoroutine{state: strings.TrimSuffix(strings.TrimSuffix(state, ":"), "]")})
		case strings.HasPrefix(line, "\t") && len(list) > 0:
			place, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
			g := &list[len(list)-1]
			g.frames = append(g.frames, dumpedFrame{function, place[strings.LastIndexByte(place, '/')+1:]})
		default:
			function = line
		}
	}
	return list
}

// site is the innermost place in the code of the team, or "".
func (g dumpedGoroutine) site() string {
	for _, f := range g.frames {
		function := strings.TrimPrefix(f.function, "created by ")
		if function != "" && !bubble.Standard(function) && !ourFunction(function) && !isPanic(f) {
			return f.place
		}
	}
	return ""
}

func isPanic(f dumpedFrame) bool { return strings.HasPrefix(f.function, "panic(") }

// atCut says whether a goroutine waits for the scheduler.
func (g dumpedGoroutine) atCut() bool {
	return slices.ContainsFunc(g.frames, func(f dumpedFrame) bool { return strings.Contains(f.function, "internal/bubble.(*Group).Ask(") })
}

// waitingSite is where a goroutine of a bubble waits, other than the scheduler and goroutines that wait at a cut.
func waitingSite(id string) string {
	for _, g := range dump() {
		if strings.HasSuffix(g.state, id) && !g.atCut() {
			if site := g.site(); site != "" {
				what, _, _ := strings.Cut(g.state, ",")
				return site + ", " + strings.TrimSuffix(what, " (durable)")
			}
		}
	}
	return ""
}

// spinning says what keeps a bubble from coming to rest.
func spinning(id string) string {
	for _, g := range dump() {
		site := g.site()
		switch {
		case site == "" || !strings.HasSuffix(g.state, id):
		case strings.HasPrefix(g.state, "sync.Mutex.Lock"), strings.HasPrefix(g.state, "sync.RWMutex"):
			return fmt.Sprintf("a goroutine waits for a mutex (%s) that is held across a call; hold a channel of size 1 instead", site)
		case strings.HasPrefix(g.state, "running"), strings.HasPrefix(g.state, "runnable"):
			return fmt.Sprintf("an endless loop at %s", site)
		}
	}
	return "an endless loop, or something outside the test that does not answer"
}

// panicSite is where the panic was raised that a stack taken by a deferred function shows.
func panicSite(stack []byte) string {
	list := readDump(stack)
	if len(list) == 0 {
		return ""
	}
	g := list[0]
	g.frames = g.frames[max(0, slices.IndexFunc(g.frames, isPanic)):]
	return g.site()
}
