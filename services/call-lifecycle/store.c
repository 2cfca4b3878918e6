#include "store.h"

#include "mem.h"
#include "resp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINATE_KEEP_S "60" /* a call that Asterisk never hears of */
#define ACTIONS_MAX      "10000"

const struct store_field store_call_fields[] = {
	{"callId", STORE_TEXT},
	{"pbx", STORE_TEXT},
	{"state", STORE_TEXT},
	{"direction", STORE_TEXT},
	{"from", STORE_JSON},
	{"to", STORE_JSON},
	{"startedAt", STORE_NUMBER},
	{"ringingAt", STORE_NUMBER},
	{"answeredAt", STORE_NUMBER},
	{"endedAt", STORE_NUMBER},
	{"durationMs", STORE_NUMBER},
	{"talkMs", STORE_NUMBER},
	{"holdMs", STORE_NUMBER},
	{"heldAt", STORE_NUMBER},
	{"heldBy", STORE_TEXT},
	{"result", STORE_TEXT},
	{"hangup", STORE_JSON},
	{"queue", STORE_JSON},
	{"extensions", STORE_JSON},
	{"mergedInto", STORE_TEXT},
	{"requestedBy", STORE_TEXT},
	{"trunk", STORE_TEXT},
	/* and of one call: */
	{"segments", STORE_JSON},
	{"channels", STORE_JSON},
	{"recordings", STORE_JSON},
	{"transfers", STORE_JSON},
	{"mergedFrom", STORE_JSON},
	{"park", STORE_JSON},
	{"timeline", STORE_JSON},
	{NULL, STORE_TEXT},
};

const size_t store_call_field_count = sizeof(store_call_fields) / sizeof(store_call_fields[0]) - 1;
const size_t store_summary_count = 22;
const size_t store_extensions_field = 18;

int store_call_get(struct redis_link *link, const char *call_id, size_t count, redis_reply_fn *fn,
		   void *context)
{
	const char *words[2 + sizeof(store_call_fields) / sizeof(store_call_fields[0])];
	char *key = mem_printf("call:%s", call_id);
	int sent;

	words[0] = "HMGET";
	words[1] = key;
	for (size_t i = 0; i < count; i++)
		words[2 + i] = store_call_fields[i].name;
	sent = redis_link_argv(link, fn, context, (int)(2 + count), words, NULL);
	free(key);
	return sent;
}

int store_call_ids(struct redis_link *link, const char *extension, int64_t started_at, size_t count,
		   redis_reply_fn *fn, void *context)
{
	char *key = extension != NULL ? mem_printf("calls:of:%s", extension)
				      : mem_strdup("calls:recent");
	char from[24] = "+inf";
	int sent;

	if (started_at > 0)
		snprintf(from, sizeof(from), "%" PRId64, started_at);
	sent = redis_link_command(link, fn, context,
				  "ZREVRANGEBYSCORE %s %s -inf WITHSCORES LIMIT 0 %d", key, from,
				  (int)count);
	free(key);
	return sent;
}

static void add_action(struct buffer *out, const char *pbx, const char *action, size_t len)
{
	char *key = mem_printf("actions:%s", pbx);

	resp_array(out, 8);
	resp_text(out, "XADD");
	resp_text(out, key);
	resp_text(out, "MAXLEN");
	resp_text(out, "~");
	resp_text(out, ACTIONS_MAX);
	resp_text(out, "*");
	resp_text(out, "a");
	resp_bulk(out, action, len);
	free(key);
}

int store_action(struct redis_link *link, const char *pbx, const char *action, size_t len,
		 redis_reply_fn *fn, void *context)
{
	struct buffer command = {0};
	int sent;

	add_action(&command, pbx, action, len);
	sent = redis_link_raw(link, fn, context, buffer_str(&command), command.len);
	buffer_free(&command);
	return sent;
}

const struct store_field store_recording_fields[] = {
	{"recordingId", STORE_TEXT},  {"callId", STORE_TEXT},      {"pbx", STORE_TEXT},
	{"state", STORE_TEXT},        {"startedAt", STORE_NUMBER}, {"endedAt", STORE_NUMBER},
	{"durationMs", STORE_NUMBER}, {"by", STORE_TEXT},          {"extensions", STORE_JSON},
	{"bytes", STORE_NUMBER},      {"sha256", STORE_TEXT},      {NULL, STORE_TEXT},
};

int store_recording_get(struct redis_link *link, const char *id, redis_reply_fn *fn, void *context)
{
	const char *words[2 + STORE_RECORDING_FIELDS_MAX];
	char *key = mem_printf("recording:%s", id);
	int count = 2;
	int sent;

	words[0] = "HMGET";
	words[1] = key;
	for (size_t i = 0; store_recording_fields[i].name != NULL; i++)
		words[count++] = store_recording_fields[i].name;
	sent = redis_link_argv(link, fn, context, count, words, NULL);
	free(key);
	return sent;
}

/* The same fields that the follower writes when it hears of the call. */
static int send_call(struct redis_link *link, const struct store_originate *originate)
{
	char *key = mem_printf("call:%s", originate->call_id);
	char *from = mem_printf("{\"number\":\"%s\",\"extension\":\"%s\"}", originate->from,
				originate->from);
	char *to = mem_printf("{\"number\":\"%s\"}", originate->to);
	char *extensions = mem_printf("[\"%s\"]", originate->from);
	char *started_at = mem_printf("%" PRId64, originate->started_at);
	const char *words[] = {
		"HSET",        key,
		"callId",      originate->call_id,
		"pbx",         originate->pbx,
		"state",       "originating",
		"direction",   "internal",
		"from",        from,
		"to",          to,
		"startedAt",   started_at,
		"extensions",  extensions,
		"segments",    "[]",
		"channels",    "[]",
		"timeline",    "[]",
		"requestedBy", originate->requested_by,
	};
	int sent = redis_link_argv(link, NULL, NULL, (int)(sizeof(words) / sizeof(words[0])), words,
				   NULL);

	if (sent == 0)
		sent = redis_link_command(link, NULL, NULL, "EXPIRE %s " ORIGINATE_KEEP_S, key);
	free(key);
	free(from);
	free(to);
	free(extensions);
	free(started_at);
	return sent;
}

int store_originate(struct redis_link *link, const struct store_originate *originate,
		    redis_reply_fn *fn, void *context)
{
	if (redis_link_command(link, NULL, NULL, "MULTI") < 0 || send_call(link, originate) < 0 ||
	    store_action(link, originate->pbx, originate->action, originate->action_len, NULL,
			 NULL) < 0)
		return -1;
	return redis_link_command(link, fn, context, "EXEC");
}

char *store_reply_stream(const char *instance)
{
	return mem_printf("replies:%s", instance);
}

int store_pbx_ask(struct redis_link *link, const char *pbx, redis_reply_fn *const fns[4],
		  void *context)
{
	if (redis_link_command(link, fns[0], context, "HGET pbx:%s state", pbx) < 0 ||
	    redis_link_command(link, fns[1], context, "HMGET lifecycle:%s asOf stale", pbx) < 0 ||
	    redis_link_command(link, fns[2], context, "EXISTS lease:lifecycle:%s", pbx) < 0)
		return -1;
	return redis_link_command(link, fns[3], context, "SCARD calls:live:%s", pbx);
}

int store_pbx_of(struct redis_link *link, const char *extension, redis_reply_fn *fn, void *context)
{
	return redis_link_command(link, fn, context, "HGET agent:%s pbx", extension);
}
