# What our own daemons have in common, for their files in parts/: a binary, an address, settings, /readyz.
# Instance N of a daemon listens ten addresses further than instance N-1.

# daemon_place: the last number of its address, and its port, by deploy/services
daemon_place() {
	DAEMON_HOST=$(($(services_field "${PART%@*}" 2) + 10 * (INSTANCE - 1)))
	DAEMON_AT=$NET.$DAEMON_HOST:$(services_field "${PART%@*}" 3)
}

part_exists() { [ -x "$BIN/${PART%@*}" ]; }
part_listens() { echo "tcp $DAEMON_AT"; }

daemon_common() {
	cat <<-ENV
		HTTP_LISTEN=$DAEMON_AT
		LOG_LEVEL=${LOG_LEVEL:-info}
		REDIS_HOST=$NET.2
		REDIS_PORT=6379
		REDIS_USERNAME=${PART%@*}
		REDIS_PASSWORD_FILE=$(secret "redis-${PART%@*}")
	ENV
}

daemon_database() {
	cat <<-ENV
		DB_HOST=$NET.3
		DB_PORT=3306
		DB_USER=mayday
		DB_PASSWORD_FILE=$(secret db-mayday)
		DB_NAME=mayday
	ENV
}

# Lines of sh in settings/PART of the run directory win over what is chosen here.
daemon_own() { [ ! -e "$RUN/settings/$PART" ] || cat "$RUN/settings/$PART"; }

part_prepare() {
	make_directory "$RUN/env" 700
	{ daemon_common && daemon_settings && daemon_own; } | write "$RUN/env/$PART" 600
}

# Wrong settings are said before the start, not after waiting for what cannot become ready.
part_check() {
	sh -c "set -a; . '$RUN/env/$PART'; set +a; exec '$BIN/${PART%@*}' --check" 2>&1 >/dev/null
}

part_command() {
	echo "set -a; . '$RUN/env/$PART'; set +a"
	echo "exec '$BIN/${PART%@*}'"
}

part_ready() { "$LOCAL/lib/probe" http "http://$DAEMON_AT/readyz"; }
