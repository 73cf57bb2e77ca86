package bubble

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Stuck says what keeps bubbles from coming to rest: the goroutines of any bubble that are neither blocked in a way that
// package synctest understands nor waiting for others, with what they do and where. It looks at the whole program at one
// moment.
func Stuck(hidden ...string) []string {
	buf := make([]byte, 1<<20)
	var out []string
	for _, dump := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		head, frames, _ := strings.Cut(dump, "\n")
		_, state, _ := strings.Cut(head, "[")
		state, _, _ = strings.Cut(state, "]")
		what := doing(state)
		if what == "" {
			continue
		}
		if where := innermostOf(frames, hidden); where != "" {
			out = append(out, what+" at "+where)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// doing is what a goroutine of a bubble does in a state that keeps the bubble from resting; "" = it keeps nothing.
func doing(state string) string {
	reason, _, _ := strings.Cut(state, ",")
	switch {
	case !strings.Contains(state, "synctest bubble"), strings.Contains(state, "durable"), strings.HasPrefix(reason, "synctest"), strings.HasPrefix(reason, "coroutine"):
		return ""
	case reason == "running", reason == "runnable":
		return "a loop without a call"
	case strings.HasPrefix(reason, "sync.Mutex"), strings.HasPrefix(reason, "sync.RWMutex"):
		return "a wait for a mutex that another goroutine holds while it calls (a channel of capacity 1 can be waited for)"
	case reason == "IO wait", reason == "syscall":
		return "a wait for something outside of the simulation"
	}
	return "a wait that is not simulated (" + reason + ")"
}

// innermostOf is the first frame of a stack dump that is neither of the standard library nor hidden, as file:line.
func innermostOf(frames string, hidden []string) string {
	lines := strings.Split(frames, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		function := lines[i]
		if paren := strings.LastIndexByte(function, '('); paren > 0 {
			function = function[:paren]
		}
		if strings.HasPrefix(function, "created by ") || standard(function) || hasPrefix(function, hidden) {
			continue
		}
		place, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " +0x")
		return fmt.Sprintf("%s (%s)", place[strings.LastIndexByte(place, '/')+1:], function)
	}
	return ""
}
