package oci

import (
	"encoding/json"
	"io/fs"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	artifactType = "application/vnd.plumb.blob.v1"
	emptyConfig  = types.MediaType("application/vnd.oci.empty.v1+json")
	createdKey   = "org.opencontainers.image.created"
	wholeKey     = "ml.plumb.blob.sha256" // of a blob in parts: what they are together
	maxManifest  = 1 << 20
	maxLayers    = 4000 // Amazon's registry takes 4,200; as many fit into maxManifest
)

// manifest is what stands in the registry for a blob.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// raw is a manifest as bytes, which the library takes.
type raw []byte

func (m raw) RawManifest() ([]byte, error)        { return m, nil }
func (m raw) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func emptyLayer() v1.Layer { return static.NewLayer([]byte("{}"), emptyConfig) }

// manifestOf is the manifest of a blob whose bytes are those of some layers, one after the other.
func manifestOf(b Blob, layers []v1.Descriptor, now time.Time) (raw, error) {
	digest, err := emptyLayer().Digest()
	if err != nil {
		return nil, err
	}
	m := manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: artifactType,
		Config: v1.Descriptor{MediaType: emptyConfig, Digest: digest, Size: 2}, Layers: layers,
		Annotations: map[string]string{createdKey: now.UTC().Format(time.RFC3339)}}
	if len(layers) > 1 {
		m.Annotations[wholeKey] = b.SHA256
	}
	return json.Marshal(m)
}

// descriptor names the layer of a blob.
func (b Blob) descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: mediaType(b), Digest: v1.Hash{Algorithm: "sha256", Hex: b.SHA256}, Size: b.Bytes}
}

// parseManifest reads the manifest of a blob. One of anything else is as good as none.
func parseManifest(data []byte, sum string) (m manifest, info Info, err error) {
	info.SHA256 = sum
	if len(data) > maxManifest || json.Unmarshal(data, &m) != nil || len(m.Layers) == 0 || len(m.Layers) > maxLayers {
		return m, info, fs.ErrNotExist
	}
	whole := m.Layers[0].Digest.Hex
	if len(m.Layers) > 1 {
		whole = m.Annotations[wholeKey]
	}
	if whole != sum {
		return m, info, fs.ErrNotExist
	}
	for _, l := range m.Layers {
		if info.Bytes += l.Size; l.Size < 0 || info.Bytes < 0 {
			return m, info, fs.ErrNotExist
		}
	}
	info.Modified, _ = time.Parse(time.RFC3339, m.Annotations[createdKey]) // of another program: unknown
	return m, info, nil
}
