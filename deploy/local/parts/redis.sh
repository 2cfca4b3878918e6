# Redis: nothing is evicted, everything is appended to a file and flushed once a second.
part_listens() { echo "tcp $NET.2:6379"; }

part_prepare() {
	local DATA=$RUN/redis ADDRESS=$NET.2 name before
	for name in $(services_names) replica sentinel; do secret "redis-$name" >/dev/null; done
	secret redis >/dev/null
	make_directory "$DATA" 700
	before=$(cat "$DATA/users.acl" 2>/dev/null || true)
	"$REPO/deploy/redis/make-users" "$RUN/secrets" redis | write "$DATA/users.acl" 600
	# New rights reach one that runs; that ends every connection, so only then.
	[ "$before" = "$(<"$DATA/users.acl")" ] || ! part_ready 2>/dev/null || redis_client acl load >/dev/null
	render "$REPO/deploy/redis/redis.conf" DATA ADDRESS | write "$DATA/redis.conf" 600
}

part_command() { echo "exec redis-server '$RUN/redis/redis.conf'"; }

redis_client() { REDISCLI_AUTH=$(<"$RUN/secrets/redis") redis-cli -h "$NET.2" "$@"; }
part_ready() { [ "$(redis_client ping)" = PONG ]; }
