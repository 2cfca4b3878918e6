# ami-gateway: Asterisk's events to Redis, actions from Redis to Asterisk.
. "$LOCAL/lib/daemon.sh"
daemon_place
part_needs() { echo redis asterisk; }

daemon_settings() {
	cat <<-ENV
		PBX_NAME=main
		AMI_HOST=$NET.1
		AMI_PORT=5038
		AMI_USERNAME=gateway
		AMI_SECRET_FILE=$(secret ami-gateway)
	ENV
}

# Ready is also a stand-by; the stack waits until somebody has taken Asterisk over.
part_ready() {
	"$LOCAL/lib/probe" http "http://$DAEMON_AT/readyz" &&
		[ "$(part redis redis_client exists lease:gateway:main)" = 1 ] &&
		[ "$(part redis redis_client hget pbx:main state)" = up ]
}
