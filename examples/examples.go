// Package examples embeds whole small repositories: documentation, fixtures and the demo at once.
package examples

import "embed"

// FS holds each example under its name.
//
//go:embed all:flights
var FS embed.FS
