# What a pod of the StatefulSet redis does before its two containers start: writes their configuration. The first pod is the primary unless the
# Sentinels know another. sh of the image redis.
set -eu
me=$HOSTNAME.redis
primary=redis-0.redis
for other in redis-0.redis redis-1.redis redis-2.redis; do
	[ "$other" = "$me" ] && continue
	known=$(timeout 2 redis-cli -h "$other" -p 26379 sentinel get-master-addr-by-name mayday 2>/dev/null | head -1) || true
	[ -z "$known" ] || { primary=$known && break; }
done
{
	echo "port 6379"
	echo "protected-mode no"
	echo "dir /data"
	echo "aclfile /users/users.acl"
	echo "appendonly yes"
	echo "appendfsync everysec"
	echo 'save ""'
	echo "maxmemory-policy noeviction"
	echo "hash-max-listpack-value 512"
	echo "masteruser replica"
	echo "masterauth $(cat /secrets/redis-replica)"
	echo "replica-announce-ip $me"
	echo "min-replicas-to-write 1"
	echo "min-replicas-max-lag 2"
	[ "$primary" = "$me" ] || echo "replicaof $primary 6379"
} >/data/redis.conf
{
	echo "port 26379"
	echo "protected-mode no"
	echo "dir /tmp"
	echo "sentinel resolve-hostnames yes"
	echo "sentinel announce-hostnames yes"
	echo "sentinel announce-ip $me"
	echo "sentinel monitor mayday $primary 6379 2"
	echo "sentinel auth-user mayday sentinel"
	echo "sentinel auth-pass mayday $(cat /secrets/redis-sentinel)"
	echo "sentinel down-after-milliseconds mayday 2000"
	echo "sentinel failover-timeout mayday 10000"
	echo "sentinel parallel-syncs mayday 1"
} >/data/sentinel.conf
