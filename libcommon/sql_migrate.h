/* Versioned schema changes: each runs once, in order, recorded in schema_migrations (component,
   version, name, checksum, applied_at). Safe to repeat and to run from several processes at once
   (GET_LOCK). Blocks: for a start-up step or --migrate only. */
#ifndef COMMON_SQL_MIGRATE_H
#define COMMON_SQL_MIGRATE_H

#include "sql_settings.h"

struct sql_migration {
	int version;      /* counts from 1 */
	const char *name; /* NULL ends the list */
	const char *sql;  /* statements parted by ";\n" */
};

/* Returns the number of changes applied, or -1 with *error_r owned by the caller. A change whose
   checksum differs from the one recorded is an error. */
int sql_migrate(const struct sql_settings *settings, const char *component,
		const struct sql_migration *migrations, char **error_r);

#endif
