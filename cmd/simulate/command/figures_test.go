package command

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// plainRow is what this test needs of a line of rows.jsonl: it reads the file as any reader of the format would.
type plainRow struct {
	Stack, Fault, Plan string
	Buckets, Excess    map[string]int
	Reorders           int
	Parked             int
	Outside            bool
	Hit                int `json:"faults_hit"`
}

type plainCell struct{ stack, fault string }

// tally is a figure over the runs of a cell.
type tally struct{ sum, worst int }

func (t *tally) add(n int) { t.sum, t.worst = t.sum+n, max(t.worst, n) }

type plainSums struct {
	runs, hit                              int
	extra, lost, notify, parked, reordered tally
	silent, outside                        bool
}

// TestEveryFigureOfTheTable recomputes what compare prints from rows.jsonl, with nothing of the code that prints it.
func TestEveryFigureOfTheTable(t *testing.T) {
	long(t)
	scenarioFile(t)
	const runs = 6
	got := simulate("compare", "small.yaml", "--runs", strconv.Itoa(runs), "--hunt", "2", "--quiet")
	require.Empty(t, got.errors)
	cells, columns := plainCells(t), defaultColumns()
	require.Len(t, cells, 3*(len(columns)+1))
	main, rest, found := strings.Cut(got.out, "\ncontrol (no fault)")
	require.True(t, found)
	figures := 0
	check := func(text string, c *plainSums, of *tally, silent bool) {
		figures++
		switch {
		case of.sum == 0 && c.hit == 0:
			require.Equal(t, "?", text)
		case of.sum == 0:
			require.Equal(t, "–", text)
		default:
			mark := ""
			if silent {
				mark = "!"
			}
			after := ""
			if c.outside {
				after = "°"
			}
			require.Equal(t, fmt.Sprintf("%s%s (%d)%s", mark, plainMean(of.sum, c.runs), of.worst, after), text)
		}
	}
	var stack string
	for _, line := range strings.Split(main, "\n") {
		if m := regexp.MustCompile(`^(\S+)? +(extra|lost) +(.*)$`).FindStringSubmatch(line); m != nil && !strings.Contains(line, "=") {
			if m[1] != "" {
				stack = m[1]
			}
			for i, text := range entries(m[3]) {
				c := cells[plainCell{stack, columns[i]}]
				require.NotNil(t, c, line)
				if m[2] == "extra" {
					check(text, c, &c.extra, false)
				} else {
					check(text, c, &c.lost, c.silent)
				}
			}
		}
	}
	require.Equal(t, 3*2*len(columns), figures)
	_, second, found := strings.Cut(rest, "Extra notifications by one fault")
	require.True(t, found)
	for _, line := range strings.Split(second, "\n") {
		name, tail, _ := strings.Cut(line, " ")
		if cells[plainCell{name, "none"}] == nil {
			continue
		}
		for i, text := range entries(tail) {
			c := cells[plainCell{name, columns[i]}]
			check(text, c, &c.notify, false)
		}
	}
	require.Equal(t, 3*3*len(columns), figures)
	require.Contains(t, rest, fmt.Sprintf("nothing extra, nothing lost in any stack, %d runs each", runs))
	for k, c := range cells {
		require.Equal(t, runs, c.runs)
		require.False(t, k.fault == "none" && (c.extra.sum > 0 || c.lost.sum > 0), k)
		for head, of := range map[string]*tally{"parked": &c.parked, "reordered": &c.reordered} {
			if of.sum > 0 && k.fault != "none" {
				note := regexp.MustCompile(`(?m)^` + head + ` (.*\n( {10,}.*\n)*)`).FindString(got.out)
				one := regexp.MustCompile(`[·d ] *([^:·]*\b` + k.stack + `\b[^:]*: [^·]*)`).FindString(strings.Join(strings.Fields(note), " "))
				require.Contains(t, one, fmt.Sprintf("%s (%d)", plainMean(of.sum, c.runs), of.worst), "%s of %v", head, k)
			}
		}
	}
}

// defaultColumns are the fault kinds of a default comparison, as the help of list prints them.
func defaultColumns() (names []string) {
	for _, line := range strings.Split(simulate("list", "faults").out, "\n") {
		if m := regexp.MustCompile(`^(\S+) +.*`).FindStringSubmatch(line); m != nil && m[1] != "none" {
			names = append(names, m[1])
		}
	}
	return names[:9]
}

func plainCells(t *testing.T) map[plainCell]*plainSums {
	cells := map[plainCell]*plainSums{}
	for _, line := range strings.Split(strings.TrimSpace(read(t, "out", "rows.jsonl")), "\n") {
		var r plainRow
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		if r.Plan != "measuring" {
			continue
		}
		k := plainCell{r.Stack, r.Fault}
		if cells[k] == nil {
			cells[k] = &plainSums{}
		}
		c := cells[k]
		c.runs++
		if r.Hit > 0 {
			c.hit++
		}
		c.extra.add(r.Excess["critical"])
		c.notify.add(r.Excess["notify"])
		c.lost.add(r.Buckets["lost_silent"] + r.Buckets["lost_known"])
		c.parked.add(r.Parked)
		c.reordered.add(r.Reorders)
		c.silent = c.silent || r.Buckets["lost_silent"] > 0
		c.outside = c.outside || r.Outside
	}
	return cells
}

// plainMean writes a mean as tables do: one decimal below ten, and below a twentieth two.
func plainMean(sum, runs int) string {
	mean := float64(sum) / float64(runs)
	switch {
	case mean >= 9.95:
		return strconv.FormatFloat(math.Floor(mean+0.5), 'f', 0, 64)
	case mean >= 0.095:
		return strconv.FormatFloat(math.Floor(mean*10+0.5+1e-9)/10, 'f', 1, 64)
	}
	return strconv.FormatFloat(math.Floor(mean*100+0.5+1e-9)/100, 'f', 2, 64)
}

// entries splits a line of the table; two blanks stand between figures.
func entries(line string) []string {
	return regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1)
}
