# call-lifecycle: what the events mean: calls, agents, queues.
. "$LOCAL/lib/daemon.sh"
daemon_place
part_needs() { echo redis ami-gateway; }

daemon_settings() {
	daemon_database
	echo "PBX_NAME=main"
	echo "LIFECYCLE_RECORDINGS_DIR=$RUN/asterisk/spool/monitor"
}
