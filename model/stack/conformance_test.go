package stack_test

import (
	"testing"

	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/stack/stacktest"
)

func TestConformance(t *testing.T) {
	for _, k := range stack.Layers() {
		t.Run(k.Name, func(t *testing.T) { stacktest.Run(t, k) })
	}
}
