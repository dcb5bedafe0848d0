package page

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/plumb-ml/plumb/internal/brief"
)

// maxMarkdown is how much of a text is read as Markdown: goldmark takes time that grows with the square of some inputs.
const maxMarkdown = 4000

// prose renders what people write about a project as Markdown: paragraphs, emphasis, lists, code and links. Raw HTML and addresses of other schemes are
// left out by goldmark, pictures become their text, since a page asks for nothing outside the site. Tables are not read: their cells multiply.
var prose = goldmark.New(goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(plain{}, 100))))

// markdown is the one place where text becomes HTML without html/template: prose writes no tag or attribute that is not its own.
func markdown(source string) template.HTML {
	source = brief.Clip(strings.TrimSpace(source), maxMarkdown)
	if source == "" {
		return ""
	}
	var b bytes.Buffer
	if err := prose.Convert([]byte(source), &b); err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(source) + "</p>")
	}
	return template.HTML(strings.TrimSpace(b.String()))
}

// plain makes a parsed text fit into a page: no pictures, links only to the web, and headings below those of the page.
type plain struct{}

// Transform is goldmark's hook.
func (plain) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var unwanted []ast.Node
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the walker never errs
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = min(n.Level+2, 6)
		case *ast.Image:
			unwanted = append(unwanted, n)
		case *ast.Link:
			if !isWeb(n.Destination) {
				unwanted = append(unwanted, n)
			}
		case *ast.AutoLink:
			if !isWeb(n.URL(reader.Source())) {
				n.AppendChild(n, ast.NewString(n.Label(reader.Source())))
				unwanted = append(unwanted, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range unwanted {
		parent := n.Parent()
		for c := n.FirstChild(); c != nil; c = n.FirstChild() {
			parent.InsertBefore(parent, n, c)
		}
		parent.RemoveChild(parent, n)
	}
}

// isWeb says whether an address leads to a web page: a relative one would lead to a file that the site does not have.
func isWeb(address []byte) bool {
	return bytes.HasPrefix(address, []byte("https://")) || bytes.HasPrefix(address, []byte("http://"))
}
