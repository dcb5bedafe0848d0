package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/text"
)

func storeCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "store", GroupID: "keep", Args: cobra.NoArgs,
		Short: "Look after the blobs that records name: list, copy, pack, collect",
		Long: `Models, evaluations and pinned data are blobs, named by their SHA-256. Where they live is [store] url in plumb.toml:

  git                               in the repository, under refs that no clone fetches; up to 50 MB each (the default)
  file://DIR                        a folder; a relative one is inside the project
  s3://BUCKET/PREFIX?region=R       S3 and what speaks like it: ?endpoint=https://… and ?use_path_style=true
  gs://BUCKET/PREFIX                Google Cloud Storage
  azblob://CONTAINER/PREFIX         Azure Blob Storage: ?storage_account=NAME
  oci://REGISTRY/REPOSITORY         a container registry

Credentials are never part of the address. They come from where each service's own tools look: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role;
GOOGLE_APPLICATION_CREDENTIALS; AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY; ` + "`docker login`" + `.

A run keeps its blobs on this machine; ` + "`plumb push`" + ` sends them. Bytes are verified whenever they are read. After a change of the address, blobs that were in the
Git store are still found there; bring along what was elsewhere with ` + "`plumb store copy OLD-ADDRESS`" + `. An upload that was stopped leaves nothing that can be seen as a
blob, and a large one goes on where it was when it is started again, from any machine. What has arrived of it waits:

  s3      as an upload in parts; without s3:ListBucketMultipartUploads, s3:ListMultipartUploadParts and s3:AbortMultipartUpload it begins anew
  gs      as objects under .plumb/parts, which go when the blob is there; a bucket that keeps deleted objects (a week unless you changed it) keeps these too
  azblob  as uncommitted blocks, which Azure drops after a week
  oci     as layers that no manifest names, which the registry collects

` + "`plumb store gc`" + ` drops from s3 and gs what nobody went on with for a week.

[store.keep] says how long: evaluations = "90d", logs = "30d", models = "forever" (of runs that never became a version). What a version, a lock in any commit, or a
push of the last 7 days names stays whatever is said there.`,
		Example: "  plumb store ls\n  plumb store copy git s3://bucket/project?region=eu-west-1\n  plumb store pack\n  plumb store gc",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		if a.json {
			return problem.Wrongf("`plumb store ls --json`", "plumb store needs a verb: ls, copy, pack or gc")
		}
		return c.Help()
	}
	c.AddCommand(storeListCommand(a), storeCopyCommand(a), storePackCommand(a), storeCollectCommand(a))
	return c
}

// apply is the pair of flags of commands that only say what they would do unless they are told to do it.
type apply struct{ yes, dry bool }

func applyFlags(c *cobra.Command) *apply {
	f := &apply{}
	c.Flags().BoolVar(&f.yes, "apply", false, "do it")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "only say what it would do, which is so without --apply too")
	return f
}

func (f *apply) check() error {
	if f.yes && f.dry {
		return problem.Wrongf("--dry-run says what it would do, --apply does it", "--apply and --dry-run contradict each other")
	}
	return nil
}

func storeListCommand(a *app) *cobra.Command {
	var all, verify bool
	c := &cobra.Command{
		Use: "ls", Args: cobra.NoArgs,
		Short: "Say what the store has, and what records name that it lacks; exit 1 when something is missing or wrong",
		Long: `List the blobs of the store by what they are, and those that pushed records name and the store lacks. What was dropped by retention or forgotten is not missing.
With --verify every blob is read and held against its name.`,
		Example: "  plumb store ls\n  plumb store ls --all\n  plumb store ls --verify --json",
	}
	c.Flags().BoolVar(&all, "all", false, "one line a blob")
	c.Flags().BoolVar(&verify, "verify", false, "read every blob")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		i, err := p.Inventory(c.Context(), verify)
		if err != nil {
			return err
		}
		if err := a.print(i, func(o text.Out) error { return printInventory(o, i, all) }); err != nil {
			return err
		}
		if len(i.Missing)+len(i.Wrong) > 0 {
			return answer(problem.ExitNo)
		}
		return nil
	}
	return c
}

func storeCopyCommand(a *app) *cobra.Command {
	var o store.CopyOptions
	c := &cobra.Command{
		Use: "copy FROM [TO]", Args: cobra.RangeArgs(1, 2),
		Short: "Copy every blob from one store to another that lacks it",
		Long: `FROM and TO are addresses as in [store] url; TO is the project's store when it is not given; FROM may be ` + "`here`" + `: what this machine has of any store. Every blob is
verified on its way, and what has arrived is not copied again, so a copy that was stopped goes on. The source keeps what it has. With --verify, what TO has
already is read too, and replaced when its bytes are wrong.`,
		Example: "  plumb store copy git s3://bucket/project?region=eu-west-1 --dry-run\n  plumb store copy file:///old/blobs\n  plumb store copy here --verify",
	}
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "only count what would be copied")
	c.Flags().BoolVar(&o.Verify, "verify", false, "read what the target has, and replace what is wrong")
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		to := ""
		if len(args) == 2 {
			to = args[1]
		}
		done, err := p.CopyStore(c.Context(), args[0], to, o)
		if err != nil {
			return err
		}
		if err := a.print(done, func(out text.Out) error { return printCopied(out, done) }); err != nil {
			return err
		}
		if len(done.Failed) > 0 {
			return answer(problem.ExitNo)
		}
		return nil
	}
	return c
}

func storePackCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "pack", Args: cobra.NoArgs,
		Short: "Fold the Git store's refs of finished days and months into one each",
		Long: `Every push adds a ref under refs/plumb/blobs. Packing makes one ref a day of them, and one a month when it is over, so that there are some hundred at most. No blob is
moved or dropped. It is safe while others push or pack, and may be stopped at any moment. Without --apply it only says what it would do. The scheduled flow
packs too.`,
		Example: "  plumb store pack\n  plumb store pack --apply",
	}
	apply := applyFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := apply.check(); err != nil {
			return err
		}
		p, err := a.open()
		if err != nil {
			return err
		}
		done, err := p.PackStore(c.Context(), apply.yes)
		if err != nil {
			return err
		}
		return a.print(done, func(o text.Out) error { return printPacked(o, done) })
	}
	a.nowFlag(c)
	return c
}

func storeCollectCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "gc", Args: cobra.NoArgs,
		Short: "Remove blobs that nothing needs any more, by [store.keep]",
		Long: `Print the blobs that would go, and why: those that nothing names, and those whose retention has ended. With --apply they are removed, after it was looked up once more, on
the very tip of the ledger, that no record, lock (of any commit of any branch, tag or pull request), tag or push of the last 7 days names them. What
records name is recorded as expired first. Uploads to S3 and to Google that were stopped and that nobody went on with for 7 days are dropped too. What is young is told by the
clock; --now may look into the future without --apply. A store that another project uses too is refused: nobody here knows what its records name.`,
		Example: "  plumb store gc\n  plumb store gc --json\n  plumb store gc --apply",
	}
	apply := applyFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := apply.check(); err != nil {
			return err
		}
		p, err := a.open()
		if err != nil {
			return err
		}
		done, err := p.Collect(c.Context(), apply.yes)
		if err != nil {
			return err
		}
		return a.print(done, func(o text.Out) error { return printCollected(o, done) })
	}
	a.nowFlag(c)
	return c
}

func forgetCommand(a *app) *cobra.Command {
	var reason string
	var force bool
	c := &cobra.Command{
		Use: "forget SHA|RUN", GroupID: "keep", Args: cobra.ExactArgs(1),
		Short: "Erase a blob, or all blobs of a run, everywhere that can be reached",
		Long: `Erase one blob (its SHA-256, 8 digits or more) or all that a run names from the store and from this machine, and leave the reason in the ledger. Records are never edited:
digests, sizes and metrics stay. It says where bytes may still be that it can't reach, and plumb hands them out no more. The model of a version takes --force. Without --apply it only says what it would do.`,
		Example: "  plumb forget 3f786850e387550f --reason \"holds personal data, ticket 123\"\n  plumb forget 20010630T120000Z-0123456789ab --reason \"asked by the customer\" --apply",
	}
	c.Flags().BoolVar(&force, "force", false, "also the model of a version, which can't be served or gone back to then")
	c.Flags().StringVar(&reason, "reason", "", "why; it stays in the ledger")
	apply := applyFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := apply.check(); err != nil {
			return err
		}
		p, err := a.open()
		if err != nil {
			return err
		}
		done, err := p.Forget(c.Context(), flow.ForgetOptions{What: args[0], Reason: reason, Apply: apply.yes, Force: force})
		if err != nil {
			return err
		}
		return a.print(done, func(o text.Out) error { return printForgotten(o, done) })
	}
	a.nowFlag(c)
	return c
}

func dataPullCommand(a *app) *cobra.Command {
	var force, dry bool
	c := &cobra.Command{
		Use: "pull [DATASET]", Args: cobra.MaximumNArgs(1),
		Short: "Bring pinned files that Git does not carry from the store to the working folder",
		Long: `Fetch the files that locks list and Git's tree does not have, verify them, and put them where the lock says. What is there already is left alone; a file with other bytes is an
error, unless --force.`,
		Example:           "  plumb data pull\n  plumb data pull flights --dry-run",
		ValidArgsFunction: completeFrom(a.datasetNames),
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only list them")
	c.Flags().BoolVar(&force, "force", false, "replace files that hold other bytes")
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		done, err := p.PullData(c.Context(), first(args), force, dry)
		if err != nil {
			return err
		}
		return a.print(done, func(o text.Out) error {
			n := 0
			for _, f := range done.Files {
				if f.State != "there" {
					n++
					fmt.Fprintf(o.W, "%s  %s\n", f.State, f.Path)
				}
			}
			verb := "fetched"
			if dry {
				verb = "would fetch"
			}
			_, err := fmt.Fprintf(o.W, "%s %s of %s that Git does not carry\n", verb, count(n, "file"), count(len(done.Files), "file"))
			return err
		})
	}
	return c
}
