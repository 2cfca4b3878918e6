# nginx: the one address that people and programs know; routes are in deploy/nginx/.
part_listens() {
	echo "tcp $HTTP"
	echo "tcp $HTTPS"
}

# nginx_upstream NAME PORT [RULE]: the first instance, up or not, and every further one that this stack has
nginx_upstream() {
	local name=${1%-live} port=$2 host number
	name=${name%-sticky}
	host=$(services_field "$name" 2)
	echo "upstream $1 {"
	[ -z "${3:-}" ] || echo "	$3"
	for number in 1 $(cd "$RUN/service" 2>/dev/null && compgen -G "$name@*" | sed 's/.*@//'); do
		echo "	server $NET.$((host + 10 * (number - 1))):$port max_fails=1 fail_timeout=2s;"
	done
	printf '\tkeepalive 32;\n}\n'
}

nginx_upstreams_of() {
	nginx_upstream "$1" "$3"
	[ "$4" = - ] || nginx_upstream "$1-live" "$4"
	[ "$4" = - ] || nginx_upstream "$1-sticky" "$4" 'hash $remote_addr consistent;'
}

# A certificate of our own, for a machine that nobody else knows; a real one is put at the same place.
nginx_certificate() {
	local folder=$RUN/secrets/tls
	[ ! -e "$folder/certificate.pem" ] || return 0
	make_directory "$folder" 700
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=mayday \
		-addext "subjectAltName=DNS:localhost,IP:${HTTPS%:*}" -keyout "$folder/key.pem" -out "$folder/certificate.new" \
		2>"$RUN/log/certificate" || die "nginx: no certificate: $(tail -1 "$RUN/log/certificate")"
	chmod 600 "$folder/key.pem" "$folder/certificate.new"
	mv "$folder/certificate.new" "$folder/certificate.pem"
}

part_prepare() {
	local LISTEN=$HTTP TLS_LISTEN=$HTTPS FOLDER=$RUN/nginx RECORDINGS=$RUN/asterisk/spool/monitor file
	local STATIC=$RUN/static TLS_FOLDER=$RUN/secrets/tls LOG=/dev/stdout USER=root
	local RATE_LOGIN=${MAYDAY_RATE_LOGIN:-20} RATE_API=${MAYDAY_RATE_API:-1000} RATE_HEAVY=${MAYDAY_RATE_HEAVY:-20} RATE_SOCKET=${MAYDAY_RATE_SOCKET:-50}
	make_directory "$FOLDER"
	make_directory "$STATIC"
	nginx_certificate
	for file in "$REPO"/deploy/nginx/*.conf; do
		render "$file" LISTEN TLS_LISTEN FOLDER RECORDINGS STATIC TLS_FOLDER LOG USER RATE_LOGIN RATE_API RATE_HEAVY RATE_SOCKET |
			write "$FOLDER/${file##*/}"
	done
	services_each nginx_upstreams_of | write "$FOLDER/upstreams.conf"
}

part_command() { echo "exec nginx -e stderr -p '$RUN/nginx' -c '$RUN/nginx/nginx.conf' -g 'daemon off;'"; }
part_ready() { "$LOCAL/lib/probe" http "http://$HTTP/healthz"; }

# After a change of its files: reads them again without losing a request.
nginx_reload() { part_prepare && sv hup "$RUN/service/nginx" >/dev/null; }
