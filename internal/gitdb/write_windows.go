package gitdb

// mayWrite is not known before something is written.
func mayWrite(string) bool { return true }
