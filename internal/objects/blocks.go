package objects

import (
	"context"
	"crypto/md5" //nolint:gosec // by which Azure knows a block that was spoilt on its way
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	azure "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/plumb-ml/plumb/internal/parts"
)

// blocks is Azure's own uploads in blocks, which lie under the object's name until a list of them makes it; Azure drops them a week after the last one came.
// Several may send the same blocks at once: who commits second names blocks that the first has committed.
type blocks struct {
	container *container.Client
	prefix    string
}

func (a *blocks) put(ctx context.Context, b *Bucket, o Object) error {
	whole, blob := wholeOf(o, maxParts), a.container.NewBlockBlobClient(a.prefix+o.Name)
	return b.try(ctx, func(ctx context.Context, alive func()) error {
		there := arrived(ctx, blob)
		ids := make([]string, whole.Count())
		err := whole.Send(ctx, alive, func(ctx context.Context, p parts.Part) error {
			id := blockID(p)
			ids[p.Index] = id
			if there[id] == int64(len(p.Data)) {
				return nil
			}
			sum := md5.Sum(p.Data) //nolint:gosec // as above
			_, err := blob.StageBlock(ctx, id, p.Body(alive), &blockblob.StageBlockOptions{TransactionalValidation: azure.TransferValidationTypeMD5(sum[:])})
			return err
		})
		if err != nil {
			return err
		}
		done := beat(alive, b.patience)
		defer done()
		_, err = blob.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{HTTPHeaders: &azure.HTTPHeaders{BlobContentType: to.Ptr(mediaType(o))}})
		return err
	})
}

// blockID says which bytes a block has, and where. All ids of an object must be as long; the client's own are 64 bytes too, so those that an upload of it left
// are in nobody's way.
func blockID(p parts.Part) string {
	id := append(make([]byte, 0, 64), "plumb "...)
	id = binary.BigEndian.AppendUint64(id, uint64(p.Index))
	id = append(binary.BigEndian.AppendUint64(id, uint64(len(p.Data))), p.SHA256[:]...)
	return base64.StdEncoding.EncodeToString(id[:64])
}

// arrived gives the sizes of blocks that lie under a name and belong to no object; none when the service does not say, or not to us. Those of the object itself
// are not believed: its bytes may be what has to be mended.
func arrived(ctx context.Context, blob *blockblob.Client) map[string]int64 {
	list, err := blob.GetBlockList(ctx, blockblob.BlockListTypeUncommitted, nil)
	if err != nil {
		return nil
	}
	out := map[string]int64{}
	for _, b := range list.UncommittedBlocks {
		if b != nil && b.Name != nil && b.Size != nil {
			out[*b.Name] = *b.Size
		}
	}
	return out
}

// left gives none: a list would name the objects, and not what has arrived of them.
func (a *blocks) left(context.Context, time.Time, func()) ([]Unfinished, error) { return nil, nil }

func (a *blocks) abort(context.Context, Unfinished) error { return nil }

// erase drops blocks by an empty object in their place, as Azure deletes only objects; its emulator deletes blocks too.
func (a *blocks) erase(ctx context.Context, name string) {
	blob := a.container.NewBlockBlobClient(a.prefix + name)
	_, _ = blob.Delete(ctx, nil)
	if len(arrived(ctx, blob)) == 0 {
		return
	}
	if empty, err := blob.Upload(ctx, parts.Part{}.Body(func() {}), nil); err == nil {
		ours := &azure.AccessConditions{ModifiedAccessConditions: &azure.ModifiedAccessConditions{IfMatch: empty.ETag}}
		_, _ = blob.Delete(ctx, &azure.DeleteOptions{AccessConditions: ours})
	}
}
