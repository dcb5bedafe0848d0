package escape

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
)

const secret = "s3cr3t/V@lue+9=x y"

// written are ways in which a program may print a secret without meaning harm.
func written(value string) map[string]string {
	b := []byte(value)
	std := base64.StdEncoding.EncodeToString
	var folded, utf []string
	for i := 0; i < len(value); i += 4 {
		folded = append(folded, value[i:min(i+4, len(value))])
	}
	wide := ""
	for _, u := range utf16.Encode([]rune(value)) {
		wide += string([]byte{byte(u), byte(u >> 8)})
	}
	for _, c := range value {
		utf = append(utf, string(c))
	}
	js, _ := json.Marshal(value)
	return map[string]string{
		"plain": value, "folded": strings.Join(folded, "\n"), "crlf": strings.Join(folded, "\r\n"), "spelled": strings.Join(utf, " "), "utf-16": wide,
		"base64": std(b), "base64, one before": std([]byte("u" + value)), "base64, two before": std([]byte("u:" + value)),
		"basic auth": std([]byte("user:" + value)), "with what follows": std([]byte("ab" + value + "\n")), "raw": base64.RawStdEncoding.EncodeToString(b),
		"url base64": base64.URLEncoding.EncodeToString(b), "wrapped": std(b)[:9] + "\n" + std(b)[9:],
		"hex": hex.EncodeToString(b), "HEX": strings.ToUpper(hex.EncodeToString(b)), "hex dump": fmt.Sprintf("% x", b), "bytes": fmt.Sprintf("%x", b),
		"query": url.QueryEscape(value), "path": url.PathEscape(value), "lower query": lowerEscapes(url.QueryEscape(value)), "json": string(js),
	}
}

func TestRedact(t *testing.T) {
	s := SecretsOf([]string{"MY_TOKEN=" + secret, "PATH=/bin"}, nil)
	for name, text := range written(secret) {
		for _, around := range []string{"%s", "before %s after", "%s\n", "x%s"} {
			data := fmt.Sprintf(around, text)
			got := s.Text(data)
			if !strings.Contains(got, Redacted) || s.Find([]byte(got)) != "" || len(got) > len(data)-len(secret)+len(Redacted) {
				t.Errorf("%s: %q became %q", name, data, got)
			}
			if s.Find([]byte(data)) != "MY_TOKEN" {
				t.Errorf("%s: %q is not found", name, data)
			}
			if again := s.Text(got); again != got {
				t.Errorf("%s: twice is not once: %q, %q", name, got, again)
			}
		}
	}
}

func TestRedactLeavesTheRest(t *testing.T) {
	s := SecretsOf([]string{"MY_TOKEN=" + secret}, nil)
	for _, text := range []string{"", "nothing here", "s3cr3t", "\x00\xff\n", strings.Repeat("s3cr3t/V@lue+9=x", 3)} {
		if got := s.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := s.Text("a " + secret + " b " + secret + " c"); got != "a *** b *** c" {
		t.Errorf("got %q", got)
	}
	var none *Secrets
	if none.Text("x") != "x" || none.Find([]byte("x")) != "" || string(none.Begun([]byte("x"))) != "x" {
		t.Error("no secrets, and yet something is redacted")
	}
}

// What is shown while a program runs must not show half a secret whose other half comes later.
func TestBegun(t *testing.T) {
	s := SecretsOf([]string{"MY_TOKEN=" + secret}, nil)
	for cut := 3; cut < len(secret); cut++ {
		if got := string(s.Begun([]byte("epoch 1\n" + secret[:cut]))); got != "epoch 1\n***" {
			t.Errorf("%q is shown as %q", secret[:cut], got)
		}
	}
	if got := string(s.Begun([]byte("epoch 1\nloss"))); got != "epoch 1\nloss" {
		t.Errorf("got %q", got)
	}
}

func TestSecretsOf(t *testing.T) {
	dir := t.TempDir()
	env := []string{"GITHUB_TOKEN=ghp_0123456789", "NAMED=sixsix", "SHORT_TOKEN=short", "GIT_AUTHOR_NAME=Ann Example", "TOOL_KEY=" + dir, "PLAIN=just some text",
		"DATABASE_DSN=postgres://ann:pa55word@db.example/x", "PEM_KEY=-----BEGIN-----\nMIIEvQIBADANBgkqhkiG\n-----END-----", `GCP_CREDENTIALS={"type":"x","private_key":"abcdefghijklmnopqrstuvwxyz"}`}
	s := SecretsOf(env, []string{"NAMED"})
	for _, text := range []string{"ghp_0123456789", "sixsix", "pa55word", "MIIEvQIBADANBgkqhkiG", "abcdefghijklmnopqrstuvwxyz"} {
		if s.Find([]byte("x"+text+"x")) == "" {
			t.Errorf("%s is not taken for a secret", text)
		}
	}
	for _, text := range []string{"short", "Ann Example", dir, "just some text", "-----BEGIN-----"} {
		if name := s.Find([]byte("x" + text + "x")); name != "" {
			t.Errorf("%s is taken for the secret %s", text, name)
		}
	}
}

// The search agrees with looking for each needle by itself.
func TestSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var env []string
		for i := range 1 + r.IntN(3) {
			env = append(env, fmt.Sprintf("T%d_TOKEN=%s", i, letters(r, 8+r.IntN(5))))
		}
		s := SecretsOf(env, nil)
		data := []byte(letters(r, 400))
		for _, n := range s.needles[:min(len(s.needles), 5)] {
			copy(data[r.IntN(300):], n.text)
		}
		want := map[string]int{}
		for _, n := range s.needles {
			for at := range data {
				if bytes.HasPrefix(data[at:], []byte(n.text)) {
					want[fmt.Sprint(at, n.text)]++
				}
			}
		}
		got := map[string]int{}
		s.index.search(data, func(at, n int) bool { got[fmt.Sprint(at, s.needles[n].text)]++; return true })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("found %v, there are %v", got, want)
		}
	}
}

func letters(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abAB01"[r.IntN(6)]
	}
	return string(b)
}

func FuzzRedact(f *testing.F) {
	s := SecretsOf([]string{"MY_TOKEN=" + secret}, nil)
	for _, text := range written(secret) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := s.Redact(data); s.Find(got) != "" {
			t.Fatalf("%q keeps a secret: %q", data, got)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	var env []string
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 20 {
		env = append(env, fmt.Sprintf("T%d_TOKEN=%s", i, letters(r, 40)))
	}
	s := SecretsOf(env, nil)
	data := make([]byte, 16<<20)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if s.Find(data) != "" {
			b.Fatal("found")
		}
	}
}
