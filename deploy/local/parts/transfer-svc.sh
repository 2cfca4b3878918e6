# transfer-svc: transfers, from their request to their history.
. "$LOCAL/lib/daemon.sh"
daemon_place 16 8106
part_needs() { echo redis mariadb call-lifecycle; }

daemon_settings() {
	daemon_database
	echo "PBX_NAME=main"
}
