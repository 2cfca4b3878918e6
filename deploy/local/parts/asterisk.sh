# Asterisk 22, in the Debian of the cache. Inside, the run directory is /mayday; its configuration is deploy/asterisk/.
part_needs() { echo mariadb; }

part_listens() {
	echo "tcp $NET.1:5038"
	echo "udp $NET.1:5060"
}

part_prepare() {
	local ADDRESS=$NET.1 DATABASE=$NET.3 TRUNK=$NET.99 NEIGHBOURS=${NET%%.*}.0.0.0 PBX=${MAYDAY_PBX:-main} LIBRARIES file
	local DATABASE_SECRET GATEWAY_SECRET WATCH_SECRET
	[ -x "$ASTERISK_ROOT/usr/sbin/asterisk" ] || die "no Asterisk in $ASTERISK_ROOT: run deploy/local/setup"
	LIBRARIES=/usr/lib/$(uname -m)-linux-gnu
	DATABASE_SECRET=$(<"$(secret db-asterisk)")
	GATEWAY_SECRET=$(<"$(secret ami-gateway)")
	WATCH_SECRET=$(<"$(secret ami-watch)")
	make_directory "$RUN/asterisk" 700
	for file in etc run log db cache moh spool/monitor spool/outgoing spool/parkedcalls; do make_directory "$RUN/asterisk/$file"; done
	for file in "$REPO"/deploy/asterisk/*.{conf,ini}; do
		render "$file" ADDRESS DATABASE TRUNK NEIGHBOURS PBX LIBRARIES DATABASE_SECRET GATEWAY_SECRET WATCH_SECRET |
			write "$RUN/asterisk/etc/${file##*/}" 600
	done
	"$LOCAL/lib/tone" "$RUN/asterisk/moh/tone.wav"
}

part_command() {
	echo "export ODBCSYSINI=/mayday/asterisk/etc ODBCINI=/mayday/asterisk/etc/odbc.ini"
	echo "exec '$LOCAL/lib/inside' '$RUN' '$ASTERISK_ROOT' asterisk -f -C /mayday/asterisk/etc/asterisk.conf"
}

# Asterisk's command line, inside the one that runs
asterisk_cli() {
	local pid
	read -r pid _ < <(service_pid asterisk) || die "asterisk does not run"
	nsenter -t "$pid" -m -r -w asterisk -C /mayday/asterisk/etc/asterisk.conf -rx "$*"
}

part_ready() { asterisk_cli core waitfullybooted | grep -q 'fully booted'; }
