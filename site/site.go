// Package site holds what every report is shipped with: style, script and the chart library, copied as they are. build/ says how the library's bundle
// was made. It is not code and it stores nothing.
package site

import "embed"

// FS holds assets/*.
//
//go:embed assets
var FS embed.FS
