/* Keeps the files of recordings: reads each once when it is over (size and checksum, for Redis and
   MariaDB), and removes it when its time has come. Several instances may do the same. */
#ifndef LIFECYCLE_KEEPER_H
#define LIFECYCLE_KEEPER_H

#include "redis_link.h"
#include "sql.h"

#include <uv.h>

struct keeper;

struct keeper_settings {
	struct redis_link *link; /* borrowed, as all */
	struct sql_pool *sql;    /* NULL: no history */
	const char *folder;
	int64_t keep_days;
};

struct keeper *keeper_open(uv_loop_t *loop, const struct keeper_settings *set);
/* What is under way finishes by itself, without effect. */
void keeper_close(struct keeper **keeper);

#endif
