# runit keeps the parts running: a service folder for each, one runsvdir above them, svlogd below.

supervisor_pid() {
	local pid
	pid=$(cat "$RUN/runsvdir.pid" 2>/dev/null) && running "$pid" &&
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "runsvdir -P $RUN/service" && echo "$pid"
}

# service_write PART: nothing starts by itself: the file "down" says so until `sv up`
service_write() {
	local folder=$RUN/service/$1
	make_directory "$folder/log"
	make_directory "$RUN/log/$1"
	{ echo '#!/bin/sh' && echo 'exec 2>&1' && part "$1" part_command; } | write "$folder/run" 755
	printf '#!/bin/sh\nexec svlogd %q\n' "$RUN/log/$1" | write "$folder/log/run" 755
	printf 's1000000\nn5\n' | write "$RUN/log/$1/config"
	service_is_up "$1" || touch "$folder/down"
}

supervisor_start() {
	[ -z "$(supervisor_pid)" ] || return 0
	setsid runsvdir -P "$RUN/service" </dev/null >>"$RUN/log/runsvdir" 2>&1 9>&- &
	echo $! >"$RUN/runsvdir.pid"
}

# SIGTERM ends runsvdir alone; the services are stopped one by one, in their order.
supervisor_stop() {
	local pid
	pid=$(supervisor_pid) && kill -TERM "$pid" && wait_until 5 not_running "$pid"
	rm -f "$RUN/runsvdir.pid"
}

not_running() { ! running "$1"; }
service_watched() { sv status "$RUN/service/$1" 2>/dev/null | grep -qE '^(run|down|finish):'; }
service_is_up() { [[ $(sv status "$RUN/service/$1" 2>/dev/null) == run:* ]]; }

# "PID SECONDS" of a part that runs
service_pid() { sv status "$RUN/service/$1" 2>/dev/null | sed -nE 's/^run: [^ ]+ \(pid ([0-9]+)\) ([0-9]+)s.*/\1 \2/p'; }

# One of our daemons whose binary was built anew since it started
service_is_outdated() {
	local pid
	read -r pid _ < <(service_pid "$1") && [[ $(readlink "/proc/$pid/exe") == "$(realpath "$BIN")/"*" (deleted)" ]]
}

service_start() {
	wait_until 10 service_watched "$1" || die "$1: runit does not take it up (see $RUN/log/runsvdir)"
	! service_is_outdated "$1" || { say "$1: was built anew, restarting it" && service_stop "$1"; }
	rm -f "$RUN/service/$1/down"
	sv up "$RUN/service/$1" >/dev/null
}

# Asked to stop; killed after 10 s. The log runs on.
service_stop() {
	service_watched "$1" || return 0
	sv -w 10 force-stop "$RUN/service/$1" >/dev/null 2>&1 || true
	touch "$RUN/service/$1/down"
}

# Stopped, its log and its runsv too.
service_end() {
	service_watched "$1" || return 0
	sv -w 10 force-shutdown "$RUN/service/$1" >/dev/null 2>&1 || true
}

service_last_words() { tail -n "${2:-8}" "$RUN/log/$1/current" 2>/dev/null | sed 's/^/    /'; }
