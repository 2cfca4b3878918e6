# Redis: nothing is evicted, everything is appended to a file and flushed once a second.
part_listens() { echo "tcp $NET.2:6379"; }

part_prepare() {
	local DATA=$RUN/redis ADDRESS=$NET.2 PASSWORD
	PASSWORD=$(<"$(secret redis)")
	make_directory "$DATA" 700
	render "$REPO/deploy/redis/redis.conf" DATA ADDRESS PASSWORD | write "$DATA/redis.conf" 600
}

part_command() { echo "exec redis-server '$RUN/redis/redis.conf'"; }

redis_client() { REDISCLI_AUTH=$(<"$RUN/secrets/redis") redis-cli -h "$NET.2" "$@"; }
part_ready() { [ "$(redis_client ping)" = PONG ]; }
