// Package templates holds the HTML of the report's pages and the workflows that `plumb init` writes: packages page and flow fill them in. Embedding cannot climb out of a folder, so the
// templates bring their own package. It is not code: what a template needs is worked out before it is executed. It stores nothing.
package templates

import "embed"

// FS holds page/*.html and workflow/*.yml.
//
//go:embed page/*.html workflow/*.yml
var FS embed.FS
