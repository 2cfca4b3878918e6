# What people see of a running stack.

status_where() { part "$1" part_listens | sed -n '1s/^[a-z]* //p'; }

# "redis  up  since 2026-01-31 12:00:00  127.0.40.2:6379  pid 4711"
status_line() {
	local pid seconds
	read -r pid seconds < <(service_pid "$1") || true
	if [ -n "${pid:-}" ]; then
		printf '%-16s up    since %s  %-22s pid %s' "$1" "$(date -d "-$seconds seconds" '+%F %T')" "$(status_where "$1")" "$pid"
	elif [ -e "$RUN/service/$1/down" ]; then
		printf '%-16s down' "$1"
	else
		printf '%-16s FAILING (stack logs %s)' "$1" "$1"
	fi
}

# Exit status 0: something runs and nothing fails.
status_all() {
	local name line bad=
	if [ -z "$(parts_present)" ]; then
		say "the stack is down ($RUN)"
		return 3
	fi
	for name in $(parts_present); do
		line=$(status_line "$name")
		say "$line"
		[[ $line != *FAILING* ]] || bad=yes
	done
	[ -n "$(supervisor_pid)" ] || { say "the supervisor (runsvdir) is gone: stack up starts it again" && bad=yes; }
	[ -z "$bad" ]
}
