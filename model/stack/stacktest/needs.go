package stacktest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
)

// option is a capability that a called service may have, and may be told to offer.
type option struct {
	capability model.Capability
	can        func(*stack.Service) *bool
	offers     func(*stack.Service) *bool
	asked      func(*model.Offer) bool
}

func options() []option {
	return []option{
		{model.ServiceKey, func(s *stack.Service) *bool { return &s.TakesKeys }, func(s *stack.Service) *bool { return &s.OffersKeys }, func(o *model.Offer) bool { return o.Keys }},
		{model.ResourceFence, func(s *stack.Service) *bool { return &s.CanFence }, func(s *stack.Service) *bool { return &s.OffersFence }, func(o *model.Offer) bool { return o.Fences }},
	}
}

// truthful: a need that is not met is an input error that names what would help; a need that is not declared is no need;
// what a layer brings, it needs; and what it gives, some layer needs.
func truthful(l *Layer) string {
	for _, broken := range []func(*Layer) string{unknownNeeds, neededOptions, neededStores, neededIdentity, uselessGifts} {
		if why := broken(l); why != "" {
			return why
		}
	}
	return ""
}

func (l *Layer) needs(c model.Capability) bool { return slices.Contains(l.make().Needs(), c) }

// unknownNeeds: every need is one that something gives.
func unknownNeeds(l *Layer) string {
	given := []model.Capability{model.EventID, model.GroupFence} // by every producer, and by every log
	for _, o := range options() {
		given = append(given, o.capability)
	}
	for _, k := range store.Kinds() {
		given = append(given, k.Gives...)
	}
	for _, need := range l.make().Needs() {
		if !slices.Contains(given, need) {
			return fmt.Sprintf("needs %s, which nothing gives", need)
		}
	}
	return ""
}

// neededOptions: the layer asks a service for what it needs and for nothing else; where the service cannot, or does not
// offer it, the check says what would help.
func neededOptions(l *Layer) string {
	g := newRig(l)
	defer g.w.Close()
	site := l.site()
	if found := l.flaws(site, nil); len(found) > 0 {
		return fmt.Sprintf("has everything that it needs, and its check reports %q", found)
	}
	for _, o := range options() {
		needs, asked := l.needs(o.capability), o.asked(g.asm.offers[critical])
		if needs != asked {
			return fmt.Sprintf("%s: needed is %t, asked for at the service is %t", o.capability, needs, asked)
		}
		silent := l.flaws(site, func(s *stack.Service) { *o.offers(s) = false })
		unable := l.flaws(site, func(s *stack.Service) { *o.offers(s), *o.can(s) = false, false })
		switch {
		case !needs && len(silent)+len(unable) > 0:
			return fmt.Sprintf("does not need %s, and its check asks for it: %q %q", o.capability, silent, unable)
		case needs && !slices.ContainsFunc(silent, namesAnOption):
			return fmt.Sprintf("needs %s, and where %s could offer it the check does not say how: %q", o.capability, critical, silent)
		case needs && !slices.ContainsFunc(unable, namesALayer):
			return fmt.Sprintf("needs %s, and where %s cannot offer it the check names no layer that would help: %q", o.capability, critical, unable)
		}
	}
	return ""
}

func namesAnOption(f stack.Flaw) bool {
	return strings.Contains(f.Message, "set downstreams."+critical+".")
}

func namesALayer(f stack.Flaw) bool {
	return slices.ContainsFunc(stack.Layers(), func(k stack.LayerKind) bool { return strings.Contains(f.Message, "{ "+k.Name+":") })
}

// site is the place where the layer stands right: around a retry if it demands one; its services can and offer all.
func (l *Layer) site() stack.Site {
	s := stack.Service{Name: critical}
	for _, o := range options() {
		*o.can(&s), *o.offers(&s) = true, true
	}
	site := stack.Site{Engine: "commit-after", Source: source, Called: []stack.Service{s}}
	if len(l.flaws(site, nil)) > 0 {
		site.Inside = []string{"retry"}
	}
	return site
}

// flaws of the layer at a site whose service is changed; nil leaves it.
func (l *Layer) flaws(s stack.Site, change func(*stack.Service)) []stack.Flaw {
	s.Called = slices.Clone(s.Called)
	if change != nil {
		change(&s.Called[0])
	}
	if l.Kind.Check != nil {
		l.Kind.Check(&s, l.values())
	}
	return s.Flaws
}

// neededStores: the stores that the layer brings give exactly what it needs of stores.
func neededStores(l *Layer) string {
	g := newRig(l)
	defer g.w.Close()
	var brought []model.Capability
	for _, s := range g.asm.stores {
		k, ok := store.KindByName(s.Kind)
		if !ok || !slices.ContainsFunc(k.Gives, l.needs) {
			return fmt.Sprintf("brings a store of kind %s, which gives nothing that it needs", s.Kind)
		}
		brought = append(brought, k.Gives...)
	}
	for _, k := range store.Kinds() {
		for _, c := range k.Gives {
			if l.needs(c) && !slices.Contains(brought, c) {
				return fmt.Sprintf("needs %s and brings no store that gives it", c)
			}
		}
	}
	return ""
}

// neededIdentity: a layer that does not say that it needs events to have ids works without them.
func neededIdentity(l *Layer) string {
	if l.needs(model.EventID) {
		return ""
	}
	alone, with := newRig(nil), newRig(l)
	defer alone.w.Close()
	defer with.w.Close()
	alone.round(true)
	with.round(true)
	if !slices.Equal(alone.effects(), with.effects()) {
		return fmt.Sprintf("does not need %s, and without ids there are %d effects in place of %d", model.EventID, len(with.effects()), len(alone.effects()))
	}
	return ""
}

// uselessGifts: what a layer gives is needed by a layer of the table.
func uselessGifts(l *Layer) string {
	for _, gift := range l.make().Gives() {
		needed := slices.ContainsFunc(stack.Layers(), func(k stack.LayerKind) bool {
			return slices.ContainsFunc(variants(k), func(with map[string]string) bool { return (&Layer{k, with}).needs(gift) })
		})
		if !needed {
			return fmt.Sprintf("gives %s, which no layer needs", gift)
		}
	}
	return ""
}
