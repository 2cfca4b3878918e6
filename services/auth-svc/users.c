#include "users.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, username, password_hash, role, extension, display_name, enabled, created_at"

static const char sql_by_name[] = "SELECT " COLUMNS " FROM users WHERE username = ?";
static const char sql_by_id[] = "SELECT " COLUMNS " FROM users WHERE id = ?";
static const char sql_list[] = "SELECT " COLUMNS " FROM users WHERE id > ? ORDER BY id LIMIT ?";
static const char sql_any[] = "SELECT id FROM users LIMIT 1";
static const char sql_insert[] =
	"INSERT INTO users (username, password_hash, role, extension, display_name, created_at, "
	"updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
static const char sql_insert_first[] =
	"INSERT INTO users (username, password_hash, role, extension, display_name, created_at, "
	"updated_at) SELECT ?, ?, ?, ?, ?, ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM users)";
static const char sql_audit[] =
	"INSERT INTO audit (at, actor_id, actor, address, action, subject, detail) "
	"SELECT ?, ?, ?, ?, ?, username, role FROM users WHERE username = ? AND password_hash = ?";

struct users {
	struct sql_pool *pool;
};

struct users *users_new(struct sql_pool *pool)
{
	struct users *users = mem_new(struct users);

	users->pool = pool;
	return users;
}

void users_free(struct users **_users)
{
	free(*_users);
	*_users = NULL;
}

struct waiter {
	users_done_fn *done;
	void *context;
};

static struct waiter *waiter_new(users_done_fn *done, void *context)
{
	struct waiter *waiter = mem_new(struct waiter);

	*waiter = (struct waiter){done, context};
	return waiter;
}

static void answer(struct waiter *waiter, enum users_result result, const struct user *list,
		   size_t count)
{
	waiter->done(result, list, count, waiter->context);
	free(waiter);
}

/* MariaDB names the key that is doubled: "Duplicate entry 'x' for key 'users_extension'". */
static enum users_result from_sql(const struct sql_result *result)
{
	switch (result->status) {
	case SQL_OK:
		return USERS_OK;
	case SQL_DUPLICATE:
		return strstr(result->error, "'users_extension'") != NULL ? USERS_EXTENSION_TAKEN
									  : USERS_USERNAME_TAKEN;
	case SQL_UNAVAILABLE:
		return USERS_UNAVAILABLE;
	case SQL_FAILED:
		break;
	}
	log_error("a statement failed", log_str("reason", result->error));
	return USERS_FAILED;
}

static void copy(char *out, size_t size, const struct sql_value *value)
{
	snprintf(out, size, "%s", value->kind == SQL_TEXT ? value->text : "");
}

static bool read_user(const struct sql_result *result, size_t row, struct user *user_r)
{
	char role[33];

	snprintf(user_r->id, sizeof(user_r->id), "%lld",
		 (long long)sql_cell(result, row, 0)->number);
	copy(user_r->username, sizeof(user_r->username), sql_cell(result, row, 1));
	copy(user_r->password_hash, sizeof(user_r->password_hash), sql_cell(result, row, 2));
	copy(role, sizeof(role), sql_cell(result, row, 3));
	copy(user_r->extension, sizeof(user_r->extension), sql_cell(result, row, 4));
	copy(user_r->display_name, sizeof(user_r->display_name), sql_cell(result, row, 5));
	user_r->enabled = sql_cell(result, row, 6)->number != 0;
	user_r->created_at_ms = sql_cell(result, row, 7)->number;
	return role_parse(role, &user_r->role);
}

static void on_users(const struct sql_result *sql, void *context)
{
	enum users_result result = from_sql(sql);
	struct user *list;

	if (result != USERS_OK || sql->rows == 0) {
		answer(context, result == USERS_OK ? USERS_NONE : result, NULL, 0);
		return;
	}
	list = mem_array(struct user, sql->rows);
	for (size_t row = 0; row < sql->rows; row++) {
		if (!read_user(sql, row, &list[row])) {
			log_error("a user has an unknown role",
				  log_str("user", list[row].username));
			result = USERS_FAILED;
		}
	}
	answer(context, result, list, result == USERS_OK ? sql->rows : 0);
	free(list);
}

void users_find_by_name(struct users *users, const char *username, users_done_fn *done,
			void *context)
{
	struct sql_value name = sql_text(username);

	sql_query(users->pool, sql_by_name, &name, 1, on_users, waiter_new(done, context));
}

void users_find_by_id(struct users *users, const char *id, users_done_fn *done, void *context)
{
	struct sql_value number = sql_int(strtoll(id, NULL, 10));

	sql_query(users->pool, sql_by_id, &number, 1, on_users, waiter_new(done, context));
}

void users_list(struct users *users, const char *after_id, size_t count, users_done_fn *done,
		void *context)
{
	struct sql_value values[] = {sql_int(strtoll(after_id, NULL, 10)), sql_int((int64_t)count)};

	sql_query(users->pool, sql_list, values, 2, on_users, waiter_new(done, context));
}

static void on_any(const struct sql_result *sql, void *context)
{
	enum users_result result = from_sql(sql);

	answer(context, result == USERS_OK && sql->rows == 0 ? USERS_NONE : result, NULL, 0);
}

void users_any(struct users *users, users_done_fn *done, void *context)
{
	sql_query(users->pool, sql_any, NULL, 0, on_any, waiter_new(done, context));
}

/* The user, the audit's line if there was one to add, and the user as it stands, in one
 * transaction.
 */
static void add(struct users *users, const char *insert, const struct user *user,
		const struct users_actor *actor, struct waiter *waiter)
{
	struct sql_value now = sql_int(clock_wall_ms()), name = sql_text(user->username);
	struct sql_value hash = sql_text(user->password_hash);
	struct sql_value row[] = {
		name,
		hash,
		sql_text(role_name(user->role)),
		sql_text(user->extension[0] != '\0' ? user->extension : NULL),
		sql_text(user->display_name),
		now,
		now,
	};
	struct sql_value line[] = {
		now,
		sql_text(actor->id),
		sql_text(actor->username),
		sql_text(actor->address),
		sql_text("user:created"),
		name,
		hash,
	};
	struct sql_statement statements[] = {
		{insert, row, 7},
		{sql_audit, line, 7},
		{sql_by_name, &name, 1},
	};

	sql_transaction(users->pool, statements, 3, on_users, waiter);
}

void users_add(struct users *users, const struct user *user, const struct users_actor *actor,
	       users_done_fn *done, void *context)
{
	add(users, sql_insert, user, actor, waiter_new(done, context));
}

void users_add_first(struct users *users, const struct user *user, users_done_fn *done,
		     void *context)
{
	struct users_actor daemon = {"", "auth-svc", ""};

	add(users, sql_insert_first, user, &daemon, waiter_new(done, context));
}

void user_write(const struct user *user, struct json_writer *json)
{
	json_begin_object(json);
	json_field_str(json, "id", user->id);
	json_field_str(json, "username", user->username);
	json_field_str(json, "role", role_name(user->role));
	if (user->extension[0] != '\0')
		json_field_str(json, "extension", user->extension);
	json_field_str(json, "displayName", user->display_name);
	json_field_bool(json, "enabled", user->enabled);
	json_field_int(json, "createdAt", user->created_at_ms);
	json_end_object(json);
}
