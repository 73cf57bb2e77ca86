package faults

import (
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// KindOf is the name of the fault kind that people would call a plan: "none" of no faults, the kind of all its faults
// if they are of one, history.HuntFault otherwise. What no kind does, such as to kill the producer, is a hunt, too.
func KindOf(plan []Fault) string {
	if len(plan) == 0 {
		return history.FaultKinds()[0].Name
	}
	name := kindName(plan[0])
	for _, f := range plan[1:] {
		if kindName(f) != name {
			return history.HuntFault
		}
	}
	return name
}

func kindName(f Fault) string {
	for _, k := range history.FaultKinds() {
		if k.Verb == f.Verb && f.means(k.Target) {
			return k.Name
		}
	}
	return history.HuntFault
}

// means says whether a target of a fault kind stands for those of the fault. Kinds of one verb differ in the role that
// they strike; targets such as @effects say how one is drawn, and any target of the verb will do.
func (f Fault) means(target string) bool {
	switch target {
	case "@broker":
		target = RoleBroker
	case "@primary":
		target = primary
	}
	if strings.HasPrefix(target, "@") {
		return true
	}
	for _, t := range f.Targets {
		if f.role(t) != target {
			return false
		}
	}
	return true
}

// role of a target. A caller is a consumer: nothing else that the kinds strike calls anybody. A node at a hook is that
// of the service which the hook begins with.
func (f Fault) role(target string) string {
	switch {
	case target == "$caller":
		return RoleConsumer
	case target == "$node":
		role, _, _ := strings.Cut(f.Trigger.Hook, ".")
		return role
	case target == primary: // no role: to kill whoever leads is another fault than to kill a node of the store
		return primary
	case strings.HasPrefix(target, "$leader"):
		return RoleBroker
	}
	if role, numbered := roleOf(target); numbered {
		return role
	}
	return target
}
