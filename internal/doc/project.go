package doc

import (
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Project is plumb.toml.
type Project struct {
	Head
	Name   string          `toml:"name" about:"the project's name; a second project in one repository has the ledger plumb/ledger-NAME"`
	Branch string          `toml:"branch" default:"main" about:"the intent branch: what is merged there is wanted"`
	Store  Store           `toml:"store"`
	Engine Engine          `toml:"engine"`
	Roles  map[string]Role `toml:"roles"`
	Limits Limits          `toml:"limits"`

	Publishers []string `toml:"publishers" about:"e-mail addresses whose commits may bring ledger records that say ci; plumb@localhost and the forge's bots when absent"`
}

// Engine says what runs SQL: `duckdb` (default).
type Engine struct {
	Driver  string `toml:"driver" default:"duckdb" enum:"duckdb" about:"what runs SQL"`
	Memory  string `toml:"memory" about:"a size such as \"4GiB\"; half of the machine when absent"`
	Threads int    `toml:"threads" about:"how many; the machine's cores when absent"`
}

// Role is a hat and who wears it.
type Role struct {
	Who []string `toml:"who" about:"logins or teams, as \"@ann\""`
}

// Limits bound what is taken in from others; zero means the default.
type Limits struct {
	BundleMembers int    `toml:"bundle_members" default:"2000" about:"files that a bundle may have"`
	BundleBytes   string `toml:"bundle_bytes" default:"200MB" about:"the size that a bundle may have"`
	Ledger        string `toml:"ledger" default:"512MiB" about:"how much of the ledger's branch is received from the remote at once"`
}

func (p *Project) check(c checker) {
	if c.required("name") && !ValidID(p.Name) {
		c.at("id", "name").errorf("%q is not a name: %s", p.Name, idRule)
	}
	if _, err := ParseStoreURL(p.Store.URL); err != nil {
		s := c.at("store", "store", "url")
		if strings.ContainsAny(p.Store.URL, "@?#") { // then it may hold a secret, and a problem is shown with its line
			s.pos = problem.Pos{File: s.pos.File}
		}
		s.errorf("store.url: %v", err).hint("%s", problem.Hint(err))
	}
	p.Store.Keep.check(c)
	c.size("engine", "memory")(p.Engine.Memory)
	c.size("limits", "bundle_bytes")(p.Limits.BundleBytes)
	c.size("limits", "ledger")(p.Limits.Ledger)
	c.notNegative(float64(p.Engine.Threads), "engine", "threads")
	c.notNegative(float64(p.Limits.BundleMembers), "limits", "bundle_members")
	if strings.HasPrefix(p.Branch, "-") || strings.ContainsAny(p.Branch, " ~^:?*[\\") || p.Branch == "" {
		c.at("branch", "branch").errorf("%q is not the name of a branch", p.Branch)
	}
	for _, name := range sortedKeys(p.Roles) {
		if !ValidID(name) {
			c.at("id", "roles", name).errorf("%q is not a name: %s", name, idRule)
		}
	}
}
