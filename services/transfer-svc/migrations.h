/* The table of this service, brought up to date. */
#ifndef TRANSFER_SVC_MIGRATIONS_H
#define TRANSFER_SVC_MIGRATIONS_H

#include "sql_migrate.h"

/* Blocks. Returns as sql_migrate(). */
int migrations_run(const struct sql_settings *settings, char **error_r);
/* --migrate [VERSION]: as sql_migrate_command(). */
int migrations_command(const char *version);

#endif
