/* What has to be true before users can be asked for: the schema is up to date, and the first
   superuser is there. Waits for MariaDB, tries again until it is done. */
#ifndef AUTH_SVC_BOOTSTRAP_H
#define AUTH_SVC_BOOTSTRAP_H

#include "health.h"
#include "password.h"
#include "settings.h"
#include "users.h"

#include <uv.h>

struct bootstrap;

/* All borrowed. on_done is called once, when it is done. */
struct bootstrap *bootstrap_open(uv_loop_t *loop, const struct settings *set, struct users *users,
				 struct password *password, struct health *health,
				 void (*on_done)(void *context), void *context);
void bootstrap_close(struct bootstrap **bootstrap);
/* MariaDB is there. */
void bootstrap_database_up(struct bootstrap *bootstrap);
bool bootstrap_is_done(const struct bootstrap *bootstrap);

#endif
