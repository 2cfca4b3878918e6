#include "agents.h"

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "users_sql.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OF_AGENT "(m.interface IN (CONCAT('PJSIP/', ?), CONCAT('Local/', ?, '@agents/n')))"
#define SELECT                                                                                     \
	"SELECT " USERS_COLUMNS ", (SELECT COUNT(*) FROM ps_endpoints WHERE id = u.extension), "   \
	"(SELECT GROUP_CONCAT(m.queue_name ORDER BY m.queue_name SEPARATOR ',') FROM "             \
	"queue_members m WHERE m.interface IN (CONCAT('PJSIP/', u.extension), "                    \
	"CONCAT('Local/', u.extension, '@agents/n'))) FROM users u "

static const char sql_by_id[] = SELECT "WHERE u.id = ? AND u.extension IS NOT NULL";
static const char sql_by_name[] = SELECT "WHERE u.username = ?";
static const char sql_all[] =
	SELECT "WHERE u.id > ? AND u.extension IS NOT NULL ORDER BY u.id LIMIT ?";
static const char sql_of_manager[] =
	SELECT "WHERE u.id > ? AND u.extension IS NOT NULL AND u.team_id IN "
	       "(SELECT team_id FROM team_managers WHERE user_id = ?) ORDER BY u.id LIMIT ?";
static const char sql_check[] =
	"SELECT (SELECT COUNT(*) FROM users WHERE username = ?), "
	"(SELECT COUNT(*) FROM users WHERE extension = ?), "
	"(SELECT COUNT(*) FROM users WHERE email = ?), "
	"(SELECT COUNT(*) FROM ps_endpoints WHERE id = ?) + "
	"(SELECT COUNT(*) FROM ps_auths WHERE id = ?) + (SELECT COUNT(*) FROM ps_aors WHERE id = "
	"?), "
	"(SELECT COUNT(*) FROM voice_extensions WHERE context = ? AND exten = ?), "
	"(SELECT ? IS NOT NULL AND NOT EXISTS (SELECT 1 FROM teams WHERE id = ?)), "
	"(SELECT COUNT(*) FROM queues WHERE FIND_IN_SET(name, ?) > 0)";
static const char sql_auth[] =
	"INSERT INTO ps_auths (id, auth_type, username, password) VALUES (?, 'userpass', ?, ?)";
static const char sql_aor[] =
	"INSERT INTO ps_aors (id, max_contacts, remove_existing, default_expiration, "
	"minimum_expiration, qualify_frequency) VALUES (?, 1, 'yes', 3600, 5, 0)";
static const char sql_endpoint[] =
	"INSERT INTO ps_endpoints (id, transport, aors, auth, context, disallow, allow, "
	"direct_media, rtp_symmetric, dtmf_mode, callerid, device_state_busy_at, send_pai, "
	"trust_id_inbound) VALUES (?, ?, ?, ?, ?, 'all', ?, 'no', 'yes', 'rfc4733', ?, 2, 'yes', "
	"'yes')";
/* A queue that is not there gives NULL, which the column refuses. Who is not available is not rung
   in a new queue either. */
static const char sql_member[] =
	"INSERT INTO queue_members (queue_name, interface, membername, state_interface, penalty, "
	"paused, reason_paused) SELECT q.name, CONCAT('PJSIP/', ?), ?, CONCAT('PJSIP/', ?), 0, "
	"IF(p.presence = 'available', 0, 1), "
	"IF(p.presence = 'available', NULL, COALESCE(p.presence, 'offline')) FROM (SELECT 1) one "
	"LEFT JOIN queues q ON q.name = ? LEFT JOIN user_presence p ON p.extension = ? "
	"ON DUPLICATE KEY UPDATE membername = VALUES(membername)";
static const char sql_leave_queues[] =
	"DELETE m FROM queue_members m WHERE " OF_AGENT " AND FIND_IN_SET(m.queue_name, ?) = 0";
static const char sql_presence[] =
	"INSERT INTO user_presence (extension, presence) VALUES (?, ?) ON DUPLICATE KEY UPDATE "
	"presence = VALUES(presence)";
static const char sql_caller_id[] = "UPDATE ps_endpoints SET callerid = ? WHERE id = ?";
static const char sql_member_name[] = "UPDATE queue_members m SET m.membername = ? WHERE " OF_AGENT;
static const char sql_secret[] = "UPDATE ps_auths SET password = ? WHERE id = ?";
static const char sql_no_endpoint[] = "DELETE FROM ps_endpoints WHERE id = ?";
static const char sql_no_auth[] = "DELETE FROM ps_auths WHERE id = ?";
static const char sql_no_aor[] = "DELETE FROM ps_aors WHERE id = ?";
static const char sql_no_contact[] = "DELETE FROM ps_contacts WHERE endpoint = ?";
static const char sql_no_presence[] = "DELETE FROM user_presence WHERE extension = ?";
static const char sql_no_user[] = "DELETE FROM users WHERE id = ?";
static const char sql_audit[] =
	"INSERT INTO audit (at, actor_id, actor, address, action, subject, detail) VALUES "
	"(?, ?, ?, ?, ?, ?, ?)";

struct agents {
	struct sql_pool *pool;
	struct agents_phone_settings set;
};

struct agents *agents_new(struct sql_pool *pool, const struct agents_phone_settings *set)
{
	struct agents *agents = mem_new(struct agents);

	agents->pool = pool;
	agents->set = *set;
	return agents;
}

void agents_free(struct agents **_agents)
{
	free(*_agents);
	*_agents = NULL;
}

void agents_make_secret(char secret[AGENT_SECRET_LEN + 1])
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (size_t i = 0; i < AGENT_SECRET_LEN; i++)
		secret[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	secret[AGENT_SECRET_LEN] = '\0';
}

/* ---- answers ---- */

struct waiter {
	agents_done_fn *done;
	void *context;
	size_t queues; /* of a check: how many there must be */
};

static struct waiter *waiter_new(agents_done_fn *done, void *context)
{
	struct waiter *waiter = mem_new(struct waiter);

	*waiter = (struct waiter){done, context, 0};
	return waiter;
}

static void answer(struct waiter *waiter, enum agents_result result, const struct agent *list,
		   size_t count)
{
	waiter->done(result, list, count, waiter->context);
	free(waiter);
}

#define NULL_REFUSED 1048 /* ER_BAD_NULL_ERROR */

static enum agents_result from_sql(const struct sql_result *sql)
{
	if (sql->status == SQL_FAILED && sql->error_number == NULL_REFUSED)
		return AGENTS_QUEUE_UNKNOWN;
	switch (users_from_sql(sql)) {
	case USERS_OK:
		return AGENTS_OK;
	case USERS_NONE:
		return AGENTS_NONE;
	case USERS_USERNAME_TAKEN:
		return AGENTS_USERNAME_TAKEN;
	case USERS_EXTENSION_TAKEN:
		return AGENTS_EXTENSION_TAKEN;
	case USERS_EMAIL_TAKEN:
		return AGENTS_EMAIL_TAKEN;
	case USERS_PHONE_EXISTS:
		return AGENTS_PHONE_EXISTS;
	case USERS_TEAM_UNKNOWN:
		return AGENTS_TEAM_UNKNOWN;
	case USERS_UNAVAILABLE:
		return AGENTS_UNAVAILABLE;
	case USERS_FAILED:
		break;
	}
	return AGENTS_FAILED;
}

const char *agents_fault(enum agents_result result, const char **message_r)
{
	static const struct {
		const char *code, *message;
	} faults[] = {
		[AGENTS_OK] = {"", ""},
		[AGENTS_NONE] = {"user_not_found", "There is no such agent"},
		[AGENTS_USERNAME_TAKEN] = {"username_taken", "There is a user of this name"},
		[AGENTS_EXTENSION_TAKEN] = {"extension_taken", "Another user has this extension"},
		[AGENTS_EMAIL_TAKEN] = {"email_taken", "Another user has this e-mail"},
		[AGENTS_PHONE_EXISTS] = {"phone_exists",
					 "The PBX has a telephone of this extension"},
		[AGENTS_NUMBER_IN_DIALPLAN] = {"number_in_dialplan",
					       "The dialplan has another use for this number"},
		[AGENTS_TEAM_UNKNOWN] = {"team_not_found", "There is no such team"},
		[AGENTS_QUEUE_UNKNOWN] = {"queue_not_found", "There is no such queue"},
		[AGENTS_UNAVAILABLE] = {"unavailable", "A part that is needed is away"},
		[AGENTS_FAILED] = {"internal", "The database refused"},
	};

	*message_r = faults[result].message;
	return faults[result].code;
}

static void on_rows(const struct sql_result *sql, void *context)
{
	enum agents_result result = from_sql(sql);
	struct agent *list;

	if (result != AGENTS_OK || sql->rows == 0) {
		answer(context, result == AGENTS_OK ? AGENTS_NONE : result, NULL, 0);
		return;
	}
	list = mem_array(struct agent, sql->rows);
	for (size_t row = 0; row < sql->rows; row++) {
		const struct sql_value *queues = sql_cell(sql, row, USERS_COLUMNS_COUNT + 1);

		if (!users_read_row(sql, row, &list[row].user))
			result = AGENTS_FAILED;
		list[row].has_phone = sql_cell(sql, row, USERS_COLUMNS_COUNT)->number > 0;
		snprintf(list[row].queues, sizeof(list[row].queues), "%s",
			 queues->kind == SQL_TEXT ? queues->text : "");
	}
	answer(context, result, list, result == AGENTS_OK ? sql->rows : 0);
	free(list);
}

static void on_done(const struct sql_result *sql, void *context)
{
	answer(context, from_sql(sql), NULL, 0);
}

/* ---- reading ---- */

static struct sql_value number_of(const char *id)
{
	return sql_int(strtoll(id, NULL, 10));
}

void agents_find(struct agents *agents, const char *id, agents_done_fn *done, void *context)
{
	struct sql_value value = number_of(id);

	sql_query(agents->pool, sql_by_id, &value, 1, on_rows, waiter_new(done, context));
}

void agents_list(struct agents *agents, const char *manager_id, const char *after_id, size_t count,
		 agents_done_fn *done, void *context)
{
	struct sql_value all[] = {number_of(after_id), sql_int((int64_t)count)};
	struct sql_value managed[] = {number_of(after_id),
				      manager_id != NULL ? number_of(manager_id) : sql_int(0),
				      sql_int((int64_t)count)};

	if (manager_id == NULL)
		sql_query(agents->pool, sql_all, all, 2, on_rows, waiter_new(done, context));
	else
		sql_query(agents->pool, sql_of_manager, managed, 3, on_rows,
			  waiter_new(done, context));
}

static void join_queues(const struct agent_wish *wish, char out[AGENT_QUEUES_SIZE])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; wish->queues[i] != NULL; i++)
		len += (size_t)snprintf(out + len, AGENT_QUEUES_SIZE - len, "%s%s",
					i > 0 ? "," : "", wish->queues[i]);
}

static void on_checked(const struct sql_result *sql, void *context)
{
	/* In the order of the columns. */
	static const enum agents_result faults[] = {
		AGENTS_USERNAME_TAKEN, AGENTS_EXTENSION_TAKEN,    AGENTS_EMAIL_TAKEN,
		AGENTS_PHONE_EXISTS,   AGENTS_NUMBER_IN_DIALPLAN, AGENTS_TEAM_UNKNOWN,
	};
	struct waiter *waiter = context;
	enum agents_result result = from_sql(sql);
	size_t columns = sizeof(faults) / sizeof(faults[0]);

	for (size_t i = 0; result == AGENTS_OK && i < columns; i++)
		if (sql_cell(sql, 0, i)->number > 0)
			result = faults[i];
	if (result == AGENTS_OK && (size_t)sql_cell(sql, 0, columns)->number < waiter->queues)
		result = AGENTS_QUEUE_UNKNOWN;
	answer(waiter, result, NULL, 0);
}

void agents_check(struct agents *agents, const struct agent_wish *wish, agents_done_fn *done,
		  void *context)
{
	const struct user *user = &wish->user;
	struct waiter *waiter = waiter_new(done, context);
	char queues[AGENT_QUEUES_SIZE];
	struct sql_value extension = sql_text(user->extension);
	struct sql_value team = users_text_or_null(user->team_id);
	struct sql_value values[] = {
		sql_text(user->username),
		extension,
		users_text_or_null(user->email),
		extension,
		extension,
		extension,
		sql_text(agents->set.context),
		extension,
		team,
		team,
		sql_text(queues),
	};

	join_queues(wish, queues);
	values[10] = sql_text(queues);
	while (wish->queues[waiter->queues] != NULL)
		waiter->queues++;
	sql_query(agents->pool, sql_check, values, sizeof(values) / sizeof(values[0]), on_checked,
		  waiter);
}

/* ---- changing: one transaction each ---- */

#define STATEMENTS_MAX (AGENT_QUEUES_MAX + 12)
#define VALUES_MAX     10

struct transaction {
	struct sql_statement statements[STATEMENTS_MAX];
	struct sql_value values[STATEMENTS_MAX][VALUES_MAX];
	size_t count;
};

#define ADD(transaction, text, ...)                                                                \
	add(transaction, text, (struct sql_value[]){__VA_ARGS__},                                  \
	    sizeof((struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value))

static void add(struct transaction *transaction, const char *text, const struct sql_value *values,
		size_t count)
{
	struct sql_value *place = transaction->values[transaction->count];

	memcpy(place, values, count * sizeof(*values));
	transaction->statements[transaction->count++] = (struct sql_statement){text, place, count};
}

static void add_audit(struct transaction *transaction, const struct users_actor *actor,
		      const char *action, const struct user *user)
{
	ADD(transaction, sql_audit, sql_int(clock_wall_ms()), sql_text(actor->id),
	    sql_text(actor->username), sql_text(actor->address), sql_text(action),
	    sql_text(user->username), sql_text(user->extension));
}

static const char *shown_name(const struct user *user)
{
	return user->display_name[0] != '\0' ? user->display_name : user->username;
}

static void add_members(struct transaction *transaction, const struct agent_wish *wish)
{
	struct sql_value extension = sql_text(wish->user.extension);

	for (size_t i = 0; wish->queues[i] != NULL; i++)
		ADD(transaction, sql_member, extension, sql_text(shown_name(&wish->user)),
		    extension, sql_text(wish->queues[i]), extension);
}

static void run(struct agents *agents, const struct transaction *transaction, sql_done_fn *fn,
		agents_done_fn *done, void *context)
{
	sql_transaction(agents->pool, transaction->statements, transaction->count, fn,
			waiter_new(done, context));
}

void agents_add(struct agents *agents, const struct agent_wish *wish,
		const struct users_actor *actor, agents_done_fn *done, void *context)
{
	const struct user *user = &wish->user;
	struct transaction transaction = {.count = 0};
	struct sql_value row[USERS_INSERT_VALUES], extension = sql_text(user->extension);
	char *caller_id = mem_printf("\"%s\" <%s>", shown_name(user), user->extension);

	users_bind_insert(user, clock_wall_ms(), row);
	add(&transaction, users_sql_insert, row, USERS_INSERT_VALUES);
	ADD(&transaction, sql_auth, extension, extension, sql_text(wish->secret));
	ADD(&transaction, sql_aor, extension);
	ADD(&transaction, sql_endpoint, extension, sql_text(agents->set.transport), extension,
	    extension, sql_text(agents->set.context), sql_text(agents->set.codecs),
	    sql_text(caller_id));
	ADD(&transaction, sql_presence, extension, sql_text("offline")); /* until it logs in */
	add_members(&transaction, wish);
	add_audit(&transaction, actor, "agent:created", user);
	ADD(&transaction, sql_by_name, sql_text(user->username));
	run(agents, &transaction, on_rows, done, context);
	free(caller_id);
}

void agents_change(struct agents *agents, const struct agent_wish *wish,
		   const struct users_actor *actor, agents_done_fn *done, void *context)
{
	const struct user *user = &wish->user;
	struct transaction transaction = {.count = 0};
	struct sql_value row[USERS_UPDATE_VALUES], extension = sql_text(user->extension);
	char *caller_id = mem_printf("\"%s\" <%s>", shown_name(user), user->extension);
	char queues[AGENT_QUEUES_SIZE];

	users_bind_update(user, clock_wall_ms(), row);
	add(&transaction, users_sql_update, row, USERS_UPDATE_VALUES);
	ADD(&transaction, sql_caller_id, sql_text(caller_id), extension);
	if (wish->has_queues) {
		join_queues(wish, queues);
		ADD(&transaction, sql_leave_queues, extension, extension, sql_text(queues));
		add_members(&transaction, wish);
	}
	ADD(&transaction, sql_member_name, sql_text(shown_name(user)), extension, extension);
	add_audit(&transaction, actor, "agent:changed", user);
	ADD(&transaction, sql_by_id, number_of(user->id));
	run(agents, &transaction, on_rows, done, context);
	free(caller_id);
}

void agents_change_secret(struct agents *agents, const struct user *user, const char *secret,
			  const struct users_actor *actor, agents_done_fn *done, void *context)
{
	struct transaction transaction = {.count = 0};

	ADD(&transaction, sql_secret, sql_text(secret), sql_text(user->extension));
	ADD(&transaction, sql_no_contact, sql_text(user->extension));
	add_audit(&transaction, actor, "agent:secret_changed", user);
	run(agents, &transaction, on_done, done, context);
}

void agents_remove(struct agents *agents, const struct user *user, const struct users_actor *actor,
		   agents_done_fn *done, void *context)
{
	struct transaction transaction = {.count = 0};
	struct sql_value extension = sql_text(user->extension);

	ADD(&transaction, sql_leave_queues, extension, extension, sql_text(""));
	ADD(&transaction, sql_no_endpoint, extension);
	ADD(&transaction, sql_no_auth, extension);
	ADD(&transaction, sql_no_aor, extension);
	ADD(&transaction, sql_no_contact, extension);
	ADD(&transaction, sql_no_presence, extension);
	ADD(&transaction, sql_no_user, number_of(user->id));
	add_audit(&transaction, actor, "agent:removed", user);
	run(agents, &transaction, on_done, done, context);
}

static void on_presence(const struct sql_result *sql, void *context)
{
	(void)context;
	if (sql->status != SQL_OK)
		log_warn("a presence was not written", log_str("reason", sql->error));
}

void agents_set_presence(struct agents *agents, const char *extension, const char *presence)
{
	struct sql_value values[] = {sql_text(extension), sql_text(presence)};

	sql_query(agents->pool, sql_presence, values, 2, on_presence, NULL);
}

/* ---- as JSON ---- */

void agent_write(const struct agent *agent, struct json_writer *json)
{
	const char *at = agent->queues;

	json_begin_object(json);
	user_write_members(&agent->user, json);
	json_field_bool(json, "phone", agent->has_phone);
	json_key(json, "queues");
	json_begin_array(json);
	while (*at != '\0') {
		size_t len = strcspn(at, ",");

		json_strn(json, at, len);
		at += len + (at[len] == ',');
	}
	json_end_array(json);
	json_end_object(json);
}
