#!/bin/sh
# Finds or builds the plumb program and sets the step output `program` to its path.
# It changes neither PATH nor the environment of later steps: both could be read as configuration by a repository's own code.
set -eu

fail() {
	echo "::error title=plumb::$1"
	exit 3
}

say() { # say NAME VALUE: a step output of one line
	case $2 in
	*"
"*) fail "the path of $1 has a line break" ;;
	esac
	printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

given=${PLUMB_INPUT_BINARY_PATH:-}
if [ -n "$given" ]; then
	case $given in
	/* | [A-Za-z]:*) ;;
	*) fail "binary-path must be an absolute path" ;;
	esac
	if [ ! -f "$given" ] || [ ! -x "$given" ]; then
		fail "binary-path is not a program"
	fi
	say program "$given"
	exit 0
fi

command -v go >/dev/null || fail "building plumb needs Go: add a step with actions/setup-go before this one, or give binary-path"
command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ||
	fail "building plumb needs a C compiler: install one before this step, or give binary-path"

folder=$(mktemp -d "$RUNNER_TEMP/plumb.XXXXXX")
echo "::group::Build plumb"
# The repository's own Go settings (flags, workspace) must not decide how plumb is built.
(
	cd "$GITHUB_ACTION_PATH"
	unset GOFLAGS
	GOWORK=off CGO_ENABLED=1 go build -mod=readonly -trimpath -buildvcs=false -o "$folder/plumb" ./cmd/plumb
) || {
	echo "::endgroup::"
	fail "plumb could not be built; the lines above say why"
}
echo "::endgroup::"
say program "$folder/plumb"
