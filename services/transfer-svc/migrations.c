#include "migrations.h"

#include "settings.h"

static const char transfer_history[] =
	"CREATE TABLE IF NOT EXISTS transfer_history ("
	"transfer_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, "
	"call_id VARCHAR(150) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
	"pbx VARCHAR(16) NOT NULL, kind VARCHAR(16) NOT NULL, "
	"from_extension VARCHAR(32) NOT NULL, customer VARCHAR(32) NOT NULL, "
	"target VARCHAR(80) NOT NULL, result VARCHAR(16) NOT NULL, reason VARCHAR(24) NOT NULL, "
	"requested_by VARCHAR(40) NOT NULL COMMENT 'user id; empty for a phone''s own', "
	"requested_at BIGINT NOT NULL COMMENT 'Unix ms', ringing_at BIGINT NULL, "
	"answered_at BIGINT NULL, ended_at BIGINT NOT NULL, conference BOOLEAN NOT NULL, "
	"KEY requested (requested_at), KEY agent (from_extension, requested_at), "
	"KEY of_call (call_id)) CHARACTER SET utf8mb4";

static const struct sql_migration migrations[] = {
	{1, "0001_transfer_history", transfer_history, NULL},
	{0},
};

int migrations_run(const struct sql_settings *set, char **error_r)
{
	return sql_migrate(set, "transfer-svc", migrations, error_r);
}

int migrations_command(const char *version)
{
	return sql_migrate_command(&settings.sql, "transfer-svc", migrations, version);
}
