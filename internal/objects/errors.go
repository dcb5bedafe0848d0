package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/retry"
)

// ErrSpoilt says that the service itself found an object to hold other bytes than were once written.
var ErrSpoilt = errors.New("the bytes are not those that were written")

func isSpoilt(err error) bool { return strings.Contains(err.Error(), "checksum did not match") }

var errNoCredentials = errors.New("there are no credentials")

// emulated says that Google's library was told to talk to a server of tests.
func emulated() bool { return os.Getenv("STORAGE_EMULATOR_HOST") != "" }

// credentials says where each service's library looks for them.
var credentials = map[string]string{
	"s3":     "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE or ?profile=), or the role of the machine or job",
	"gs":     "GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default login`, or the account of the machine or job",
	"azblob": "AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING, `az login`, or the identity of the machine",
}

// refusals are answers that no other try changes, by what the services call them: what it means and what to do ("%s" is where credentials come from).
var refusals = []struct{ said, means, hint string }{
	{"RequestTimeTooSkewed", "this machine's clock is wrong", "set the clock (`timedatectl`): requests are signed with the time"},
	{"Request date header too old", "this machine's clock is wrong", "set the clock (`timedatectl`): requests are signed with the time"},
	{"InvalidAccessKeyId", "it does not know these credentials", "give those of this service: %s"},
	{"UserNotFound", "it does not know these credentials", "give those of this service: %s"},
	{"SignatureDoesNotMatch", "the secret does not belong to the key", "give both of one pair: %s"},
	{"InvalidToken", "it does not take this session token", "get fresh credentials: %s"},
	{"ExpiredToken", "the session token has expired", "get fresh credentials: %s"},
	{"AuthenticationFailed", "it does not accept these credentials", "give those of this service: %s"},
	{"AuthorizationPermissionMismatch", "these credentials may not do this", "they need to list, read and write objects"},
	{"failed to refresh cached credentials", "there are no credentials", "give them: %s"},
	{"DefaultAzureCredential", "there are no credentials", "give them: %s"},
	{"there are no credentials", "there are no credentials", "give them: %s"},
	{"Options.AccountName is required", "no storage account is named", "set AZURE_STORAGE_ACCOUNT, or write ?storage_account= behind the address"},
	{"NoSuchBucket", "there is no such bucket", "make it, or see [store] url in plumb.toml"},
	{"ContainerNotFound", "there is no such container", "make it, or see [store] url in plumb.toml"},
	{"The specified bucket does not exist", "there is no such bucket", "make it, or see [store] url in plumb.toml"},
	{"InvalidBlobOrBlock", "another program's unfinished upload lies under that name", "finish or delete it with that program; Azure drops it after a week"},
	{"PermanentRedirect", "the bucket is in another region", "write ?region= behind the address"},
	{"AuthorizationHeaderMalformed", "the bucket is in another region", "write ?region= behind the address"},
	{"an AWS region is required", "no region is named", "write ?region= behind the address, or set AWS_REGION"},
	{"Invalid region", "no region is named", "write ?region= behind the address, or set AWS_REGION"},
}

// refusal gives what an answer says, as one of the table's words, or "".
func refusal(err error) string {
	text := err.Error()
	for _, r := range refusals {
		if strings.Contains(text, r.said) {
			return r.said
		}
	}
	return ""
}

// status is the HTTP status of a service's answer, or 0.
func status(err error) int {
	var amazon *awshttp.ResponseError
	var azure *azcore.ResponseError
	var google *googleapi.Error
	switch {
	case errors.As(err, &amazon):
		return amazon.HTTPStatusCode()
	case errors.As(err, &azure):
		return azure.StatusCode
	case errors.As(err, &google):
		return google.Code
	}
	return 0
}

func isForbidden(err error) bool {
	return status(err) == http.StatusForbidden || status(err) == http.StatusUnauthorized
}

// temporary says whether the same request may go well later.
func temporary(err error) bool {
	if errors.Is(err, context.Canceled) || refusal(err) != "" || isSpoilt(err) || retry.Unreachable(err) || isForbidden(err) {
		return false
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound, gcerrors.PermissionDenied, gcerrors.InvalidArgument, gcerrors.FailedPrecondition, gcerrors.AlreadyExists, gcerrors.Unimplemented:
		return false
	}
	return true
}

// explain turns a service's answer into an error that says what is wrong and what to do. An absent object is fs.ErrNotExist, a refusal fs.ErrPermission.
func (b *Bucket) explain(doing string, err error) error {
	var own retry.Final
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own.Err
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s: %w", doing, b.name, err)
	case errors.Is(err, retry.ErrStalled):
		return problem.Failedf("see whether the service is up; what was done so far is kept", "%s %s: %w", doing, b.name, err)
	}
	if isSpoilt(err) {
		return fmt.Errorf("%s %s: %w", doing, b.name, ErrSpoilt)
	}
	if said := refusal(err); said != "" {
		for _, r := range refusals {
			if r.said == said {
				return problem.Failedf(strings.ReplaceAll(r.hint, "%s", credentials[b.scheme]), "%s %s: %s (%s): %w", doing, b.name, r.means, short(err), fs.ErrPermission)
			}
		}
	}
	switch code := gcerrors.Code(err); {
	case code == gcerrors.NotFound:
		return fmt.Errorf("%s %s: %w", doing, b.name, fs.ErrNotExist)
	case code == gcerrors.PermissionDenied || isForbidden(err):
		return problem.Failedf("give credentials that may: "+credentials[b.scheme], "%s %s: these credentials may not do this (%s): %w", doing, b.name, short(err), fs.ErrPermission)
	case retry.Unreachable(err):
		return problem.Failedf("see the network, [store] url and HTTPS_PROXY", "%s %s: it can't be reached: %s", doing, b.name, short(err))
	}
	return problem.Failedf("try again later; what was done so far is kept", "%s %s: %s", doing, b.name, short(err))
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

var (
	secrets = regexp.MustCompile(`\?[^\s"']+|(?i)(sig|signature|token|secret|password)=[^\s&"']+`)
	blanks  = regexp.MustCompile(`[\s-]*\n[\s-]*|\s{2,}`)
)

const maxError = 300

// short keeps an error of a library to a line, without what a signed request holds.
func short(err error) string {
	text := blanks.ReplaceAllString(secrets.ReplaceAllString(err.Error(), ""), " ")
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return text
}
