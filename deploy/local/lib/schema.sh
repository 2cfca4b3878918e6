# Tables, rights and first rows, once MariaDB is up. auth-svc owns the schema and brings it up to date.

SCHEMA_PBX_TABLES="ps_endpoints ps_auths ps_aors ps_contacts ps_endpoint_id_ips queues queue_members voice_extensions user_presence"

schema_migrate() {
	[ -x "$BIN/auth-svc" ] || die "mariadb: auth-svc makes the tables, and is not in $BIN: run make"
	part auth-svc part_prepare
	(set -a && . "$RUN/env/auth-svc" && "$BIN/auth-svc" --migrate) >"$RUN/log/migrate" 2>&1 ||
		die "the schema could not be brought up to date: $(tail -1 "$RUN/log/migrate")"
}

# Asterisk may touch its own tables, and no user's password hash.
schema_grant() {
	local table
	for table in $SCHEMA_PBX_TABLES; do
		echo "GRANT SELECT, INSERT, UPDATE, DELETE ON mayday.$table TO asterisk@'$NEIGHBOURS';"
	done | mariadb_client
}

schema_apply() {
	schema_migrate
	schema_grant
	mariadb_client <"$LOCAL/seed.sql"
}
