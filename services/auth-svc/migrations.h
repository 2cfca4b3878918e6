/* The schema of the database: the files of migrations/, embedded by the assembler. */
#ifndef AUTH_SVC_MIGRATIONS_H
#define AUTH_SVC_MIGRATIONS_H

#include "sql_migrate.h"

/* Brings the database up to date. Blocks. Returns as sql_migrate(). */
int migrations_run(const struct sql_settings *settings, char **error_r);
/* --migrate [VERSION]: as sql_migrate_command(). */
int migrations_command(const char *version);

#endif
