package shelf

// entry is one place in a heap, ordered by at, then by place. What it says may be out of date: whoever takes it looks.
type entry struct {
	at       int64 // when; 0 in a heap that is ordered by place alone
	place    int64
	receives int32
}

func (a *entry) less(b *entry) bool { return a.at < b.at || a.at == b.at && a.place < b.place }

// heap is a binary heap with the least entry first.
type heap []entry

func (h *heap) push(e entry) {
	*h = append(*h, e)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if !s[i].less(&s[up]) {
			return
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *heap) pop() entry {
	s := *h
	least, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for i := 0; ; {
		low := 2*i + 1
		if low >= last {
			return least
		}
		if low+1 < last && s[low+1].less(&s[low]) {
			low++
		}
		if !s[low].less(&s[i]) {
			return least
		}
		s[i], s[low] = s[low], s[i]
		i = low
	}
}
