package faults

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/internal/words"
	"github.com/twiceless/twiceless/sim/history"
)

// Vocabulary is what a scenario offers to plans. Lists may be in any order.
type Vocabulary struct {
	ServiceOps []string // "payments.charge", brokers' ops too
	Roles      []string // of nodes: "consumer", "broker"; role-n is a node of it
	Services   []string // that refuse and lose-reply may name
	Topics     []string //
	Groups     []string // that replay may name
}

// Check says whether a fault can mean anything in a scenario: its hook, nodes, roles, services and topics exist.
// The numbers of nodes and partitions are not checked: members join, and a target that is not there when the
// trigger fires is a fact (fault-missed).
func Check(f Fault, voc Vocabulary) error {
	if err := f.Validate(); err != nil {
		return err
	}
	var problems []string
	complain := func(err error) {
		if err != nil {
			problems = append(problems, err.Error())
		}
	}
	t := f.Trigger
	if !t.Timed() {
		complain(history.CheckHook(t.Hook, voc.ServiceOps, voc.Roles))
		if t.Role != "" {
			complain(known("role", t.Role, voc.Roles))
		}
	}
	v, _ := verbByName(f.Verb)
	for _, s := range f.Targets {
		complain(checkName(s, v.target, t, voc))
	}
	for _, s := range f.From {
		complain(checkName(s, targetNodes, t, voc))
	}
	if len(problems) > 0 {
		return fmt.Errorf("fault %q: %s", f.String(), strings.Join(problems, "; "))
	}
	return nil
}

// checkName says whether a target exists.
func checkName(s string, kind targetKind, t Trigger, voc Vocabulary) error {
	switch {
	case kind == targetMessage:
		return nil
	case kind == targetService:
		return known("service", s, voc.Services)
	case kind == targetGroup:
		return known("group", s, voc.Groups)
	case kind == targetRole:
		return known("role", s, voc.Roles)
	case s == "$caller" && !isRPC(t.Hook, voc.ServiceOps):
		return fmt.Errorf("$caller: the hook %s is no call, so nobody calls; $node is where it happens", t.Hook)
	case s == "$caller", s == "$node":
		return nil
	}
	if topic, _, ok := leaderOf(s); ok {
		return known("topic", topic, voc.Topics)
	}
	if role, ok := roleOf(s); ok && contains(voc.Roles, role) {
		return nil
	}
	return known("node or role", s, voc.Roles)
}

// roleOf cuts the number off a node's name.
func roleOf(name string) (string, bool) {
	dash := strings.LastIndexByte(name, '-')
	if dash <= 0 {
		return "", false
	}
	n, ok := digits(name[dash+1:], 1<<20)
	return name[:dash], ok && n > 0
}

// isRPC says whether a hook is a step of one of the ops.
func isRPC(hook string, ops []string) bool {
	op, _, _ := strings.Cut(hook, "/")
	return history.IsOp(op, ops)
}

func known(what, s string, list []string) error {
	if contains(list, s) {
		return nil
	}
	return fmt.Errorf("unknown %s %q; %s", what, s, nearest(s, list, "there are: "+strings.Join(list, ", ")))
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func verbList() []string {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

func verbNames() string { return strings.Join(verbList(), ", ") }

// nearest is a hint: the name that was meant, or else the given hint.
func nearest(s string, names []string, otherwise string) string {
	if best := words.Nearest(s, names); best != "" {
		return "did you mean " + best + "?"
	}
	return otherwise
}
