// Command plumb does MLOps in a Git repository: see `plumb --help`.
package main

import (
	"os"

	"github.com/plumb-ml/plumb/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
