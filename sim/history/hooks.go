package history

import (
	"fmt"
	"strings"
)

// A hook is a named place in a run where a fault may fall. Hook ids follow a closed table of patterns, so a plan
// can be checked against its scenario before anything runs:
//
//	<service>.<op>/{sent,arrived,applied,replied,received}   the five steps of an RPC
//	<role>.disk.{append,fsync}/{started,done}                the two steps of a disk operation
//	<engine transition>                                      group/joined, group/assigned, group/revoked, unit/committing
//
// Each hit has a node (where it happens), a caller (for RPCs), an event and a stage ("" for hooks without one).
const (
	StepSent     = "sent"     // the caller is about to hand the request to the network
	StepArrived  = "arrived"  // the request is at the service, nothing has happened
	StepApplied  = "applied"  // the service's state has changed durably, the caller does not know
	StepReplied  = "replied"  // the reply is on its way
	StepReceived = "received" // the caller has the reply and has not acted on it
)

// RPCSteps are the five steps in order.
func RPCSteps() []string {
	return []string{StepSent, StepArrived, StepApplied, StepReplied, StepReceived}
}

// TransitionHooks are the hooks of engines and groups that are not RPCs.
func TransitionHooks() []string {
	return []string{"group/assigned", "group/generation", "group/revoked", "unit/committed", "unit/committing"}
}

// RPCHook is the id of one step of an RPC.
func RPCHook(serviceOp, step string) string { return serviceOp + "/" + step }

// AnyOp in place of .op says that a service has ops which nobody has listed: payments.* has payments.refund.
const AnyOp = ".*"

// IsOp says whether a service has that op: one of the list, or any of a service whose ops are not listed.
func IsOp(serviceOp string, serviceOps []string) bool {
	for _, so := range serviceOps {
		service, any := strings.CutSuffix(so, AnyOp)
		if serviceOp == so || any && len(serviceOp) > len(service)+1 && strings.HasPrefix(serviceOp, service+".") {
			return true
		}
	}
	return false
}

// CheckHook says whether id follows the table, given the services with their ops ("payments.charge") and the
// roles of a scenario.
func CheckHook(id string, serviceOps, roles []string) error {
	for _, t := range TransitionHooks() {
		if id == t {
			return nil
		}
	}
	what, step, ok := strings.Cut(id, "/")
	if !ok {
		return fmt.Errorf("hook %q has no step (as in payments.charge/applied)", id)
	}
	for _, role := range roles {
		if what == role+".disk.append" || what == role+".disk.fsync" {
			if step == "started" || step == "done" {
				return nil
			}
			return fmt.Errorf("hook %q: a disk operation has the steps started and done", id)
		}
	}
	if IsOp(what, serviceOps) {
		for _, s := range RPCSteps() {
			if s == step {
				return nil
			}
		}
		return fmt.Errorf("hook %q: an RPC has the steps %s", id, strings.Join(RPCSteps(), ", "))
	}
	return fmt.Errorf("hook %q: %q is no operation of this scenario (%s)", id, what, strings.Join(serviceOps, ", "))
}
