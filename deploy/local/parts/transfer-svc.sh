# transfer-svc: transfers, from their request to their history.
. "$LOCAL/lib/daemon.sh"
daemon_place
part_needs() { echo redis mariadb call-lifecycle; }

daemon_settings() {
	daemon_database
	echo "PBX_NAME=main"
}
