package gitdb

// ownedByUs is left to the git program, which checks when it runs.
func ownedByUs(string) bool { return true }
