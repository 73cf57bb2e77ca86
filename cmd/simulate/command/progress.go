package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress tells how far a sweep is: one line that is written over on a terminal, else a line every ten seconds.
type progress struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	started  time.Time
	told     time.Time
	width    int
	noun     string // what is counted; "" = runs
}

// newProgress is silent, nil, with --quiet.
func (a *app) newProgress(quiet bool) *progress {
	if quiet {
		return nil
	}
	p := &progress{w: a.stderr, terminal: isTerminal(a.stderr), every: 10 * time.Second, started: time.Now()}
	if p.terminal {
		p.every = 100 * time.Millisecond
	}
	p.told = p.started
	return p
}

// isTerminal says whether a line may be written over.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == ""
}

// tell reports that so many of the runs are done.
func (p *progress) tell(done, total int) {
	if p == nil {
		return
	}
	now := time.Now()
	if now.Sub(p.told) < p.every {
		return
	}
	p.told = now
	line := progressLine(done, total, now.Sub(p.started))
	if p.noun != "" {
		line = fmt.Sprintf("%d of %d %s", done, total, p.noun)
	}
	if !p.terminal {
		fmt.Fprintln(p.w, line)
		return
	}
	fmt.Fprintf(p.w, "\r%-*s", p.width, line)
	p.width = len(line)
}

// again begins another round of the same sweep.
func (p *progress) again() {
	if p != nil {
		p.started = time.Now()
	}
}

// end removes the line.
func (p *progress) end() {
	if p != nil && p.width > 0 {
		fmt.Fprintf(p.w, "\r%*s\r", p.width, "")
	}
}

func progressLine(done, total int, spent time.Duration) string {
	line := fmt.Sprintf("%d of %d runs", done, total)
	if done == 0 || spent <= 0 {
		return line
	}
	left := time.Duration(float64(spent) / float64(done) * float64(total-done))
	return fmt.Sprintf("%s, %d %%, %.0f runs/s, %s left", line, 100*done/total, float64(done)/spent.Seconds(), spell(left))
}

// spell writes a time for people.
func spell(d time.Duration) string {
	switch s := d.Seconds(); {
	case s < 9.95:
		return fmt.Sprintf("%.1f s", s)
	case s < 119.5:
		return fmt.Sprintf("%.0f s", s)
	case s < 7170:
		return fmt.Sprintf("%.0f min", s/60)
	default:
		return fmt.Sprintf("%.1f h", s/3600)
	}
}
