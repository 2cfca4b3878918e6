# What every script of the local stack shares: where things are, how to speak, how to wait.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
LOCAL=$REPO/deploy/local
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/mayday
RUN=${MAYDAY_RUN:-$REPO/run}        # everything that a stack writes
NET=${MAYDAY_NET:-127.0.40}         # first three numbers of every address of a stack
HTTP=${MAYDAY_HTTP:-127.0.0.1:8004} # where nginx listens
HTTPS=${MAYDAY_HTTPS:-${HTTP%:*}:8443}
BIN=${MAYDAY_BIN:-$REPO/build/bin}  # our daemons
ASTERISK_ROOT=${MAYDAY_ASTERISK_ROOT:-$CACHE/asterisk} # a Debian with Asterisk 22 and the SIP phones

say() { printf '%s\n' "$*"; }
die() { printf 'mayday: %s\n' "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "$1 needs root: run it as root or with sudo"; }

# need_space DIRECTORY MEGABYTES WHAT
need_space() {
	local free
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] || die "disk full: $3 needs $2 MB free in $1, there are $free MB"
}

# make_directory PATH [MODE]: one clear line instead of mkdir's own
make_directory() {
	# shellcheck disable=SC2174 # the mode is meant for the last folder alone
	mkdir -p -m "${2:-755}" "$1" 2>/dev/null || die "cannot create $1: no right to write there, or the disk is full"
}

# take_lock FILE WHAT: one at a time; the lock goes with the process. Children must not inherit it: start them with 9>&-.
take_lock() {
	exec 9>"$1" || die "cannot write $1"
	flock -n 9 && return
	say "$2 is running already, waiting for it"
	flock -w 900 9 || die "$2 still runs after 15 minutes"
}

# A zombie is not running.
running() {
	local state
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [ -n "$state" ] && [ "$state" != Z ]
}

# wait_until SECONDS COMMAND...: 0 as soon as the command succeeds
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# render TEMPLATE NAME...: the template with each @NAME@ replaced by the variable of that name
render() {
	local text name template=$1
	shift
	text=$(<"$template")
	for name; do text=${text//"@$name@"/"${!name}"}; done
	! grep -oE '@[A-Z_]+@' <<<"$text" >&2 || die "$template: placeholders without a value"
	printf '%s\n' "$text"
}
