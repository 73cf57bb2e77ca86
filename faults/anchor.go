package faults

// Trigger is the keyed hook of the hit: the same action of the same event in every run of the seed.
func (h ObservedHit) Trigger() Trigger {
	if h.Event == "" {
		return Trigger{Hook: h.Hook, Role: h.Role, Nth: h.Nth}
	}
	return Trigger{Hook: h.Hook, Event: h.Event, Stage: h.Stage, Nth: h.Nth}
}

// Anchor is the fault at the hit in place of its own trigger. A target by name that takes part in the hit becomes
// $caller or $node: which member works on an event is chance, that somebody does is the story.
func Anchor(f Fault, h ObservedHit) Fault {
	return f.at(h, func(name string) string {
		switch name {
		case h.Caller:
			return "$caller"
		case h.Node:
			return "$node"
		}
		return name
	})
}

// Place is the fault at the hit for a search over many hits: whoever of the target's role takes part in the hit is
// struck, and where nobody of that role does, the target itself. victim is the node that $caller or $node meant.
func Place(f Fault, h ObservedHit, victim string) Fault {
	return f.at(h, func(name string) string {
		if name == "$caller" || name == "$node" {
			name = victim
		}
		switch role, numbered := roleOf(name); {
		case !numbered:
			return name
		case h.ByRPC && h.Role == role:
			return "$caller"
		case h.NodeRole == role:
			return "$node"
		}
		return name
	})
}

// at is the fault at the hit, with the targets that name nodes spelled anew. What comes after the drain stays there:
// nothing else passes a hook by then. What is about a message stays where it is if the hit has none.
func (f Fault) at(h ObservedHit, spell func(string) string) Fault {
	if f.Trigger.Drained {
		return f
	}
	v, _ := verbByName(f.Verb)
	if v.target == targetMessage && !h.Trigger().sends() {
		return f
	}
	f.Trigger = h.Trigger()
	if v.target != targetNodes {
		return f
	}
	targets := make([]string, 0, len(f.Targets))
	for _, t := range f.Targets {
		if s := spell(t); !contains(targets, s) {
			targets = append(targets, s)
		}
	}
	f.Targets = targets
	return f
}

// Involves says whether a target of the fault takes part in the hit, or is the service or the message that it is about.
func (f Fault) Involves(h ObservedHit) bool {
	for _, t := range f.Targets {
		if t == message && h.Trigger().sends() || t == h.Caller || t == h.Node || t == h.NodeRole || t == h.Role {
			return true
		}
	}
	return false
}

// Matches says whether the hit is the one that the trigger waits for.
func (t Trigger) Matches(h ObservedHit) bool {
	at := h.Trigger()
	if t.Stage == "" {
		at.Stage = ""
	}
	return t == at
}
