#include "migrations.h"

#include "settings.h"

#define FOLDER "services/auth-svc/migrations/"

SQL_EMBED(migration_0001, FOLDER "0001_pbx.sql");
SQL_EMBED(migration_0002, FOLDER "0002_users.sql");
SQL_EMBED(migration_0002_back, FOLDER "0002_users.back.sql");
SQL_EMBED(migration_0003, FOLDER "0003_identity.sql");
SQL_EMBED(migration_0003_back, FOLDER "0003_identity.back.sql");

static const struct sql_migration migrations[] = {
	{1, "0001_pbx", migration_0001, NULL},
	{2, "0002_users", migration_0002, migration_0002_back},
	{3, "0003_identity", migration_0003, migration_0003_back},
	{0},
};

int migrations_run(const struct sql_settings *set, char **error_r)
{
	return sql_migrate(set, "auth-svc", migrations, error_r);
}

int migrations_command(const char *version)
{
	return sql_migrate_command(&settings.sql, "auth-svc", migrations, version);
}
