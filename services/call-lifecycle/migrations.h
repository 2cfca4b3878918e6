/* The tables of the history and of its sums, as migrations/<name>.sql: built into the binary. */
#ifndef LIFECYCLE_MIGRATIONS_H
#define LIFECYCLE_MIGRATIONS_H

#include "sql_migrate.h"

/* As sql_migrate(). Blocks. */
int migrations_run(const struct sql_settings *settings, char **error_r);
/* --migrate [VERSION]: as sql_migrate_command(). */
int migrations_command(const char *version);

#endif
