package blackbox_test

import (
	"path/filepath"
	"testing"

	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/blackbox/blackboxtest"
)

// Every line of the table keeps the contract of models.
func TestConformance(t *testing.T) {
	var total blackboxtest.Counts
	for _, m := range blackbox.Models() {
		t.Run(m.Name, func(t *testing.T) {
			n := blackboxtest.Conformance(t, m, filepath.Join("testdata", m.Name))
			t.Logf("%d anomalies: %d clean histories, %d planted, %d near misses", len(m.Anomalies), n.Clean, n.Planted, n.Near)
			total.Clean, total.Planted, total.Near = total.Clean+n.Clean, total.Planted+n.Planted, total.Near+n.Near
		})
	}
	t.Logf("in all: %d clean histories, %d planted, %d near misses", total.Clean, total.Planted, total.Near)
}
