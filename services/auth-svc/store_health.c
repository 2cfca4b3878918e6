#include "store_health.h"

#include "store_internal.h"

#include "clock.h"
#include "mem.h"
#include "resp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every stream of proto/redis.md; those of a PBX have its name after them. */
static const char *const streams[] = {
	"events:ami", "events:call",    "events:agent", "events:queue", "events:transfer",
	"events:crm", "events:session", "audit",        "wishes:agent",
};
static const char *const pbx_streams[] = {"events:ami", "actions"};

#define STREAMS         (sizeof(streams) / sizeof(streams[0]))
#define PBXS_MAX        16
#define SCRIPT_KEYS_MAX (STREAMS + PBXS_MAX * 2)

struct asking {
	int64_t asked_us, answered_us;
	struct buffer info; /* the text of INFO; empty: Redis is away */
	store_health_fn *done;
	void *context;
};

/* ---- INFO: lines of "name:value" ---- */

/* The value of a line, its length in *len_r; NULL when there is none. */
static const char *find_value(const char *info, const char *name, size_t *len_r)
{
	size_t len = strlen(name);

	for (const char *at = info; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		if (strncmp(at, name, len) == 0 && at[len] == ':') {
			*len_r = strcspn(at + len + 1, "\r\n");
			return at + len + 1;
		}
	}
	return NULL;
}

static void write_text(struct json_writer *json, const char *key, const char *info,
		       const char *name)
{
	size_t len = 0;
	const char *value = find_value(info, name, &len);

	json_key(json, key);
	json_strn(json, value != NULL ? value : "", len);
}

static void write_number(struct json_writer *json, const char *key, const char *info,
			 const char *name)
{
	size_t len;
	const char *value = find_value(info, name, &len);

	json_field_int(json, key, value != NULL ? strtoll(value, NULL, 10) : 0);
}

static void write_flag(struct json_writer *json, const char *key, const char *info,
		       const char *name, const char *good)
{
	size_t len = 0;
	const char *value = find_value(info, name, &len);

	json_field_bool(json, key,
			value != NULL && len == strlen(good) && strncmp(value, good, len) == 0);
}

static void write_memory(struct json_writer *json, const char *info)
{
	json_key(json, "memory");
	json_begin_object(json);
	write_number(json, "usedBytes", info, "used_memory");
	write_number(json, "peakBytes", info, "used_memory_peak");
	write_number(json, "residentBytes", info, "used_memory_rss");
	write_number(json, "maxBytes", info, "maxmemory");
	write_text(json, "policy", info, "maxmemory_policy");
	json_end_object(json);
}

static void write_aof(struct json_writer *json, const char *info)
{
	json_key(json, "aof");
	json_begin_object(json);
	write_flag(json, "enabled", info, "aof_enabled", "1");
	write_flag(json, "lastWriteOk", info, "aof_last_write_status", "ok");
	write_flag(json, "lastRewriteOk", info, "aof_last_bgrewrite_status", "ok");
	write_flag(json, "rewriting", info, "aof_rewrite_in_progress", "1");
	write_number(json, "sizeBytes", info, "aof_current_size");
	json_end_object(json);
}

/* "p50=1.003,p99=3.007,p99.9=5.023": one of them. */
static int64_t percentile(const char *value, size_t len, const char *name)
{
	const char *at = memmem(value, len, name, strlen(name));

	return at != NULL ? (int64_t)(strtod(at + strlen(name), NULL) * 1000) : 0;
}

/* Lines of latencystats, one for each command that was ever called. */
static void write_latencies(struct json_writer *json, const char *info)
{
	static const char prefix[] = "latency_percentiles_usec_";
	const char *at = info;

	json_key(json, "commands");
	json_begin_object(json);
	while ((at = strstr(at, prefix)) != NULL) {
		const char *name = at + sizeof(prefix) - 1;
		size_t name_len = strcspn(name, ":\r\n");
		const char *value = name + name_len;
		size_t len = strcspn(value, "\r\n");
		char *key = mem_strndup(name, name_len);

		json_key(json, key);
		json_begin_object(json);
		json_field_int(json, "p50Ns", percentile(value, len, "p50="));
		json_field_int(json, "p99Ns", percentile(value, len, "p99="));
		json_field_int(json, "p999Ns", percentile(value, len, "p99.9="));
		json_end_object(json);
		free(key);
		at = value + len;
	}
	json_end_object(json);
}

/* ---- streams ---- */

/* {name, length, {{group, consumers, pending, lag}, ...}} for each that is there. */
static const char streams_script[] =
	"local found = {} "
	"for _, key in ipairs(KEYS) do if redis.call('EXISTS', key) == 1 then "
	"  local groups = {} "
	"  for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do "
	"    local of = {} for i = 1, #group, 2 do of[group[i]] = group[i + 1] end "
	"    groups[#groups + 1] = {of['name'], of['consumers'], of['pending'], of['lag'] or -1} "
	"end "
	"  found[#found + 1] = {key, redis.call('XLEN', key), groups} end end "
	"return found";

static void write_group(struct json_writer *json, const redisReply *group)
{
	json_begin_object(json);
	json_field_str(json, "name", group->element[0]->str);
	json_field_int(json, "consumers", group->element[1]->integer);
	json_field_int(json, "pending", group->element[2]->integer);
	json_key(json, "lag"); /* Redis does not know it after some kinds of trimming */
	if (group->element[3]->type == REDIS_REPLY_INTEGER && group->element[3]->integer >= 0)
		json_int(json, group->element[3]->integer);
	else
		json_null(json);
	json_end_object(json);
}

static void write_streams(struct json_writer *json, const redisReply *reply)
{
	json_key(json, "streams");
	json_begin_array(json);
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *stream = reply->element[i];

		json_begin_object(json);
		json_field_str(json, "name", stream->element[0]->str);
		json_field_int(json, "length", stream->element[1]->integer);
		json_key(json, "groups");
		json_begin_array(json);
		for (size_t j = 0; j < stream->element[2]->elements; j++)
			write_group(json, stream->element[2]->element[j]);
		json_end_array(json);
		json_end_object(json);
	}
	json_end_array(json);
}

/* ---- the question ---- */

static void write_health(struct json_writer *json, const struct asking *asking,
			 const redisReply *found)
{
	const char *info = buffer_str(&asking->info);
	size_t len = 0;
	const char *keys = find_value(info, "db0", &len);
	int64_t round_trip_us = asking->answered_us - asking->asked_us;

	json_begin_object(json);
	write_text(json, "version", info, "redis_version");
	write_text(json, "role", info, "role");
	write_number(json, "uptimeS", info, "uptime_in_seconds");
	write_number(json, "replicas", info, "connected_slaves");
	write_number(json, "clients", info, "connected_clients");
	write_number(json, "operationsPerS", info, "instantaneous_ops_per_sec");
	json_field_int(json, "keys",
		       keys != NULL && strncmp(keys, "keys=", 5) == 0 ? strtoll(keys + 5, NULL, 10)
								      : 0);
	write_memory(json, info);
	write_aof(json, info);
	json_key(json, "latency");
	json_begin_object(json);
	json_field_int(json, "roundTripUs", round_trip_us);
	write_latencies(json, info);
	json_end_object(json);
	write_streams(json, found);
	json_end_object(json);
}

static void on_streams(const redisReply *reply, void *context)
{
	struct asking *asking = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || asking->info.len == 0) {
		asking->done(NULL, asking->context);
	} else {
		write_health(&json, asking, reply);
		asking->done(&body, asking->context);
	}
	buffer_free(&body);
	buffer_free(&asking->info);
	free(asking);
}

static void on_info(const redisReply *reply, void *context)
{
	struct asking *asking = context;

	asking->answered_us = clock_mono_us();
	if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		buffer_append(&asking->info, reply->str, (size_t)reply->len);
}

/* Appends "<stream>:<pbx>" for each PBX. Returns how many keys there are now. */
static size_t add_pbx_keys(char **keys, size_t count, const char *pbxs)
{
	for (size_t pbx = 0; *pbxs != '\0' && pbx < PBXS_MAX; pbx++) {
		size_t len = strcspn(pbxs, " ");

		for (size_t i = 0; i < 2; i++)
			keys[count++] = mem_printf("%s:%.*s", pbx_streams[i], (int)len, pbxs);
		pbxs += len + strspn(pbxs + len, " ");
	}
	return count;
}

static void write_streams_command(const char *pbxs, struct buffer *command)
{
	char *keys[SCRIPT_KEYS_MAX];
	char number[16];
	size_t count = 0;

	while (count < STREAMS) {
		keys[count] = mem_strdup(streams[count]);
		count++;
	}
	count = add_pbx_keys(keys, count, pbxs);
	snprintf(number, sizeof(number), "%zu", count);
	resp_array(command, 3 + count);
	resp_text(command, "EVAL_RO");
	resp_text(command, streams_script);
	resp_text(command, number);
	for (size_t i = 0; i < count; i++) {
		resp_text(command, keys[i]);
		free(keys[i]);
	}
}

void store_get_health(struct store *store, const char *pbxs, store_health_fn *done, void *context)
{
	struct asking *asking = mem_new(struct asking);
	struct buffer command = {0};

	asking->asked_us = clock_mono_us();
	asking->done = done;
	asking->context = context;
	(void)redis_link_command(store->link, on_info, asking, "INFO everything");
	write_streams_command(pbxs, &command);
	if (redis_link_raw(store->link, on_streams, asking, command.data, command.len) < 0)
		on_streams(NULL, asking);
	buffer_free(&command);
}

struct pinging {
	int64_t asked_us;
	store_ping_fn *done;
	void *context;
};

static void on_ping(const redisReply *reply, void *context)
{
	struct pinging *pinging = context;
	int64_t took_us = clock_mono_us() - pinging->asked_us;

	if (reply == NULL || reply->type != REDIS_REPLY_INTEGER)
		pinging->done(false, 0, took_us, pinging->context);
	else
		pinging->done(true, reply->integer, took_us, pinging->context);
	free(pinging);
}

void store_ping_sessions(struct store *store, store_ping_fn *done, void *context)
{
	struct pinging *pinging = mem_new(struct pinging);

	*pinging = (struct pinging){clock_mono_us(), done, context};
	if (redis_link_command(store->link, on_ping, pinging, "ZCARD sessions") < 0)
		on_ping(NULL, pinging);
}
