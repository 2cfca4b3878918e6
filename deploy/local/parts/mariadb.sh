# MariaDB: our tables and the PBX's realtime tables, in one database. root comes by the socket alone.
. "$LOCAL/lib/schema.sh"
NEIGHBOURS=${NET%%.*}.% # a client at a loopback address shows itself as 127.0.0.1
SOCKET=$RUN/mariadb/socket

part_listens() { echo "tcp $NET.3:3306"; }

part_prepare() {
	make_directory "$RUN/mariadb" 700
	if [ ! -d "$RUN/mariadb/data" ]; then
		# --force: on a machine that cannot look up its own name
		rm -rf "$RUN/mariadb/data.partial"
		mariadb-install-db --no-defaults --user=root --datadir="$RUN/mariadb/data.partial" \
			--auth-root-authentication-method=socket --skip-test-db --force >"$RUN/log/mariadb-install" 2>&1 ||
			die "mariadb: the data folder could not be made: $(head -1 "$RUN/log/mariadb-install") (see $RUN/log/mariadb-install)"
		mv "$RUN/mariadb/data.partial" "$RUN/mariadb/data"
	fi
	secret db-mayday >/dev/null
	secret db-asterisk >/dev/null
}

part_command() {
	echo "exec mariadbd --no-defaults --user=root --datadir='$RUN/mariadb/data' --socket='$SOCKET' --pid-file='$RUN/mariadb/pid' \\
	--bind-address=$NET.3 --port=3306 --skip-name-resolve --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci \\
	--default-time-zone=+00:00 --innodb-buffer-pool-size=64M --innodb-log-file-size=16M --performance-schema=off --max-connections=200"
}

mariadb_client() { mariadb --no-defaults --socket="$SOCKET" --default-character-set=utf8mb4 mayday "$@"; }
mariadb_root() { mariadb --no-defaults --socket="$SOCKET" "$@"; }
part_ready() { mariadb_root -e 'SELECT 1'; }

# mayday owns the database; asterisk gets its own tables alone.
mariadb_users() {
	mariadb_root <<-SQL
		CREATE DATABASE IF NOT EXISTS mayday CHARACTER SET utf8mb4;
		CREATE USER IF NOT EXISTS mayday@'$NEIGHBOURS', asterisk@'$NEIGHBOURS';
		ALTER USER mayday@'$NEIGHBOURS' IDENTIFIED BY '$(<"$(secret db-mayday)")', asterisk@'$NEIGHBOURS' IDENTIFIED BY '$(<"$(secret db-asterisk)")';
		GRANT ALL ON mayday.* TO mayday@'$NEIGHBOURS';
	SQL
}

part_finish() {
	mariadb_users
	schema_apply
}
