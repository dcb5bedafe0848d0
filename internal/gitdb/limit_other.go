//go:build !linux

package gitdb

// limitMemory does nothing: here a process cannot bound another.
func limitMemory(int, uint64) {}
