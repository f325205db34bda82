package main

import "testing"

// TestHighest: the rate found is the one that a reader can take, or the sender's.
func TestHighest(t *testing.T) {
	for _, c := range []struct{ reader, sender, want float64 }{
		{1e9, 300_000, 300_000}, {123_000, 1e9, 123_000}, {5_000, 1e9, 5_000}, {1e9, 1e9, mostRate}, {1, 1e9, 0},
	} {
		tries := 0
		got, err := highest(func(rate int) (float64, bool, error) {
			if tries++; tries > 40 {
				t.Fatalf("%+v: no end", c)
			}
			reached := min(float64(rate), c.sender)
			return reached, reached <= c.reader, nil
		})
		if err != nil || got > max(c.want, mostRate*2) || got > c.reader || got < c.want*0.6 {
			t.Errorf("%+v: found %.0f, %v", c, got, err)
		}
	}
}
