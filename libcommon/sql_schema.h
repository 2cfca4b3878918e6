/* Brings a component's tables up to date when MariaDB is met for the first time, off the loop, and
   again with back-off until it has worked: for daemons that must come up without MariaDB. */
#ifndef COMMON_SQL_SCHEMA_H
#define COMMON_SQL_SCHEMA_H

#include "health.h"
#include "sql_migrate.h"

#include <stdbool.h>
#include <uv.h>

struct sql_schema;

/* migrate is sql_migrate() of the component. health is borrowed and told; on_ready may be NULL. */
struct sql_schema *sql_schema_open(uv_loop_t *loop, const struct sql_settings *settings,
				   int (*migrate)(const struct sql_settings *settings,
						  char **error_r),
				   struct health_item *health, void (*on_ready)(void *context),
				   void *context);
/* MariaDB can be reached: to be called each time that the pool says so. */
void sql_schema_database_up(struct sql_schema *schema);
bool sql_schema_is_ready(const struct sql_schema *schema);
void sql_schema_close(struct sql_schema **schema);

#endif
