# What backup and restore share. Where the stores are comes from the environment, by the daemons' own names; NAME_FILE holds a secret.

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# secret_of NAME: the value of NAME, or of the file that NAME_FILE names
secret_of() {
	local file=$1_FILE
	if [ -n "${!file:-}" ]; then cat "${!file}"; else printf '%s' "${!1:-}"; fi
}

redis() { REDISCLI_AUTH=$(secret_of REDIS_PASSWORD) redis-cli --no-auth-warning -h "${REDIS_HOST:-127.0.0.1}" -p "${REDIS_PORT:-6379}" "${REDIS_USER[@]}" "$@"; }

# The password goes by a file of options that only we can read: it is in no process list.
mariadb_with() {
	local program=$1
	shift
	"$program" --defaults-extra-file=<(printf '[client]\nhost=%s\nport=%s\nuser=%s\npassword="%s"\n' "${DB_HOST:-127.0.0.1}" "${DB_PORT:-3306}" \
		"${DB_USER:-mayday}" "$(secret_of DB_PASSWORD)") --default-character-set=utf8mb4 "$@"
}

mongo() { MONGODB_URI=$(secret_of MONGODB_URI) /usr/bin/python3 "$HERE/mongo" "$@"; }

REDIS_USER=()
[ -z "${REDIS_USERNAME:-}" ] || REDIS_USER=(--user "$REDIS_USERNAME")
DB_NAME=${DB_NAME:-mayday}
