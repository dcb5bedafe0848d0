// Package plumb is MLOps that lives in a Git repository: the house from the ground up.
//
// This package has no code. It is the tour, in the order in which the code stands; floors_test.go holds every package to it.
//
// # Words
//
// internal/problem is what is wrong with a file and where, and the errors that end a command. internal/stat is statistics without a subject:
// clustered DeLong, resampling of groups, quantiles. internal/digest writes canonical JSON and hashes columns, because everything in plumb is
// looked up by the digest of its inputs. internal/escape is one escaper a sink. internal/onnx writes ONNX files.
// internal/retry is patience with services. templates, site and examples are embedded files.
//
// # Grammar
//
// internal/tomlio is the TOML door: strict reading with positions, writing, editing in place. internal/rule is the one expression language,
// evaluated in Go and written as SQL. internal/table is how rows travel. internal/metric knows every metric's name, unit, direction and formula.
// internal/parts cuts what is large to be sent in parts.
//
// # Papers
//
// internal/doc is what people write: one file a kind of document. internal/record is what the program writes: ledger records, bundles, every
// JSON shape. internal/action reads the CI's environment. internal/model is the formats of models and how they score.
//
// # Judges and hands
//
// Judges are pure: internal/compare (two answers on the same rows), internal/evaluate (one answer), internal/quality (checks), internal/drift (rows
// of two times), internal/trigger (what has to be done about them), internal/maturity (how a team works), internal/value (money), internal/registry
// (versions and stages, from records and tags). Hands touch the world: internal/gitdb (Git), internal/index (runs by column), internal/engine (SQL),
// internal/forge (GitHub), internal/objects and internal/oci (object storage, registries), internal/learn (training), internal/job (a person's
// program, where it can do no harm).
//
// # Keepers and rows
//
// internal/ledger keeps records on a branch, internal/store keeps blobs. internal/dataset pins and profiles data. internal/trainset turns a
// question and an experiment into rows: labels, parts, features as they were known. internal/program is the contract with a person's program that
// learns from them.
//
// # Faces, acts, doors
//
// internal/brief is what every face says alike; internal/comment, internal/page and internal/text are the faces. internal/flow is what happens
// when: lists of steps for a pull request, a push, a publication. internal/cli is the command line, cmd/plumb the program.
package plumb
