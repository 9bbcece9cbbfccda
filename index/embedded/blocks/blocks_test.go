package blocks_test

import (
	"errors"
	"slices"
	"testing"

	"ken/index/embedded/blocks"
)

// sealed returns a file of n blocks, and the ranges that it asked for since it was opened.
func sealed(t *testing.T, n int) (f *blocks.File, data []byte, asked *[][2]int) {
	t.Helper()
	body := make([]byte, n*blocks.Size-100)
	for i := range body {
		body[i] = byte(i * 7 / 3)
	}
	data, asked = blocks.Seal(body), &[][2]int{}
	f, err := blocks.Open(data, func(from, to int) { *asked = append(*asked, [2]int{from / blocks.Size, (to - 1) / blocks.Size}) })
	if err != nil {
		t.Fatal(err)
	}
	*asked = nil
	return f, data, asked
}

func TestBlocksAreAskedForOnce(t *testing.T) {
	f, _, asked := sealed(t, 100)
	f.Fetch(5*blocks.Size, 5*blocks.Size+10)
	f.Fetch(7*blocks.Size, 9*blocks.Size)
	f.Fetch(0, 0)
	f.Fetch(5*blocks.Size, 9*blocks.Size) // what is missing lies in the middle
	f.Fetch(5*blocks.Size+1, 8*blocks.Size+1)
	if want := [][2]int{{5, 5}, {7, 8}, {6, 6}}; !slices.Equal(*asked, want) {
		t.Errorf("asked for blocks %v, want %v", *asked, want)
	}
	f.Fetch(98*blocks.Size, 100*blocks.Size-100)
	if last := (*asked)[len(*asked)-1]; last != [2]int{98, 99} {
		t.Errorf("asked for blocks %v at the end, want 98 to 99", last)
	}
}

// Rows that are near each other are asked for together, and each block is checked.
func TestRowsAreCheckedWhereTheyLie(t *testing.T) {
	const size = 1000
	rows := []uint32{0, 1, 9, 200, 201, 350}
	set := make([]uint64, 400/64+1)
	for _, row := range rows {
		set[row/64] |= 1 << (row % 64)
	}
	for name, check := range map[string]func(*blocks.File) error{
		"rows": func(f *blocks.File) error { return f.CheckRows(0, size, slices.Values(rows)) },
		"set":  func(f *blocks.File) error { return f.CheckSet(0, size, set, 0, len(set)) },
	} {
		t.Run(name, func(t *testing.T) {
			f, data, asked := sealed(t, 100)
			if err := check(f); err != nil {
				t.Fatal(err)
			}
			if want := [][2]int{{0, 2}, {48, 49}, {85, 85}}; !slices.Equal(*asked, want) {
				t.Errorf("asked for blocks %v, want %v", *asked, want)
			}
			for _, at := range []int{0, 2 * blocks.Size, 49 * blocks.Size, 85 * blocks.Size} {
				data[at] ^= 1
				again, err := blocks.Open(data, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := check(again); !errors.Is(err, blocks.ErrDamaged) {
					t.Errorf("byte %d is another: %v", at, err)
				}
				data[at] ^= 1
			}
			data[90*blocks.Size] ^= 1 // nothing lies there
			again, err := blocks.Open(data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(again); err != nil {
				t.Errorf("a block that no row lies in: %v", err)
			}
		})
	}
}
