// Package storetest starts the servers that stores speak to, for tests: real ones, as processes of their own, on this machine.
//
// A program that is not installed skips the test; with PLUMB_REQUIRE naming it, its absence is a failure.
package storetest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Need finds a program.
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv("PLUMB_REQUIRE"), ","), name) {
		t.Fatalf("PLUMB_REQUIRE asks for %s, and there is none", name)
	}
	t.Skipf("no %s here", name)
	return ""
}

// FreePort gives a port of 127.0.0.1 that nobody listens on.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String()) // as Listen writes it
	return port
}

// start runs a server until the test ends, and waits until it listens.
func start(t testing.TB, port, program string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(program)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
	})
	for range 600 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	said, _ := os.ReadFile(log.Name())
	t.Fatalf("%s does not listen:\n%s", program, said)
}

// S3 is an S3 server with one bucket.
type S3 struct {
	Port, Dir string // Dir is the bucket's folder
}

// StartS3 starts versitygw with a bucket, and gives this process credentials for it.
func StartS3(t testing.TB) S3 {
	t.Helper()
	program := Need(t, "versitygw")
	top := t.TempDir()
	s := S3{FreePort(t), filepath.Join(top, "bucket")}
	if err := os.Mkdir(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	start(t, s.Port, program, "--access", "plumb", "--secret", "plumbplumb", "--port", "127.0.0.1:"+s.Port, "posix", top)
	for name, value := range s.Env() {
		t.Setenv(name, value)
	}
	return s
}

// Env is what a client's environment needs.
func (S3) Env() map[string]string {
	return map[string]string{"AWS_ACCESS_KEY_ID": "plumb", "AWS_SECRET_ACCESS_KEY": "plumbplumb", "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull}
}

// Client speaks to it, to see and to do what plumb does not.
func (s S3) Client() *s3.Client {
	return s3.New(s3.Options{Region: "us-east-1", UsePathStyle: true, BaseEndpoint: aws.String("http://127.0.0.1:" + s.Port),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "plumb", SecretAccessKey: "plumbplumb"}, nil
		})})
}

// URL is the store's address under a prefix, which may be empty.
func (s S3) URL(prefix string) string { return S3URL("127.0.0.1:"+s.Port, "bucket/"+prefix) }

// S3URL is an address on any server that speaks S3 over HTTP.
func S3URL(server, place string) string {
	return fmt.Sprintf("s3://%s?endpoint=http://%s&use_path_style=true&region=us-east-1", strings.TrimSuffix(place, "/"), server)
}

// StartRegistry starts a container registry and gives the address of a store in it.
func StartRegistry(t testing.TB) string {
	t.Helper()
	program, port := Need(t, "crane"), FreePort(t)
	start(t, port, program, "registry", "serve", "--address", "127.0.0.1:"+port)
	return "oci://127.0.0.1:" + port + "/team/blobs"
}

// StartGoogle starts fake-gcs-server with a bucket, and gives the address of a store in it.
func StartGoogle(t testing.TB) string {
	t.Helper()
	program, port := Need(t, "fake-gcs-server"), FreePort(t)
	start(t, port, program, "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-public-host", "127.0.0.1", "-log-level", "warn")
	answer, err := http.Post("http://127.0.0.1:"+port+"/storage/v1/b?project=p", "application/json", strings.NewReader(`{"name":"bucket"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	t.Setenv(googleServer, "127.0.0.1:"+port)
	return "gs://bucket/team"
}

// azuriteKey is the key that Azurite's documentation gives to everyone.
const azuriteKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

// StartAzure starts Azurite with a container, and gives the address of a store in it.
func StartAzure(t testing.TB) string {
	t.Helper()
	program, port := Need(t, "azurite-blob"), FreePort(t)
	start(t, port, program, "--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent")
	for name, value := range map[string]string{"AZURE_STORAGE_ACCOUNT": "devstoreaccount1", "AZURE_STORAGE_KEY": azuriteKey} {
		t.Setenv(name, value)
	}
	at := "http://127.0.0.1:" + port + "/devstoreaccount1"
	client, err := azblob.NewClientFromConnectionString("DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey="+azuriteKey+";BlobEndpoint="+at+";", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateContainer(context.Background(), "container", nil); err != nil {
		t.Fatal(err)
	}
	return "azblob://container/team?protocol=http&domain=127.0.0.1:" + port
}
