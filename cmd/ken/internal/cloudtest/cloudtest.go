//go:build full

package cloudtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// Azure returns the URL of a new container of the emulator that .ci/services
// starts; "" where none runs.
func Azure(t *testing.T) string {
	t.Helper()
	at := os.Getenv("KEN_TEST_AZURITE")
	if at == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("KEN_TEST_AZURITE names no server: run .ci/services")
		}
		t.Log("SKIPPED: azure: KEN_TEST_AZURITE names no server")
		return ""
	}
	const account, key = "ken", "a2Vu" // as .ci/services says
	who, err := azblob.NewSharedKeyCredential(account, key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := azblob.NewClientWithSharedKeyCredential("http://"+at+"/"+account, who, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("handbook%d", time.Now().UnixNano())
	if _, err := client.CreateContainer(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.DeleteContainer(context.WithoutCancel(t.Context()), name, nil) })
	t.Setenv("AZURE_STORAGE_ACCOUNT", account)
	t.Setenv("AZURE_STORAGE_KEY", key)
	return "azblob://" + name + "?" + url.Values{"domain": {at}, "protocol": {"http"}, "localemu": {"true"}}.Encode()
}

// GCS returns the URL of a new bucket of an emulator in this process.
func GCS(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr)
	l.Close()
	s, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1", Port: uint16(at.Port), PublicHost: at.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	s.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "handbook"})
	t.Setenv("STORAGE_EMULATOR_HOST", at.String())
	return "gs://handbook?anonymous=true"
}
