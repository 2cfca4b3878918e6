#include "audit.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "stream_reader.h"

#include "msg_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH    100
#define BLOCK_MS 5000
#define RETRY_MS 1000

static const char sql_insert[] = "INSERT IGNORE INTO audit (entry_id, at, actor_id, actor, "
				 "address, action, subject, detail) "
				 "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

struct audit {
	uv_loop_t *loop;
	struct store *store;
	struct redis_link *link;
	struct sql_pool *sql;
	const struct redis_settings *redis;
	struct stream_reader *reader; /* NULL before audit_begin() */
	struct timer *retry;
	/* The batch in hand: its entries, as JSON, and their ids. */
	cJSON *entries[BATCH];
	char *ids[BATCH];
	size_t count;
	bool closing;
	size_t under_way; /* answers */
};

/* ---- into the stream ---- */

void audit_add(struct audit *audit, const struct http_request *request,
	       const struct audit_entry *entry)
{
	struct buffer text = {0};
	struct json_writer json = json_writer_init(&text);
	struct msg_audit message = {
		.at = clock_wall_ms(),
		.actor_id = entry->actor_id,
		.actor = entry->actor,
		.address = http_client_address(request),
		.action = entry->action,
		.subject = entry->subject,
		.detail = entry->detail,
		.request_id = http_request_id(request),
		.has_stored = entry->stored,
		.stored = entry->stored,
	};

	msg_audit_write(&message, &json);
	store_add_audit(audit->store, buffer_str(&text), text.len);
	buffer_free(&text);
}

void audit_act(struct audit *audit, struct http_request *request, const char *action,
	       const char *subject, const char *detail, bool stored)
{
	const struct principal *who = http_principal(request);
	struct audit_entry entry = {who->user_id, who->username, action, subject, detail, stored};

	audit_add(audit, request, &entry);
}

/* ---- from the stream into MariaDB ---- */

static void forget_batch(struct audit *audit)
{
	for (size_t i = 0; i < audit->count; i++) {
		cJSON_Delete(audit->entries[i]);
		free(audit->ids[i]);
	}
	audit->count = 0;
}

static void release(struct audit *audit)
{
	if (!audit->closing || audit->under_way > 0)
		return;
	forget_batch(audit);
	free(audit);
}

static void write_batch(void *context);

static void try_again(struct audit *audit)
{
	timer_stop(&audit->retry);
	audit->retry = timer_start(audit->loop, RETRY_MS, 0, write_batch, audit);
}

static void on_acknowledged(bool ok, void *context)
{
	struct audit *audit = context;

	(void)ok; /* else they come again, and are known by their ids */
	audit->under_way--;
	if (audit->closing) {
		release(audit);
		return;
	}
	forget_batch(audit);
	stream_reader_next(audit->reader);
}

static void acknowledge(struct audit *audit)
{
	audit->under_way++;
	store_ack_audit(audit->link, (const char *const *)audit->ids, audit->count, on_acknowledged,
			audit);
}

static void on_written(const struct sql_result *result, void *context)
{
	struct audit *audit = context;

	audit->under_way--;
	if (audit->closing) {
		release(audit);
	} else if (result->status == SQL_OK) {
		acknowledge(audit);
	} else {
		if (result->status != SQL_UNAVAILABLE)
			log_error("the audit cannot be written", log_str("reason", result->error));
		try_again(audit);
	}
}

#define COLUMNS 8

/* False for an entry that is in MariaDB already, or is none. */
static bool read_entry(const cJSON *object, const char *id, struct sql_value values[COLUMNS])
{
	struct msg_audit message;
	const char *error;

	if (object == NULL || msg_audit_parse(object, &message, &error) < 0 || message.stored)
		return false;
	values[0] = sql_text(id);
	values[1] = sql_int(message.at);
	values[2] = sql_text(message.actor_id);
	values[3] = sql_text(message.actor);
	values[4] = sql_text(message.address);
	values[5] = sql_text(message.action);
	values[6] = sql_text(message.subject);
	values[7] = sql_text(message.detail != NULL ? message.detail : "");
	return true;
}

static void write_batch(void *context)
{
	struct audit *audit = context;
	struct sql_statement statements[BATCH];
	struct sql_value values[BATCH][COLUMNS];
	size_t count = 0;

	timer_stop(&audit->retry);
	for (size_t i = 0; i < audit->count; i++) {
		if (!read_entry(audit->entries[i], audit->ids[i], values[count]))
			continue;
		statements[count] = (struct sql_statement){sql_insert, values[count], COLUMNS};
		count++;
	}
	if (count == 0) {
		acknowledge(audit);
		return;
	}
	audit->under_way++;
	sql_transaction(audit->sql, statements, count, on_written, audit);
}

static void on_batch(const struct stream_entry *entries, size_t count, void *context)
{
	struct audit *audit = context;
	const char *error;

	for (size_t i = 0; i < count && i < BATCH; i++) {
		audit->entries[i] = json_parse(entries[i].data, entries[i].len, &error);
		audit->ids[i] = mem_strdup(entries[i].id);
	}
	audit->count = count < BATCH ? count : BATCH;
	write_batch(audit);
}

struct audit *audit_open(uv_loop_t *loop, struct store *store, struct redis_link *link,
			 struct sql_pool *sql, const struct redis_settings *redis)
{
	struct audit *audit = mem_new(struct audit);

	audit->loop = loop;
	audit->store = store;
	audit->link = link;
	audit->sql = sql;
	audit->redis = redis;
	return audit;
}

void audit_begin(struct audit *audit)
{
	struct stream_reader_settings set = {
		.redis = audit->redis,
		.streams = store_audit_streams,
		.group = STORE_AUDIT_GROUP,
		.consumer = "writer", /* of every instance: entries are known by their ids */
		.batch_max = BATCH,
		.block_ms = BLOCK_MS,
		.on_batch = on_batch,
		.context = audit,
	};

	if (audit->reader == NULL)
		audit->reader = stream_reader_open(audit->loop, &set);
}

void audit_close(struct audit **_audit)
{
	struct audit *audit = *_audit;

	*_audit = NULL;
	if (audit == NULL)
		return;
	audit->closing = true;
	timer_stop(&audit->retry);
	stream_reader_close(&audit->reader);
	release(audit);
}
