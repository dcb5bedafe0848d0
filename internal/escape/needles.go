package escape

// needleIndex finds any of many texts in one pass over long data: Wu and Manber's shift table over pairs of bytes ("A fast algorithm for
// multi-pattern searching", 1994). A pass for each text would take minutes for a large model and a few dozen secrets.
type needleIndex struct {
	needles []needle
	window  int              // length of the shortest needle
	shift   [1 << 16]uint8   // by the last two bytes of the window: how far it may move
	ending  map[uint16][]int // needles whose first window bytes end with a pair
}

func indexOf(needles []needle) needleIndex {
	x := needleIndex{needles: needles, ending: map[uint16][]int{}}
	if len(needles) == 0 {
		return x
	}
	x.window = 255
	for _, n := range needles {
		x.window = min(x.window, len(n.text))
	}
	for i := range x.shift {
		x.shift[i] = uint8(x.window - 1)
	}
	for n := range needles {
		text := needles[n].text
		for end := 1; end < x.window; end++ {
			p := pair(text[end-1], text[end])
			x.shift[p] = min(x.shift[p], uint8(x.window-1-end))
		}
		last := pair(text[x.window-2], text[x.window-1])
		x.ending[last] = append(x.ending[last], n)
	}
	return x
}

func pair(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }

// search calls visit for each needle found, with its place and number, until visit says no.
func (x *needleIndex) search(data []byte, visit func(at, needle int) bool) {
	for end := x.window - 1; end > 0 && end < len(data); {
		p := pair(data[end-1], data[end])
		if jump := x.shift[p]; jump > 0 {
			end += int(jump)
			continue
		}
		at := end - x.window + 1
		for _, n := range x.ending[p] {
			text := x.needles[n].text
			if len(data)-at >= len(text) && string(data[at:at+len(text)]) == text && !visit(at, n) {
				return
			}
		}
		end++
	}
}
