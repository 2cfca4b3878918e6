/* What users.c and agents.c share: reading rows of users, and what goes wrong. */
#ifndef AUTH_SVC_USERS_SQL_H
#define AUTH_SVC_USERS_SQL_H

#include "users.h"

/* The columns that users_on_rows() reads. The teams that a user may see: all from admin on, those
   that it manages, parted by blanks. */
#define USERS_COLUMNS                                                                              \
	"u.id, u.username, u.password_hash, u.role, u.extension, u.display_name, u.email, "        \
	"u.team_id, u.enabled, u.created_at, u.updated_at, "                                       \
	"(SELECT GROUP_CONCAT(team_id ORDER BY team_id SEPARATOR ' ') FROM team_managers "         \
	"WHERE user_id = u.id)"

#define USERS_COLUMNS_COUNT 12

struct users_waiter {
	users_done_fn *done;
	void *context;
};

struct users_waiter *users_waiter_new(users_done_fn *done, void *context);
/* A sql_done_fn with a waiter as context: hands on the rows. */
void users_on_rows(const struct sql_result *sql, void *waiter);
/* False when the role is none. */
bool users_read_row(const struct sql_result *sql, size_t row, struct user *user_r);
enum users_result users_from_sql(const struct sql_result *sql);

#define USERS_INSERT_VALUES 10
/* Binds for users_sql_insert: the user, with created_at and updated_at now. */
extern const char users_sql_insert[], users_sql_by_name[];
void users_bind_insert(const struct user *user, int64_t now_ms,
		       struct sql_value values[USERS_INSERT_VALUES]);

/* Binds for users_sql_update: all of the user, if it is still as it was at updated_at_ms. Returns
   what updated_at becomes. */
#define USERS_UPDATE_VALUES 10
extern const char users_sql_update[];
int64_t users_bind_update(const struct user *user, int64_t now_ms,
			  struct sql_value values[USERS_UPDATE_VALUES]);

/* A line of the audit, if a user of that name has this row version. */
#define USERS_AUDIT_VALUES 9
extern const char users_sql_audit[];
void users_bind_audit(const struct users_actor *actor, int64_t now_ms, const char *action,
		      const char *detail, const char *username, int64_t updated_at_ms,
		      struct sql_value values[USERS_AUDIT_VALUES]);

struct sql_value users_text_or_null(const char *text);

#endif
