#include "teams.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANAGERS_MAX 16

#define SELECT                                                                                     \
	"SELECT t.id, t.name, (SELECT GROUP_CONCAT(user_id ORDER BY user_id SEPARATOR ' ') FROM "  \
	"team_managers WHERE team_id = t.id), (SELECT COUNT(*) FROM users WHERE team_id = t.id), " \
	"t.created_at FROM teams t "

static const char sql_all[] = SELECT "WHERE t.id > ? ORDER BY t.id LIMIT ?";
static const char sql_managed[] =
	SELECT "WHERE t.id > ? AND t.id IN (SELECT team_id FROM team_managers WHERE user_id = ?) "
	       "ORDER BY t.id LIMIT ?";
static const char sql_by_id[] = SELECT "WHERE t.id = ?";
static const char sql_by_name[] = SELECT "WHERE t.name = ?";
static const char sql_insert[] = "INSERT INTO teams (name, created_at) VALUES (?, ?)";
static const char sql_rename[] = "UPDATE teams SET name = ? WHERE id = ?";
static const char sql_no_managers[] = "DELETE FROM team_managers WHERE team_id = ? AND ? = 1";
static const char sql_manager[] =
	"INSERT INTO team_managers (team_id, user_id) SELECT t.id, u.id FROM teams t "
	"LEFT JOIN users u ON u.id = ? WHERE t.name = ?";
static const char sql_remove[] = "DELETE FROM teams WHERE id = ?";
static const char sql_audit[] = "INSERT INTO audit (at, actor_id, actor, address, action, subject) "
				"VALUES (?, ?, ?, ?, ?, ?)";
static const char sql_members[] =
	"SELECT team_id, extension FROM users WHERE team_id IS NOT NULL AND extension IS NOT NULL "
	"ORDER BY team_id";
static const char sql_managers[] =
	"SELECT u.id, (SELECT GROUP_CONCAT(team_id ORDER BY team_id SEPARATOR ' ') FROM "
	"team_managers WHERE user_id = u.id) FROM users u WHERE u.role = 'manager'";

struct teams {
	struct sql_pool *pool;
	struct store *store;
	bool publishing, again;
};

struct waiter {
	teams_done_fn *done;
	void *context;
};

struct teams *teams_new(struct sql_pool *pool, struct store *store)
{
	struct teams *teams = mem_new(struct teams);

	teams->pool = pool;
	teams->store = store;
	return teams;
}

void teams_free(struct teams **_teams)
{
	free(*_teams);
	*_teams = NULL;
}

/* ---- answers ---- */

static struct waiter *waiter_new(teams_done_fn *done, void *context)
{
	struct waiter *waiter = mem_new(struct waiter);

	*waiter = (struct waiter){done, context};
	return waiter;
}

static void answer(struct waiter *waiter, enum teams_result result, const struct team *list,
		   size_t count)
{
	waiter->done(result, list, count, waiter->context);
	free(waiter);
}

#define NULL_REFUSED 1048 /* ER_BAD_NULL_ERROR: a manager that is no user */

static enum teams_result from_sql(const struct sql_result *sql)
{
	switch (sql->status) {
	case SQL_OK:
		return TEAMS_OK;
	case SQL_DUPLICATE:
		return TEAMS_NAME_TAKEN;
	case SQL_UNAVAILABLE:
		return TEAMS_UNAVAILABLE;
	case SQL_FAILED:
		if (sql->error_number == NULL_REFUSED)
			return TEAMS_MANAGER_UNKNOWN;
		break;
	}
	log_error("a statement failed", log_str("reason", sql->error));
	return TEAMS_FAILED;
}

static void copy(char *out, size_t size, const struct sql_value *value)
{
	snprintf(out, size, "%s", value->kind == SQL_TEXT ? value->text : "");
}

static void on_rows(const struct sql_result *sql, void *context)
{
	enum teams_result result = from_sql(sql);
	struct team *list;

	if (result != TEAMS_OK || sql->rows == 0) {
		answer(context, result == TEAMS_OK ? TEAMS_NONE : result, NULL, 0);
		return;
	}
	list = mem_array(struct team, sql->rows);
	for (size_t row = 0; row < sql->rows; row++) {
		snprintf(list[row].id, sizeof(list[row].id), "%lld",
			 (long long)sql_cell(sql, row, 0)->number);
		copy(list[row].name, sizeof(list[row].name), sql_cell(sql, row, 1));
		copy(list[row].managers, sizeof(list[row].managers), sql_cell(sql, row, 2));
		list[row].members = sql_cell(sql, row, 3)->number;
		list[row].created_at_ms = sql_cell(sql, row, 4)->number;
	}
	answer(context, TEAMS_OK, list, sql->rows);
	free(list);
}

/* ---- reading ---- */

static struct sql_value number_of(const char *id)
{
	return sql_int(strtoll(id, NULL, 10));
}

void teams_list(struct teams *teams, const char *manager_id, const char *after_id, size_t count,
		teams_done_fn *done, void *context)
{
	struct sql_value all[] = {number_of(after_id), sql_int((int64_t)count)};
	struct sql_value managed[] = {number_of(after_id),
				      manager_id != NULL ? number_of(manager_id) : sql_int(0),
				      sql_int((int64_t)count)};

	if (manager_id == NULL)
		sql_query(teams->pool, sql_all, all, 2, on_rows, waiter_new(done, context));
	else
		sql_query(teams->pool, sql_managed, managed, 3, on_rows, waiter_new(done, context));
}

void teams_find(struct teams *teams, const char *id, teams_done_fn *done, void *context)
{
	struct sql_value value = number_of(id);

	sql_query(teams->pool, sql_by_id, &value, 1, on_rows, waiter_new(done, context));
}

/* ---- changing ---- */

/* One transaction: statements are added up to the limit that callers keep. */
struct transaction {
	struct sql_statement statements[MANAGERS_MAX + 5];
	struct sql_value values[MANAGERS_MAX + 5][6];
	size_t count;
};

static struct sql_value *add(struct transaction *transaction, const char *text, size_t values)
{
	struct sql_value *place = transaction->values[transaction->count];

	transaction->statements[transaction->count++] = (struct sql_statement){text, place, values};
	return place;
}

static void add_managers(struct transaction *transaction, const char *name,
			 const char *const *managers, size_t count)
{
	for (size_t i = 0; i < count && i < MANAGERS_MAX; i++) {
		struct sql_value *values = add(transaction, sql_manager, 2);

		values[0] = number_of(managers[i]);
		values[1] = sql_text(name);
	}
}

static void add_audit(struct transaction *transaction, const struct users_actor *actor,
		      const char *action, const char *name)
{
	struct sql_value *values = add(transaction, sql_audit, 6);

	values[0] = sql_int(clock_wall_ms());
	values[1] = sql_text(actor->id);
	values[2] = sql_text(actor->username);
	values[3] = sql_text(actor->address);
	values[4] = sql_text(action);
	values[5] = sql_text(name);
}

void teams_add(struct teams *teams, const char *name, const char *const *managers, size_t count,
	       const struct users_actor *actor, teams_done_fn *done, void *context)
{
	struct transaction transaction = {.count = 0};
	struct sql_value *values = add(&transaction, sql_insert, 2);

	values[0] = sql_text(name);
	values[1] = sql_int(clock_wall_ms());
	add_managers(&transaction, name, managers, count);
	add_audit(&transaction, actor, "team:created", name);
	add(&transaction, sql_by_name, 1)[0] = sql_text(name);
	sql_transaction(teams->pool, transaction.statements, transaction.count, on_rows,
			waiter_new(done, context));
}

void teams_change(struct teams *teams, const struct team *team, const char *name,
		  const char *const *managers, size_t count, const struct users_actor *actor,
		  teams_done_fn *done, void *context)
{
	struct transaction transaction = {.count = 0};
	struct sql_value *values = add(&transaction, sql_rename, 2);

	if (name == NULL)
		name = team->name;
	values[0] = sql_text(name);
	values[1] = number_of(team->id);
	values = add(&transaction, sql_no_managers, 2);
	values[0] = number_of(team->id);
	values[1] = sql_int(managers != NULL);
	if (managers != NULL)
		add_managers(&transaction, name, managers, count);
	add_audit(&transaction, actor, "team:changed", name);
	add(&transaction, sql_by_id, 1)[0] = number_of(team->id);
	sql_transaction(teams->pool, transaction.statements, transaction.count, on_rows,
			waiter_new(done, context));
}

void teams_remove(struct teams *teams, const struct team *team, const struct users_actor *actor,
		  teams_done_fn *done, void *context)
{
	struct transaction transaction = {.count = 0};

	add(&transaction, sql_remove, 1)[0] = number_of(team->id);
	add_audit(&transaction, actor, "team:removed", team->name);
	add(&transaction, sql_by_id, 1)[0] = number_of(team->id);
	sql_transaction(teams->pool, transaction.statements, transaction.count, on_rows,
			waiter_new(done, context));
}

/* ---- to Redis ---- */

static void on_managers(const struct sql_result *sql, void *context)
{
	struct teams *teams = context;

	teams->publishing = false;
	for (size_t row = 0; sql->status == SQL_OK && row < sql->rows; row++) {
		char id[24], ids[PRINCIPAL_TEAMS_SIZE];

		snprintf(id, sizeof(id), "%lld", (long long)sql_cell(sql, row, 0)->number);
		copy(ids, sizeof(ids), sql_cell(sql, row, 1));
		store_set_session_field(teams->store, id, "teams", ids);
	}
	store_tell_teams(teams->store);
	if (sql->status == SQL_FAILED)
		log_error("a statement failed", log_str("reason", sql->error));
	if (teams->again && sql->status == SQL_OK)
		teams_publish(teams);
}

static void on_members(const struct sql_result *sql, void *context)
{
	struct teams *teams = context;
	struct store_member *members;

	if (sql->status != SQL_OK) {
		teams->publishing = false;
		return; /* it is done when MariaDB comes back */
	}
	members = mem_array(struct store_member, sql->rows + 1);
	for (size_t row = 0; row < sql->rows; row++) {
		members[row].team_id = sql_cell(sql, row, 0)->number;
		members[row].extension = sql_cell(sql, row, 1)->text;
	}
	store_put_teams(teams->store, members, sql->rows);
	free(members);
	sql_query(teams->pool, sql_managers, NULL, 0, on_managers, teams);
}

void teams_publish(struct teams *teams)
{
	teams->again = teams->publishing;
	if (teams->publishing)
		return;
	teams->publishing = true;
	sql_query(teams->pool, sql_members, NULL, 0, on_members, teams);
}
