/* POST /api/ami/calls/originate: the caller's own phone rings first, then the destination is
 * dialled. */
#include "clock.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "routes.h"
#include "service.h"
#include "store.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS     30000
#define TIMEOUT_MIN_MS 1000
#define TIMEOUT_MAX_MS 300000
#define VARIABLES_MAX  4
#define VALUE_MAX      200

struct originate {
	const char *from, *to, *caller_id;
	int64_t timeout_ms;
	char *variables[VARIABLES_MAX]; /* "NAME=value", owned */
	size_t variable_count;
	char id[ID_CALL_LEN + 1];
};

static bool refuse(struct http_request *request, const char *field, const char *why)
{
	char *details = mem_printf("{\"field\":\"%s\"}", field);

	http_reply_error_details(request, 400, "invalid_field", details, "%s %s", field, why);
	free(details);
	return false;
}

/* What may stand in a header: no control bytes, so that nothing can be slipped into AMI. */
static bool is_plain(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len == 0 || len > max || !utf8_valid(text, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static bool known_members(struct http_request *request, const cJSON *body)
{
	static const char *const known[] = {"from", "to", "callerId", "timeoutMs", "variables"};
	const cJSON *item;

	cJSON_ArrayForEach(item, body)
	{
		bool found = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || strcmp(known[i], item->string) == 0;
		if (!found) {
			http_reply_error(request, 400, "unknown_field",
					 "the body has a field that is not known here");
			return false;
		}
	}
	return true;
}

/* Absent gives the fallback; false when it is there and not a number to dial. */
static bool read_number(const cJSON *body, const char *name, const char *fallback,
			const char **number_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, name);

	*number_r = fallback;
	if (item == NULL)
		return fallback != NULL;
	*number_r = cJSON_IsString(item) ? item->valuestring : "";
	return id_is_number(*number_r);
}

static bool read_timeout(const cJSON *body, int64_t *timeout_ms_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "timeoutMs");

	*timeout_ms_r = TIMEOUT_MS;
	if (item == NULL)
		return true;
	if (!json_is_int(item))
		return false;
	*timeout_ms_r = (int64_t)item->valuedouble;
	return *timeout_ms_r >= TIMEOUT_MIN_MS && *timeout_ms_r <= TIMEOUT_MAX_MS;
}

static bool is_allowed_variable(const char *name)
{
	const char *at = settings.lifecycle.variables;
	size_t len = strlen(name);

	while (*at != '\0') {
		size_t word = strcspn(at, " ");

		if (word == len && strncmp(at, name, len) == 0)
			return true;
		at += word;
		at += strspn(at, " ");
	}
	return false;
}

static bool read_variables(const cJSON *body, struct originate *originate)
{
	const cJSON *object = cJSON_GetObjectItemCaseSensitive(body, "variables");
	const cJSON *item;

	if (object == NULL)
		return true;
	if (!cJSON_IsObject(object))
		return false;
	cJSON_ArrayForEach(item, object)
	{
		/* A comma would begin another variable. */
		if (originate->variable_count == VARIABLES_MAX || !cJSON_IsString(item) ||
		    !is_allowed_variable(item->string) || !is_plain(item->valuestring, VALUE_MAX) ||
		    strchr(item->valuestring, ',') != NULL)
			return false;
		originate->variables[originate->variable_count++] =
			mem_printf("%s=%s", item->string, item->valuestring);
	}
	return true;
}

static bool read_body(struct http_request *request, struct originate *originate)
{
	const struct principal *who = http_principal(request);
	const cJSON *body = http_json(request);
	const char *own = who->extension[0] != '\0' ? who->extension : NULL;

	if (!known_members(request, body))
		return false;
	if (!read_number(body, "to", NULL, &originate->to))
		return refuse(request, "to", "must be a number of at most 32 digits");
	if (!read_number(body, "from", own, &originate->from))
		return refuse(request, "from", "must be an extension");
	if (!read_number(body, "callerId", "", &originate->caller_id) &&
	    cJSON_HasObjectItem(body, "callerId"))
		return refuse(request, "callerId", "must be a number of at most 32 digits");
	if (!read_timeout(body, &originate->timeout_ms))
		return refuse(request, "timeoutMs", "must be a whole number of 1000 to 300000");
	if (!read_variables(body, originate))
		return refuse(request, "variables",
			      "must be an object of at most 4 allowed names with plain texts");
	if (who->role == ROLE_AGENT && (own == NULL || strcmp(own, originate->from) != 0)) {
		http_reply_error(request, 403, "not_your_extension",
				 "an agent calls from its own extension");
		return false;
	}
	return true;
}

static void write_action(struct service *service, struct http_request *request,
			 const struct originate *originate, struct buffer *out)
{
	char channel[64], timeout[24], *data;
	struct command command = {
		.pbx = settings.lifecycle.pbx_name,
		.action = "Originate",
		.call_id = originate->id,
		.request_id = http_request_id(request),
		.fields = {{"Channel", channel},
			   {"Context", settings.lifecycle.context},
			   {"Exten", originate->to},
			   {"Priority", "1"},
			   {"Timeout", timeout},
			   {"Async", "true"},
			   {"ChannelId", originate->id}},
	};
	size_t count = 7;

	snprintf(channel, sizeof(channel), "PJSIP/%s", originate->from);
	snprintf(timeout, sizeof(timeout), "%" PRId64, originate->timeout_ms);
	if (originate->caller_id[0] != '\0') {
		command.fields[count].name = "CallerID";
		command.fields[count++].value = originate->caller_id;
	}
	for (size_t i = 0; i < originate->variable_count; i++) {
		command.fields[count].name = "Variable";
		command.fields[count++].value = originate->variables[i];
	}
	data = mem_printf(
		"{\"from\":\"%s\",\"to\":\"%s\",\"requestedBy\":\"%s\",\"timeoutMs\":%" PRId64 "}",
		originate->from, originate->to, http_principal(request)->user_id,
		originate->timeout_ms);
	commands_write(service->commands, &command, data, out);
	free(data);
}

struct accepted {
	struct http_request *request;
	char id[ID_CALL_LEN + 1];
};

static void on_stored(const redisReply *reply, void *context)
{
	struct accepted *accepted = context;
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
		http_reply_error(accepted->request, 503, "unavailable", "Redis is away");
	} else {
		json_begin_object(&writer);
		json_field_str(&writer, "callId", accepted->id);
		json_field_str(&writer, "state", "originating");
		json_end_object(&writer);
		http_reply_json(accepted->request, 202, &body);
	}
	free(accepted);
}

static void store(struct service *service, struct http_request *request,
		  const struct originate *originate)
{
	struct accepted *accepted = mem_new(struct accepted);
	struct buffer action = {0};
	struct store_originate call = {
		.pbx = settings.lifecycle.pbx_name,
		.call_id = originate->id,
		.from = originate->from,
		.to = originate->to,
		.requested_by = http_principal(request)->user_id,
		.started_at = clock_wall_ms(),
	};

	write_action(service, request, originate, &action);
	call.action = buffer_str(&action);
	call.action_len = action.len;
	accepted->request = request;
	memcpy(accepted->id, originate->id, sizeof(accepted->id));
	if (store_originate(service->link, &call, on_stored, accepted) < 0) {
		http_reply_error(request, 503, "unavailable", "Redis is away");
		free(accepted);
	}
	buffer_free(&action);
}

void handle_originate(struct http_request *request, void *context)
{
	struct service *service = context;
	struct originate originate = {0};

	if (read_body(request, &originate)) {
		if (!pbx_watch_is_up(service->watch, settings.lifecycle.pbx_name)) {
			http_reply_error(request, 503, "pbx_unavailable",
					 "Asterisk is not connected");
		} else {
			id_call(originate.id);
			store(service, request, &originate);
		}
	}
	for (size_t i = 0; i < originate.variable_count; i++)
		free(originate.variables[i]);
}
