package scenarios

import "slices"

// over lays the fields over a scenario: maps are merged, everything else is replaced. Its field stack lies over the stack
// of that name, in whatever place of the list it is.
func (o *overlay) over(root *docNode, stack string) *docNode {
	fields := *o.node
	fields.fields = slices.Clone(fields.fields)
	var own *docNode
	fields.fields = slices.DeleteFunc(fields.fields, func(f docField) bool {
		if f.key.text == "stack" {
			own = f.value
			return true
		}
		return false
	})
	out := merge(root, &fields)
	if own != nil {
		overStack(out, stack, own)
	}
	return out
}

// overStack replaces the entry of the list of stacks.
func overStack(root *docNode, stack string, over *docNode) {
	for i, f := range root.fields {
		if f.key.text != "stacks" {
			continue
		}
		list := *f.value
		list.items = slices.Clone(list.items)
		for j, item := range list.items {
			if name := item.field("name"); name != nil && name.text == stack {
				list.items[j] = merge(item, over)
			}
		}
		root.fields[i].value = &list
	}
}

// merge is a with b laid over it; neither changes.
func merge(a, b *docNode) *docNode {
	if a == nil || a.kind != mapNode || b.kind != mapNode {
		return b
	}
	out := *a
	out.fields = slices.Clone(a.fields)
next:
	for _, f := range b.fields {
		for i := range out.fields {
			if out.fields[i].key.text == f.key.text {
				out.fields[i].value = merge(out.fields[i].value, f.value)
				continue next
			}
		}
		out.fields = append(out.fields, f)
	}
	return &out
}
