#include "live_view.h"

#include "ratio.h"

#include <stdlib.h>
#include <string.h>

enum kind {
	KIND_TEXT,
	KIND_LOWER, /* AMI's word in lower case */
	KIND_NUMBER,
	KIND_TIME, /* a number; 0 is left out */
	KIND_FLAG,
	KIND_JSON,
	KIND_TODAY, /* a number that counts only today */
};

struct field {
	const char *name;
	enum kind kind;
	const char *shown; /* NULL: as it is called */
};

static const struct field agent_fields[] = {
	{"extension", KIND_TEXT, NULL},
	{"pbx", KIND_TEXT, NULL},
	{"deviceState", KIND_LOWER, NULL},
	{"deviceSinceAt", KIND_TIME, NULL},
	{"registered", KIND_FLAG, NULL},
	{"state", KIND_TEXT, NULL},
	{"stateReason", KIND_TEXT, "reason"},
	{"sinceAt", KIND_NUMBER, NULL},
	{"paused", KIND_FLAG, NULL},
	{"pauseReason", KIND_TEXT, NULL},
	{"callId", KIND_TEXT, NULL},
	{"wrapUpUntilAt", KIND_TIME, NULL},
	{"availability", KIND_TEXT, NULL},
	{"callsToday", KIND_TODAY, NULL},
	{"talkTodayMs", KIND_TODAY, NULL},
	{"queues", KIND_JSON, NULL},
	{NULL, KIND_TEXT, NULL},
};

static const struct field queue_fields[] = {
	{"name", KIND_TEXT, NULL},
	{"pbx", KIND_TEXT, NULL},
	{"waiting", KIND_NUMBER, NULL},
	{"longestSinceAt", KIND_TIME, NULL},
	{"available", KIND_NUMBER, NULL},
	{"offeredToday", KIND_TODAY, NULL},
	{"answeredToday", KIND_TODAY, NULL},
	{"inServiceLevelToday", KIND_TODAY, NULL},
	{"abandonedToday", KIND_TODAY, NULL},
	{"shortAbandonedToday", KIND_TODAY, NULL},
	{"timedOutToday", KIND_TODAY, NULL},
	{"longestWaitTodayMs", KIND_TODAY, NULL},
	{NULL, KIND_TEXT, NULL},
};

const char *live_field(const redisReply *reply, const char *name)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2)
		if (strcmp(reply->element[i]->str, name) == 0)
			return reply->element[i + 1]->str;
	return "";
}

static int64_t number(const redisReply *reply, const char *name)
{
	return strtoll(live_field(reply, name), NULL, 10);
}

static void write_lower(struct json_writer *writer, const char *key, const char *text)
{
	char lower[32];
	size_t i = 0;

	for (; text[i] != '\0' && i + 1 < sizeof(lower); i++)
		lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	lower[i] = '\0';
	json_field_str(writer, key, lower);
}

static void write_field(struct json_writer *writer, const struct field *field, const char *text,
			bool is_today)
{
	const char *key = field->shown != NULL ? field->shown : field->name;

	switch (field->kind) {
	case KIND_TEXT:
		if (text[0] != '\0')
			json_field_str(writer, key, text);
		break;
	case KIND_LOWER:
		write_lower(writer, key, text[0] != '\0' ? text : "unknown");
		break;
	case KIND_TIME:
		if (strtoll(text, NULL, 10) == 0)
			break;
		/* fall through */
	case KIND_NUMBER:
		json_field_int(writer, key, strtoll(text, NULL, 10));
		break;
	case KIND_FLAG:
		json_field_bool(writer, key, text[0] == '1');
		break;
	case KIND_JSON:
		json_field_raw(writer, key, text[0] != '\0' ? text : "[]");
		break;
	case KIND_TODAY:
		json_field_int(writer, key, is_today ? strtoll(text, NULL, 10) : 0);
		break;
	}
}

static void write_fields(struct json_writer *writer, const struct field *fields,
			 const redisReply *reply, bool is_today)
{
	for (; fields->name != NULL; fields++)
		write_field(writer, fields, live_field(reply, fields->name), is_today);
}

/* The sums of the day, the span that goes on included. */
static void write_time(struct json_writer *writer, const redisReply *reply, int64_t day_at,
		       int64_t now, bool is_today)
{
	static const char *const states[] = {"offline", "available", "ringing",
					     "busy",    "wrap_up",   "paused"};
	const char *text = live_field(reply, "timeToday"), *error;
	const char *state = live_field(reply, "state");
	int64_t since_at = number(reply, "sinceAt");
	cJSON *sums = json_parse(text, strlen(text), &error);

	if (since_at < day_at)
		since_at = day_at;
	json_key(writer, "timeTodayMs");
	json_begin_object(writer);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		int64_t ms = is_today ? json_get_int(sums, states[i], 0) : 0;

		if (strcmp(states[i], state) == 0 && now > since_at)
			ms += now - since_at;
		json_field_int(writer, states[i], ms);
	}
	json_end_object(writer);
	cJSON_Delete(sums);
}

void live_agent_write(const redisReply *reply, int64_t day_at, int64_t now,
		      struct json_writer *writer)
{
	bool is_today = number(reply, "dayAt") == day_at;

	write_fields(writer, agent_fields, reply, is_today);
	write_time(writer, reply, day_at, now, is_today);
}

void live_queue_write(const redisReply *reply, int64_t day_at, int64_t now,
		      const struct principal *who, struct json_writer *writer)
{
	bool is_today = number(reply, "dayAt") == day_at;
	int64_t since_at = number(reply, "longestSinceAt");
	int64_t answered = is_today ? number(reply, "answeredToday") : 0;
	/* Of those who are through; short abandons do not count. */
	int64_t counted = number(reply, "offeredToday") - number(reply, "waiting") -
			  number(reply, "shortAbandonedToday");

	write_fields(writer, queue_fields, reply, is_today);
	json_field_int(writer, "longestWaitMs",
		       since_at > 0 && now > since_at ? now - since_at : 0);
	mean_write(writer, "averageWaitTodayMs", number(reply, "waitTodayMs"), answered);
	ratio_write(writer, "serviceLevelToday", number(reply, "inServiceLevelToday"),
		    is_today ? counted : 0);
	if (who == NULL)
		return;
	json_field_raw(writer, "callers", live_field(reply, "callers"));
	json_key(writer, "members");
	reach_write_those(who, PERMISSION_MONITOR_CALLS, live_field(reply, "members"), writer);
}
