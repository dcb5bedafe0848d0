#!/bin/sh
# Runs plumb and sets the step outputs `exit` and `bundle`; plumb itself sets `verdict` and `report-path`.
# Everything it is told comes in environment variables; nothing from them is ever part of a command's text.
set -eu

fail() {
	echo "::error title=plumb::$1"
	exit 2
}

command=${PLUMB_INPUT_COMMAND:-ci}
event=${PLUMB_INPUT_EVENT:-$GITHUB_EVENT_NAME}
bundle=${PLUMB_INPUT_BUNDLE:-}

case ${PLUMB_INPUT_FAIL:-true} in
true) strict=yes ;;
false) strict=no ;;
*) fail "the input fail is neither true nor false" ;;
esac
case $bundle in
*"
"*) fail "the input bundle has a line break" ;;
esac
cd -- "${PLUMB_INPUT_DIRECTORY:-.}" || fail "the input working-directory is not a folder"

# The commits that a bundle speaks of must be there as objects. Nothing is checked out: what they hold is data to the publishing job.
fetch_head() {
	case $PLUMB_HEAD in
	*[!0-9a-f]* | "") fail "the head commit is not a commit" ;;
	esac
	git cat-file -e "$PLUMB_HEAD^{commit}" 2>/dev/null && return
	# The token goes to this server only, and to no file and no command line.
	key=$(printf 'x-access-token:%s' "$GITHUB_TOKEN" | base64 | tr -d '\n')
	GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader" GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $key" \
		git fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head origin "$PLUMB_HEAD" ||
		fail "the head commit $PLUMB_HEAD could not be fetched"
}

code=0
case $command in
ci)
	case $event in
	pull_request | push | schedule) ;;
	workflow_dispatch) event=schedule ;;
	*) fail "there is no flow for this event: run it for pull_request, push or schedule, or give the input event" ;;
	esac
	[ -n "$bundle" ] || bundle=$(mktemp -d "$RUNNER_TEMP/plumb-bundle.XXXXXX")/bundle
	"$PLUMB_PROGRAM" ci --event "$event" --bundle "$bundle" || code=$?
	[ ! -f "$bundle/bundle.json" ] || printf 'bundle=%s\n' "$bundle" >>"$GITHUB_OUTPUT"
	;;
publish)
	[ -f "$bundle/bundle.json" ] || fail "publish needs the input bundle: the folder that the measuring job left"
	fetch_head
	set --
	[ "$event" != schedule ] || set -- --event schedule # a run that a person dispatched is of the schedule too
	"$PLUMB_PROGRAM" publish "$bundle" "$@" || code=$?
	;;
*) fail "the input command is neither ci nor publish" ;;
esac

printf 'exit=%s\n' "$code" >>"$GITHUB_OUTPUT"
[ "$strict" = no ] || exit "$code"
