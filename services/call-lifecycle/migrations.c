#include "migrations.h"

#include "settings.h"

#define FOLDER "services/call-lifecycle/migrations/"

SQL_EMBED(migration_0001, FOLDER "0001_history.sql");
SQL_EMBED(migration_0002, FOLDER "0002_stats.sql");
SQL_EMBED(migration_0002_back, FOLDER "0002_stats.back.sql");

static const struct sql_migration migrations[] = {
	{1, "0001_history", migration_0001, NULL},
	{2, "0002_stats", migration_0002, migration_0002_back},
	{0},
};

int migrations_run(const struct sql_settings *set, char **error_r)
{
	return sql_migrate(set, "call-lifecycle", migrations, error_r);
}

int migrations_command(const char *version)
{
	return sql_migrate_command(&settings.sql, "call-lifecycle", migrations, version);
}
