// Package record is what the program writes down: the ledger's records, the bundle that one job hands to the next, and every JSON shape.
// Programs outside this repository read them, so what is written here holds: fields may be added, none is renamed, removed or given another
// meaning without a new "/v2".
//
// A record is immutable: it is encoded once, named by its own bytes, and never edited. The package reads and writes bytes; where they live is
// the ledger's business.
//
// # Ledger
//
//	runs/<experiment>/<yyyy-mm>/<id>.toml          inputs, result, parameters, split, timings, pointers
//	snapshots/<dataset>/<yyyy-mm>/<id>.toml        a dataset as pinned, its profile and quality
//	comparisons/<model>/<yyyy-mm>/<id>.toml        two answers, each metric's difference and verdict, gates
//	versions/<model>/<n>.toml                      artifact, run; n counts from 1 without gaps
//	stages/<model>/<stage>/<n>.toml                which version serves, and why
//	monitors/<monitor>/<yyyy-mm>/<id>.toml         one window of a source: drift, quality, what each trigger made of it, the pin it asked for
//	decisions/<choice>/<yyyy-mm>/<id>.toml         a choice and its reason; `expired` and `forgotten` list blobs that are no longer kept, `disowned` names a
//	                                               record that counts for nothing
//
// A decision has choice and reason; `expired` and `forgotten` have blobs (their SHA-256, sorted, at most 500 a record) and bytes. The record is written before the
// blobs go, and a blob that it lists is missing on purpose.
//
// A decision `disowned` has record, a path of the ledger, and sha256, of the bytes there, in hex: the record with these bytes counts for nothing, in every list, page
// and number that is made of records, and can be read by its path. Of other bytes at that path it says nothing. It can be disowned itself, by a decision that stands,
// which takes it back. The number of a disowned version or stage is not given out again. A disowned record stays where it is.
//
// An id is the time as 20010630T120000Z, a dash, and the first 12 hex digits of the SHA-256 of the file's bytes. Of two runs with the same inputs,
// actor "ci" counts before "human", then the earlier, then the id.
//
// # Tags
//
// Version and stage records are repeated in annotated tags of the grammar that GTO reads, for other tools; records decide, and a tag follows from its
// record alone, so that two who write it write one object. <model>@v<n>.0.0 and <model>#<stage>#<n> (the next free number where another tool took that
// one; <folder>=<model> of a project in a folder) both point at the version's commit, because GTO knows a version by its commit: a version of a
// commit that has one already has no tag. Author and time are the record's. The message is a line for people, an empty line, and
//
//	record: versions/delay/3.toml
//	sha256: <64 hex digits of the record's bytes>
//	ledger: <tip when it was claimed; no line when there was none>
//
// # Proof
//
// `plumb verify` holds all of this: a record against its name and digests, what it names against what is there, the branch's commits (none takes a record away
// or changes one), tips that tags, versions and sites name against the branch's history, tags against records, blobs against pointers, and numbers against
// evaluations, models and the pinned rows. A blob that is gone on purpose has a decision, and so has a record that is
// disowned: what is wrong with it is a note then, and so is that nothing is. A record of a kind, folder or schema that a program does not know is
// left alone by it, and is no fault.
//
// # Digests
//
// Always SHA-256, written sha256:<64 hex>. A table is digested as its RFC 8785 canonical JSON: times as RFC 3339 in UTC; integers beyond ±2^53, NaN
// and infinities are refused. Values that equal their default are left out, so formatting a document, or a later default, changes nothing.
//
//   - question: task, label, weight, split, threshold rule, and of the dataset its times, late columns and declared types.
//   - experiment: features, train, predict and params after extends. Hypothesis and expectation have a digest of their own.
//   - dataset: logical content. Per column the SHA-256 over its values in row order, each a null byte (0 or 1) and the value: int64, date (days) and
//     timestamp (µs, UTC) as 8 bytes big-endian; float64 its bits, −0 as 0 and one NaN; bool 1 byte; string its length as uint64 and UTF-8; decimal
//     its unscaled text and scale. The digest is that of the array of [name, type, column digest] and the number of rows. File boundaries,
//     compression and layout are invisible.
//   - feature.<view>: the view's document, and content, times, late columns and declared types of each dataset that it reads.
//   - code: the files of train.code by path, mode and SHA-256; for a built-in learner its name and version. environment: the file of train.lock.
//   - seed, semantics: integers. A changed meaning in plumb itself raises semantics.
//
// The digest of all of these is the run's key. A result's digest covers metrics, valid, predictions and model, numbers rounded to 10 significant
// digits; time, place and cost lie outside both.
//
// # Rows
//
// row_id is a row's ordinal in its dataset. Split by time, with T the newest event: test is event > T − test, valid is T − test − valid < event ≤
// T − test; a train or valid row whose label is known only after its part is left out. Split by hash: the bucket is the first 8 bytes of
// SHA-256("split" 0x00 key) as big-endian uint64, mod 10000; test takes the lowest buckets, then valid. An evaluation holds the test rows, then the
// valid rows, each by row_id: part, row_id, key, label, scores, scores of further seeds, weight, group, slices.
//
// A multiclass label has at most 200 classes: the values of the label in rows that play a part. Its evaluation has a column score_<class> each, in
// this order: whole numbers by size when every class is one, else by their bytes. Classes that differ by capitals only are refused, since engines
// don't tell such columns apart. Two answers are compared over the classes of both; a class that a model never saw has the score 0.
//
// # Features
//
// A view's feature answers every question of a model exactly once, asked at t, the event of its row. An aggregate is over rows of the same entity whose
// known time is in (t − window, t], never the row itself; of no row it is null, a count 0. A query's is the row of the same entity with the newest
// feature_time, t − ttl ≤ feature_time ≤ t, among those with known_time ≤ t; of one feature_time the newest created_time (null is the oldest), of one
// created_time the largest value (null is the least). An entity that is null matches nothing; dates are midnights, times without a zone are UTC.
//
// plumb.features/v1 is the struct Features, plumb.feature/v1 FeatureView, plumb.feature_check/v1 FeatureChecks, plumb.feature_diff/v1 FeatureDiff.
//
// # Repeats and operations
//
// An experiment with `repeats` = R is trained with the seeds seed … seed + R − 1. The first is served, and metrics, valid and the model are its own; the
// evaluation has a column repeat_<k>, of several classes repeat_<k>_<class>, for each seed k from the second on, all of which the digest of predictions
// covers. A run says `repeats`, and `same_seeds` when the second seed gave the scores of the first, so that no further was tried and no column is
// there. In a comparison base and head are means over the seeds, base_spread and head_spread their standard deviations, and `training` is half of how
// wide the spread of seeds alone makes the interval; internal/compare/seeds.go has the formula. `seeds` of a side: tried; same; elsewhere, when they
// answered other rows and the side is the served model with their spread; thresholds, where each chose its own.
//
// `operations` of a run are latency_p50_ms, latency_p95_ms and latency_p99_ms of `calls` rows, one at a time after a warm-up, features at hand, and
// throughput_rps, many rows at once; or `why` there are none. JSON joins model_bytes and train_seconds (of the first seed) to them.
// They are no input and no result.
//
// # Windows
//
// The windows of a monitor tile time in its length from a Monday on (0001-01-01, UTC). A result is of the last full one before its time; `missed`
// counts those since the last result. A trigger's condition is true, false or unknown; it fires when it has been true in enough windows that follow
// one another, and has not fired within its cooldown. A window without a result ends a row of windows.
//
// A column of plumb.drift/v1 with `changed` holds values of another kind than it did (was and is, types of a lock), or is in no file any more (no is): it has
// drifted, and its effect, p and q are null. A result repeats it in `changed`, by column; `new` lists columns that the pinned rows do not have.
//
// # Sweeps
//
// Each cell of a sweep is a run of its own, with `set` and the tag `sweep`, the first 12 hex digits of the digest of the experiment's name and its cells'
// input digests: the same grid on the same inputs is the same sweep. plumb.sweep/v1 is the struct Sweep, plumb.matrix/v1 the struct Matrix. A run
// with `set` or `sweep`, or of files that no commit has (`dirty`), is a try: it is never taken for what a commit asks for.
//
// # Runs made elsewhere
//
// What a person recorded is a claim. A flow that finds such a run by its input digest lets its model score the pinned rows, believes these scores only,
// and refuses the run when its numbers are not theirs. The comparison's head then has `who`, and points at the rows as scored there; a push lists the
// ids in `runs_scored`.
//
// # A person's program
//
// Its run has no result.model, since the same inputs may give other bytes. artifact is the model's one file, with its `name`, or a tar of several
// (application/x-tar: sorted by name, no times, no owners). log (text/plain, UTF-8) is what it printed, without secrets: at most 1 MiB of the beginning
// and of the end of each of training and scoring. sandbox says what held it, "landlock <version>" or "none: <why>". The details' `reported` are learning
// curves of the program's own word, thinned to 200 points. What it is given and must leave stands in package program.
//
// # Bundle
//
// A folder with bundle.json, result.json, records/**.toml and blobs/<sha256>; at most 2,000 members and 200 MB, regular files with these names only.
package record
