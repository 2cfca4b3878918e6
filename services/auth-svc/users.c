#include "users.h"

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "users_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELECT "SELECT " USERS_COLUMNS " FROM users u "

const char users_sql_by_name[] = SELECT "WHERE u.username = ?";
static const char sql_by_id[] = SELECT "WHERE u.id = ?";
static const char sql_by_extension[] = SELECT "WHERE u.extension = ?";
static const char sql_list[] = SELECT "WHERE u.id > ? ORDER BY u.id LIMIT ?";
static const char sql_agents[] =
	SELECT "WHERE u.id > ? AND u.extension IS NOT NULL ORDER BY u.id LIMIT ?";
static const char sql_team_agents[] =
	SELECT "WHERE u.id > ? AND u.extension IS NOT NULL AND u.team_id IN "
	       "(SELECT team_id FROM team_managers WHERE user_id = ?) ORDER BY u.id LIMIT ?";
static const char sql_any[] = "SELECT id FROM users LIMIT 1";

#define INSERT_COLUMNS                                                                             \
	"INSERT INTO users (username, password_hash, role, extension, display_name, email, "       \
	"team_id, enabled, created_at, updated_at) "
const char users_sql_insert[] = INSERT_COLUMNS "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char sql_insert_first[] = INSERT_COLUMNS
	"SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM users)";
const char users_sql_update[] =
	"UPDATE users SET password_hash = ?, role = ?, extension = ?, display_name = ?, email = ?, "
	"team_id = ?, enabled = ?, updated_at = ? "
	"WHERE id = ? AND updated_at = ?";
const char users_sql_audit[] =
	"INSERT INTO audit (at, actor_id, actor, address, action, subject, detail) "
	"SELECT ?, ?, ?, ?, ?, username, ? FROM users WHERE username = ? AND updated_at >= ? "
	"AND updated_at <= ?";
static const char sql_audit_removal[] =
	"INSERT INTO audit (at, actor_id, actor, address, action, subject, detail) "
	"SELECT ?, ?, ?, ?, 'user:removed', username, role FROM users WHERE id = ?";
static const char sql_remove[] = "DELETE FROM users WHERE id = ?";

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

/* ---- answers ---- */

struct users_waiter *users_waiter_new(users_done_fn *done, void *context)
{
	struct users_waiter *waiter = mem_new(struct users_waiter);

	*waiter = (struct users_waiter){done, context};
	return waiter;
}

static void answer(struct users_waiter *waiter, enum users_result result, const struct user *list,
		   size_t count)
{
	waiter->done(result, list, count, waiter->context);
	free(waiter);
}

/* MariaDB names the key that is doubled: "Duplicate entry 'x' for key 'users_extension'"; the only
   PRIMARY that can be is that of a telephone. */
static enum users_result from_duplicate(const char *error)
{
	static const struct {
		const char *key;
		enum users_result result;
	} keys[] = {
		{"'users_extension'", USERS_EXTENSION_TAKEN},
		{"'users_email'", USERS_EMAIL_TAKEN},
		{"'PRIMARY'", USERS_PHONE_EXISTS},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strstr(error, keys[i].key) != NULL)
			return keys[i].result;
	return USERS_USERNAME_TAKEN;
}

#define FOREIGN_KEY_FAILS 1452 /* ER_NO_REFERENCED_ROW_2 */

enum users_result users_from_sql(const struct sql_result *sql)
{
	switch (sql->status) {
	case SQL_OK:
		return USERS_OK;
	case SQL_DUPLICATE:
		return from_duplicate(sql->error);
	case SQL_UNAVAILABLE:
		return USERS_UNAVAILABLE;
	case SQL_FAILED:
		if (sql->error_number == FOREIGN_KEY_FAILS)
			return USERS_TEAM_UNKNOWN;
		break;
	}
	log_error("a statement failed", log_str("reason", sql->error));
	return USERS_FAILED;
}

static void copy(char *out, size_t size, const struct sql_value *value)
{
	if (value->kind == SQL_INT)
		snprintf(out, size, "%lld", (long long)value->number);
	else
		snprintf(out, size, "%s", value->kind == SQL_TEXT ? value->text : "");
}

/* Ids that do not fit are left out whole. */
static void copy_teams(char *out, size_t size, const struct sql_value *value)
{
	copy(out, size, value);
	if (value->kind == SQL_TEXT && value->len >= size)
		*strrchr(out, ' ') = '\0';
}

bool users_read_row(const struct sql_result *sql, size_t row, struct user *user_r)
{
	char role[33];

	copy(user_r->id, sizeof(user_r->id), sql_cell(sql, row, 0));
	copy(user_r->username, sizeof(user_r->username), sql_cell(sql, row, 1));
	copy(user_r->password_hash, sizeof(user_r->password_hash), sql_cell(sql, row, 2));
	copy(role, sizeof(role), sql_cell(sql, row, 3));
	copy(user_r->extension, sizeof(user_r->extension), sql_cell(sql, row, 4));
	copy(user_r->display_name, sizeof(user_r->display_name), sql_cell(sql, row, 5));
	copy(user_r->email, sizeof(user_r->email), sql_cell(sql, row, 6));
	copy(user_r->team_id, sizeof(user_r->team_id), sql_cell(sql, row, 7));
	user_r->enabled = sql_cell(sql, row, 8)->number != 0;
	user_r->created_at_ms = sql_cell(sql, row, 9)->number;
	user_r->updated_at_ms = sql_cell(sql, row, 10)->number;
	if (!role_parse(role, &user_r->role))
		return false;
	if (user_r->role >= ROLE_ADMIN)
		strcpy(user_r->teams, "*");
	else if (user_r->role == ROLE_MANAGER)
		copy_teams(user_r->teams, sizeof(user_r->teams), sql_cell(sql, row, 11));
	return true;
}

void users_on_rows(const struct sql_result *sql, void *waiter)
{
	enum users_result result = users_from_sql(sql);
	struct user *list;

	if (result != USERS_OK || sql->rows == 0) {
		answer(waiter, result == USERS_OK ? USERS_NONE : result, NULL, 0);
		return;
	}
	list = mem_array(struct user, sql->rows);
	for (size_t row = 0; row < sql->rows; row++) {
		if (!users_read_row(sql, row, &list[row])) {
			log_error("a user has an unknown role",
				  log_str("user", list[row].username));
			result = USERS_FAILED;
		}
	}
	answer(waiter, result, list, result == USERS_OK ? sql->rows : 0);
	free(list);
}

/* ---- reading ---- */

static struct sql_value number_of(const char *id)
{
	return sql_int(strtoll(id, NULL, 10));
}

static void find(struct users *users, const char *sql, struct sql_value value, users_done_fn *done,
		 void *context)
{
	sql_query(users->pool, sql, &value, 1, users_on_rows, users_waiter_new(done, context));
}

void users_find_by_name(struct users *users, const char *username, users_done_fn *done,
			void *context)
{
	find(users, users_sql_by_name, sql_text(username), done, context);
}

void users_find_by_id(struct users *users, const char *id, users_done_fn *done, void *context)
{
	find(users, sql_by_id, number_of(id), done, context);
}

void users_find_by_extension(struct users *users, const char *extension, users_done_fn *done,
			     void *context)
{
	find(users, sql_by_extension, sql_text(extension), done, context);
}

void users_list(struct users *users, const char *after_id, size_t count, users_done_fn *done,
		void *context)
{
	struct sql_value values[] = {number_of(after_id), sql_int((int64_t)count)};

	sql_query(users->pool, sql_list, values, 2, users_on_rows, users_waiter_new(done, context));
}

void users_list_agents(struct users *users, const char *manager_id, const char *after_id,
		       size_t count, users_done_fn *done, void *context)
{
	struct sql_value all[] = {number_of(after_id), sql_int((int64_t)count)};
	struct sql_value of_teams[] = {number_of(after_id),
				       manager_id != NULL ? number_of(manager_id) : sql_int(0),
				       sql_int((int64_t)count)};
	struct users_waiter *waiter = users_waiter_new(done, context);

	if (manager_id == NULL)
		sql_query(users->pool, sql_agents, all, 2, users_on_rows, waiter);
	else
		sql_query(users->pool, sql_team_agents, of_teams, 3, users_on_rows, waiter);
}

static void on_any(const struct sql_result *sql, void *context)
{
	enum users_result result = users_from_sql(sql);

	answer(context, result == USERS_OK && sql->rows == 0 ? USERS_NONE : result, NULL, 0);
}

void users_any(struct users *users, users_done_fn *done, void *context)
{
	sql_query(users->pool, sql_any, NULL, 0, on_any, users_waiter_new(done, context));
}

/* ---- changing ---- */

struct sql_value users_text_or_null(const char *text)
{
	return sql_text(text[0] != '\0' ? text : NULL);
}

void users_bind_insert(const struct user *user, int64_t now_ms,
		       struct sql_value values[USERS_INSERT_VALUES])
{
	values[0] = sql_text(user->username);
	values[1] = sql_text(user->password_hash);
	values[2] = sql_text(role_name(user->role));
	values[3] = users_text_or_null(user->extension);
	values[4] = sql_text(user->display_name);
	values[5] = users_text_or_null(user->email);
	values[6] = users_text_or_null(user->team_id);
	values[7] = sql_int(user->enabled);
	values[8] = values[9] = sql_int(now_ms);
}

void users_bind_audit(const struct users_actor *actor, int64_t now_ms, const char *action,
		      const char *detail, const char *username, int64_t updated_at_ms,
		      struct sql_value values[USERS_AUDIT_VALUES])
{
	values[0] = sql_int(now_ms);
	values[1] = sql_text(actor->id);
	values[2] = sql_text(actor->username);
	values[3] = sql_text(actor->address);
	values[4] = sql_text(action);
	values[5] = sql_text(detail);
	values[6] = sql_text(username);
	values[7] = sql_int(updated_at_ms);
	values[8] = sql_int(updated_at_ms + 1);
}

/* The user, the audit's line if there was one to add, and the user as it stands, in one
   transaction. */
static void add(struct users *users, const char *insert, const struct user *user,
		const struct users_actor *actor, struct users_waiter *waiter)
{
	int64_t now_ms = clock_wall_ms();
	struct sql_value row[USERS_INSERT_VALUES], line[USERS_AUDIT_VALUES];
	struct sql_value name = sql_text(user->username);
	struct sql_statement statements[] = {
		{insert, row, USERS_INSERT_VALUES},
		{users_sql_audit, line, USERS_AUDIT_VALUES},
		{users_sql_by_name, &name, 1},
	};

	users_bind_insert(user, now_ms, row);
	users_bind_audit(actor, now_ms, "user:created", role_name(user->role), user->username,
			 now_ms, line);
	sql_transaction(users->pool, statements, 3, users_on_rows, waiter);
}

void users_add(struct users *users, const struct user *user, const struct users_actor *actor,
	       users_done_fn *done, void *context)
{
	add(users, users_sql_insert, user, actor, users_waiter_new(done, context));
}

void users_add_first(struct users *users, const struct user *user, users_done_fn *done,
		     void *context)
{
	struct users_actor daemon = {"", "auth-svc", ""};

	add(users, sql_insert_first, user, &daemon, users_waiter_new(done, context));
}

struct changing {
	struct user wanted;
	struct users_waiter *waiter;
};

bool user_is_like(const struct user *user, const struct user *wanted)
{
	return strcmp(user->password_hash, wanted->password_hash) == 0 &&
	       user->role == wanted->role && strcmp(user->extension, wanted->extension) == 0 &&
	       strcmp(user->display_name, wanted->display_name) == 0 &&
	       strcmp(user->email, wanted->email) == 0 &&
	       strcmp(user->team_id, wanted->team_id) == 0 && user->enabled == wanted->enabled;
}

/* Someone else may have been faster: then this is theirs. */
static void on_changed(enum users_result result, const struct user *list, size_t count,
		       void *context)
{
	struct changing *changing = context;

	if (result == USERS_OK && !user_is_like(&list[0], &changing->wanted))
		answer(changing->waiter, USERS_NONE, NULL, 0);
	else
		answer(changing->waiter, result, list, count);
	free(changing);
}

int64_t users_bind_update(const struct user *user, int64_t now_ms,
			  struct sql_value values[USERS_UPDATE_VALUES])
{
	int64_t then_ms = user->updated_at_ms < now_ms ? now_ms : user->updated_at_ms + 1;

	values[0] = sql_text(user->password_hash);
	values[1] = sql_text(role_name(user->role));
	values[2] = users_text_or_null(user->extension);
	values[3] = sql_text(user->display_name);
	values[4] = users_text_or_null(user->email);
	values[5] = users_text_or_null(user->team_id);
	values[6] = sql_int(user->enabled);
	values[7] = sql_int(then_ms);
	values[8] = number_of(user->id);
	values[9] = sql_int(user->updated_at_ms);
	return then_ms;
}

void users_change(struct users *users, const struct user *user, const struct users_actor *actor,
		  const char *action, const char *detail, users_done_fn *done, void *context)
{
	struct changing *changing = mem_new(struct changing);
	int64_t now_ms = clock_wall_ms(), then_ms;
	struct sql_value row[USERS_UPDATE_VALUES], line[USERS_AUDIT_VALUES];
	struct sql_value id = number_of(user->id);
	struct sql_statement statements[] = {
		{users_sql_update, row, USERS_UPDATE_VALUES},
		{users_sql_audit, line, USERS_AUDIT_VALUES},
		{sql_by_id, &id, 1},
	};

	changing->wanted = *user;
	changing->waiter = users_waiter_new(done, context);
	then_ms = users_bind_update(user, now_ms, row);
	users_bind_audit(actor, now_ms, action, detail, user->username, then_ms, line);
	sql_transaction(users->pool, statements, 3, users_on_rows,
			users_waiter_new(on_changed, changing));
}

static void on_removed(const struct sql_result *sql, void *context)
{
	enum users_result result = users_from_sql(sql);

	answer(context, result == USERS_OK && sql->affected == 0 ? USERS_NONE : result, NULL, 0);
}

void users_remove(struct users *users, const struct user *user, const struct users_actor *actor,
		  users_done_fn *done, void *context)
{
	struct sql_value id = number_of(user->id);
	struct sql_value line[] = {sql_int(clock_wall_ms()), sql_text(actor->id),
				   sql_text(actor->username), sql_text(actor->address), id};
	struct sql_statement statements[] = {{sql_audit_removal, line, 5}, {sql_remove, &id, 1}};

	sql_transaction(users->pool, statements, 2, on_removed, users_waiter_new(done, context));
}

bool user_may_log_in_at(const struct user *user, const char *extension)
{
	return extension[0] == '\0' || strcmp(extension, user->extension) == 0 ||
	       (user->extension[0] == '\0' && user->role > ROLE_AGENT);
}

/* ---- as JSON ---- */

void user_write_members(const struct user *user, struct json_writer *json)
{
	json_field_str(json, "id", user->id);
	json_field_str(json, "username", user->username);
	json_field_str(json, "role", role_name(user->role));
	if (user->extension[0] != '\0')
		json_field_str(json, "extension", user->extension);
	json_field_str(json, "displayName", user->display_name);
	if (user->email[0] != '\0')
		json_field_str(json, "email", user->email);
	if (user->team_id[0] != '\0')
		json_field_str(json, "teamId", user->team_id);
	json_field_bool(json, "enabled", user->enabled);
	json_field_int(json, "createdAt", user->created_at_ms);
}

void user_write(const struct user *user, struct json_writer *json)
{
	json_begin_object(json);
	user_write_members(user, json);
	json_end_object(json);
}
