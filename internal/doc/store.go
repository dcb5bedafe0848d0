package doc

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Store says where blobs live and how long.
type Store struct {
	URL  string `toml:"url" default:"git" about:"where blobs live: git, file://DIR, s3://BUCKET/PREFIX?region=…, gs://BUCKET/PREFIX, azblob://CONTAINER/PREFIX or oci://REGISTRY/REPOSITORY; credentials come from the environment, never from here"`
	Keep Keep   `toml:"keep"`
}

// Keep is retention. What a registered version, its run or a lock names is kept whatever stands here.
type Keep struct {
	Evaluations string `toml:"evaluations" default:"90d" about:"how long a run's scores by row are kept, as \"90d\" or \"forever\""`
	Logs        string `toml:"logs" default:"30d" about:"how long output of training is kept"`
	Models      string `toml:"models" default:"forever" about:"how long models of runs are kept that never became a version"`
}

// Forever is a retention without end.
const Forever = "forever"

// For gives how long blobs of a class (evaluations, logs, models) are kept, and whether there is an end to it at all.
func (k Keep) For(class string) (time.Duration, bool) {
	text := map[string]string{"evaluations": k.Evaluations, "logs": k.Logs, "models": k.Models}[class]
	d, err := Duration(text)
	return d, err == nil && d > 0
}

func (k Keep) check(c checker) {
	for key, text := range map[string]string{"evaluations": k.Evaluations, "logs": k.Logs, "models": k.Models} {
		if text != Forever {
			c.duration(text, "store", "keep", key)
		}
	}
}

// StoreURL is a store's address, taken apart.
type StoreURL struct {
	Scheme string     // git, file, s3, gs, azblob or oci
	Host   string     // the bucket, container or registry
	Path   string     // below it, without slashes at the ends: a prefix or a repository; of file:// the folder as written
	Query  url.Values // parameters of the scheme
}

// storeSchemes are the parameters that each scheme takes, as gocloud.dev names them. Those that could hold a secret are not among them.
var storeSchemes = map[string][]string{
	"file": nil,
	"s3": {"accelerate", "anonymous", "disable_https", "dualstack", "endpoint", "fips", "hostname_immutable", "kmskeyid", "profile", "rate_limiter_capacity", "region",
		"request_checksum_calculation", "response_checksum_validation", "role", "s3ForcePathStyle", "ssetype", "use_path_style"},
	"gs":     {"anonymous", "universe_domain"},
	"azblob": {"cdn", "domain", "localemu", "protocol", "storage_account"},
	"oci":    nil,
}

const (
	storeHint  = `use "git", "file://DIR", "s3://BUCKET/PREFIX?region=…", "gs://BUCKET/PREFIX", "azblob://CONTAINER/PREFIX" or "oci://REGISTRY/REPOSITORY"`
	secretHint = "give them in the environment (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_KEY, `docker login`), and revoke what was committed"
)

var (
	bucketPattern     = regexp.MustCompile(`^[A-Za-z0-9$][A-Za-z0-9._-]+$`) // $root and $web are Azure's
	hostPattern       = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`)
	prefixPattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._=-]*(/[A-Za-z0-9][A-Za-z0-9._=-]*)*$`)
	repositoryPattern = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
)

// ParseStoreURL takes a [store] url apart: "git" (also ""), or a scheme, a place and parameters. Its errors never repeat what could be a secret.
func ParseStoreURL(text string) (StoreURL, error) {
	if text == "" || text == "git" {
		return StoreURL{Scheme: "git"}, nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	params, known := storeSchemes[scheme]
	switch {
	case !ok || !known:
		return StoreURL{}, problem.Wrongf(storeHint, "%q is no kind of store", clipScheme(text))
	case scheme == "file":
		return StoreURL{Scheme: scheme, Path: rest}, fileStoreProblem(rest)
	}
	u, err := url.Parse(text)
	if err != nil {
		return StoreURL{}, problem.Wrongf(storeHint, "the store's %s:// address can't be read as a URL", scheme)
	}
	if u.User != nil {
		return StoreURL{}, problem.Wrongf(secretHint, "the store's %s:// address holds credentials", scheme)
	}
	s := StoreURL{Scheme: scheme, Host: u.Host, Path: strings.Trim(u.Path, "/"), Query: u.Query()}
	if s.Path == "" && s.Query.Get("prefix") != "" { // gocloud.dev's way to say it
		s.Path = strings.Trim(s.Query.Get("prefix"), "/")
	}
	s.Query.Del("prefix")
	if err := s.checkQuery(params); err != nil {
		return StoreURL{}, err
	}
	return s, s.checkPlace(u.Fragment)
}

// clipScheme gives what stands before "://", since what stands behind may be a secret.
func clipScheme(text string) string {
	scheme, _, _ := strings.Cut(text, ":")
	return scheme
}

func fileStoreProblem(path string) error {
	if dir, err := url.PathUnescape(path); err != nil || dir == "" {
		return problem.Wrongf(`as "file:///srv/blobs" or, inside the project, "file://blobs"`, "file:// names no folder")
	}
	return nil
}

func (s StoreURL) checkQuery(params []string) error {
	for key, values := range s.Query {
		if !slices.Contains(params, key) {
			hint := "it takes " + problem.And(params)
			if len(params) == 0 {
				hint = "it takes none"
			}
			return problem.Wrongf(hint+"; secrets: "+secretHint, "%s:// does not take the parameter %q", s.Scheme, key)
		}
		if len(values) != 1 {
			return problem.Wrongf("once is enough", "%s:// has the parameter %q more than once", s.Scheme, key)
		}
	}
	if endpoint := s.Query.Get("endpoint"); endpoint != "" {
		at, err := url.Parse(endpoint)
		switch {
		case err != nil || at.Host == "" || (at.Scheme != "https" && at.Scheme != "http"):
			return problem.Wrongf("as endpoint=https://s3.example.org", "the store's endpoint is no http address")
		case at.User != nil || at.RawQuery != "":
			return problem.Wrongf(secretHint, "the store's endpoint holds credentials or parameters")
		}
	}
	return nil
}

// maxBucket is the longest name that any of the services allows.
const maxBucket = 222

func (s StoreURL) checkPlace(fragment string) error {
	switch {
	case fragment != "":
		return problem.Wrongf(storeHint, "the store's %s:// address has a part behind #", s.Scheme)
	case s.Scheme == "oci" && (!hostPattern.MatchString(s.Host) || !repositoryPattern.MatchString(s.Path)):
		return problem.Wrongf(`as "oci://ghcr.io/owner/repository", in small letters`, "oci:// needs a registry and a repository")
	case s.Scheme != "oci" && (!bucketPattern.MatchString(s.Host) || len(s.Host) > maxBucket):
		return problem.Wrongf(storeHint, "%s:// needs the name of a bucket or container", s.Scheme)
	case s.Scheme != "oci" && s.Path != "" && !prefixPattern.MatchString(s.Path):
		return problem.Wrongf("letters, digits and . _ = -, folders parted by one slash", "%q can't be the prefix of a store", s.Path)
	}
	return nil
}

// String writes the address back.
func (s StoreURL) String() string {
	switch s.Scheme {
	case "git", "":
		return "git"
	case "file":
		return "file://" + s.Path
	}
	u := url.URL{Scheme: s.Scheme, Host: s.Host, RawQuery: s.Query.Encode()}
	if s.Path != "" {
		u.Path = "/" + s.Path
	}
	return u.String()
}
