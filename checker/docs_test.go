package checker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
)

// docs/checkers.md tells of each property, with its weight and a file that there is, and of nothing else.
func TestPropertiesAreDocumented(t *testing.T) {
	weights := map[string]string{}
	for _, row := range documented(t, "anomaly | definition | judged from | weight | file") {
		if row[1] == "" { // a heading between the rows
			continue
		}
		require.FileExists(t, row[4])
		for name := range strings.SplitSeq(row[0], ", ") {
			require.NotContains(t, weights, name, "it has two rows")
			weights[name] = row[3]
		}
	}
	judged := map[string]string{}
	for _, c := range checker.Kinds() {
		for _, p := range c.Properties {
			judged[string(p)] = c.Weight.String()
		}
	}
	require.Equal(t, judged, weights)
}

// It tells of each anomaly of each model as `simulate explain` does, in the order of the table.
func TestAnomaliesAreDocumented(t *testing.T) {
	var judged, told [][]string
	for _, m := range blackbox.Models() {
		for _, a := range m.Anomalies {
			judged = append(judged, []string{m.Name, a.Name, a.Doc})
		}
	}
	for _, row := range documented(t, "model | anomaly | definition | by default") {
		told = append(told, row[:3])
		require.Regexp(t, "^(fails|told)", row[3])
	}
	require.Equal(t, judged, told)
}

// documented are the rows of the table with that head in docs/checkers.md.
func documented(t *testing.T, head string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "checkers.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "| "+head+" |\n")
	require.True(t, found, "no table has the head %s", head)
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		if len(cells) == 1 {
			break
		}
		require.Len(t, cells, strings.Count(head, "|")+1, line)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows[1:] // behind the line below the head
}
