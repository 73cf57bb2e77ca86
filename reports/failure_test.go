package reports

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

func broken(t *testing.T, stack string, code map[string]scenarios.StageFunc, property history.Property, plan ...string) (*history.History, history.Finding) {
	t.Helper()
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	sc, err = sc.Bind(&scenarios.Code{Owner: "example.com/shop.TestShop", Stages: code, Sites: true})
	require.NoError(t, err)
	c := &scenarios.Case{Version: scenarios.CaseVersion, Intent: scenarios.Intent{Scenario: sc, Stack: stack, Fault: history.HuntFault,
		PlanType: scenarios.PlanHunting, Plan: plan, Owner: "example.com/shop.TestShop", Door: scenarios.DoorNative}, Witness: scenarios.Witness{Seed: 1}}
	r, err := scenarios.Run(c, &scenarios.Memory{})
	require.NoError(t, err)
	for _, f := range r.Verdicts.Findings {
		fmt.Println(f.Fingerprint(), f.Event)
		if f.Property == property {
			return r.History, f
		}
	}
	require.Fail(t, "no finding", "%s", r.Row.Prints)
	return nil, history.Finding{}
}

func TestDump(t *testing.T) {
	h, f := broken(t, "at-least-once", shop(), history.PropDuplicateCritical, "when payments.charge/applied{event=order-5} #1 kill $caller for 1s")
	var b bytes.Buffer
	require.NoError(t, WriteFailure(&b, &Outcome{Kind: Broke, Phase: InSearch, Plan: 61, Plans: 61, Budget: 100, Stack: "at-least-once", Finding: &f, History: h, Again: "go test ./charge -run '^TestChargeOnce$' -count=1"}))
	fmt.Println(b.String())
	_ = context.Background
}
