# ws-fanout: the live events, to browsers and softphones.
. "$LOCAL/lib/daemon.sh"
daemon_place
part_needs() { echo redis; }

part_listens() {
	echo "tcp $DAEMON_AT"
	echo "tcp $NET.$DAEMON_HOST:8105"
}

daemon_settings() {
	echo "WS_LISTEN=$NET.$DAEMON_HOST:8105"
}
