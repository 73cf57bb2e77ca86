package checker_test

import (
	"testing"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
)

// Every line of the table keeps the contract of checkers.
func TestConformance(t *testing.T) {
	for _, c := range checker.Kinds() {
		t.Run(c.Name, func(t *testing.T) { checkertest.Conformance(t, c) })
	}
}
