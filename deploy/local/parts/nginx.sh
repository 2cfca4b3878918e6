# nginx: the one address that people and programs know; routes are in deploy/nginx/.
part_listens() { echo "tcp $HTTP"; }

nginx_daemons=(auth-svc:8103 ami-gateway:8101 call-lifecycle:8102 ws-fanout:8104 ws-fanout-live:8105)

# nginx_upstream NAME PORT: the first instance, up or not, and every further one that this stack has
nginx_upstream() {
	local name=${1%-live} port=$2 instance
	echo "upstream $1 {"
	for instance in "$name" $(cd "$RUN/service" && compgen -G "$name@*"); do
		echo "	server $(part "$instance" eval 'echo $NET.$DAEMON_HOST'):$port max_fails=1 fail_timeout=2s;"
	done
	printf '\tkeepalive 32;\n}\n'
}

part_prepare() {
	local LISTEN=$HTTP FOLDER=$RUN/nginx RECORDINGS=$RUN/asterisk/spool/monitor daemon file
	make_directory "$RUN/nginx"
	for file in "$REPO"/deploy/nginx/*.conf; do
		render "$file" LISTEN FOLDER RECORDINGS | write "$FOLDER/${file##*/}"
	done
	for daemon in "${nginx_daemons[@]}"; do nginx_upstream "${daemon%:*}" "${daemon#*:}"; done | write "$FOLDER/upstreams.conf"
}

part_command() { echo "exec nginx -e stderr -p '$RUN/nginx' -c '$RUN/nginx/nginx.conf' -g 'daemon off;'"; }
part_ready() { "$LOCAL/lib/probe" http "http://$HTTP/healthz"; }

# After a change of its files: reads them again without losing a request.
nginx_reload() { part_prepare && sv hup "$RUN/service/nginx" >/dev/null; }
