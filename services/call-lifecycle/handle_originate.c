/* POST /api/ami/calls/originate: the caller's own phone rings first, then the destination is
 * dialled. */
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "originate.h"
#include "reach.h"
#include "routes.h"
#include "store.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MIN_MS 1000
#define TIMEOUT_MAX_MS 300000
#define VALUE_MAX      200
#define QUEUE_MAX      80

/* What the body asks for; its texts are the request's. */
struct wish {
	struct service *service;
	struct http_request *request;
	struct originate originate;
	char *variables[ORIGINATE_VARIABLES_MAX]; /* owned */
	bool dry_run;
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
	static const char *const known[] = {"from",      "to",        "queue", "callerId",
					    "timeoutMs", "variables", "dryRun"};
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

	*timeout_ms_r = ORIGINATE_TIMEOUT_MS;
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

static bool read_variables(const cJSON *body, struct wish *wish)
{
	struct originate *originate = &wish->originate;
	const cJSON *object = cJSON_GetObjectItemCaseSensitive(body, "variables");
	const cJSON *item;

	if (object == NULL)
		return true;
	if (!cJSON_IsObject(object))
		return false;
	cJSON_ArrayForEach(item, object)
	{
		/* A comma would begin another variable. */
		if (originate->variable_count == ORIGINATE_VARIABLES_MAX || !cJSON_IsString(item) ||
		    !is_allowed_variable(item->string) || !is_plain(item->valuestring, VALUE_MAX) ||
		    strchr(item->valuestring, ',') != NULL)
			return false;
		wish->variables[originate->variable_count] =
			mem_printf("%s=%s", item->string, item->valuestring);
		originate->variables[originate->variable_count] =
			wish->variables[originate->variable_count];
		originate->variable_count++;
	}
	return true;
}

/* A number, or a queue by its name. */
static bool read_destination(struct http_request *request, const cJSON *body,
			     struct originate *originate)
{
	const cJSON *queue = cJSON_GetObjectItemCaseSensitive(body, "queue");

	if (queue == NULL) {
		if (read_number(body, "to", NULL, &originate->to))
			return true;
		return refuse(request, "to", "must be a number of at most 32 digits");
	}
	if (cJSON_HasObjectItem(body, "to") || !cJSON_IsString(queue) ||
	    !id_is_safe(queue->valuestring, QUEUE_MAX))
		return refuse(request, "queue",
			      "must be the name of a queue, and stand instead of to");
	originate->to = queue->valuestring;
	originate->application = "Queue";
	originate->argument = queue->valuestring;
	return true;
}

static bool read_dry_run(const cJSON *body, bool *dry_run_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "dryRun");

	*dry_run_r = cJSON_IsTrue(item);
	return item == NULL || cJSON_IsBool(item);
}

static bool read_body(struct http_request *request, struct wish *wish)
{
	const struct principal *who = http_principal(request);
	const cJSON *body = http_json(request);
	const char *own = who->extension[0] != '\0' ? who->extension : NULL;
	struct originate *originate = &wish->originate;

	if (!known_members(request, body) || !read_destination(request, body, originate))
		return false;
	if (!read_number(body, "from", own, &originate->from))
		return refuse(request, "from", "must be an extension");
	if (!read_number(body, "callerId", "", &originate->caller_id) &&
	    cJSON_HasObjectItem(body, "callerId"))
		return refuse(request, "callerId", "must be a number of at most 32 digits");
	if (!read_timeout(body, &originate->timeout_ms))
		return refuse(request, "timeoutMs", "must be a whole number of 1000 to 300000");
	if (!read_dry_run(body, &wish->dry_run))
		return refuse(request, "dryRun", "must be true or false");
	if (!read_variables(body, wish))
		return refuse(request, "variables",
			      "must be an object of at most 4 allowed names with plain texts");
	if (!reach_sees(who, PERMISSION_ALL_CALLS, originate->from)) {
		http_reply_error(request, 403, "not_your_extension",
				 "you call from your own extension, or from one of your teams");
		return false;
	}
	return true;
}

static void free_wish(struct wish *wish)
{
	for (size_t i = 0; i < wish->originate.variable_count; i++)
		free(wish->variables[i]);
	free(wish);
}

static void carry_out(struct wish *wish)
{
	if (wish->dry_run)
		originate_show(wish->service, wish->request, &wish->originate);
	else
		originate_send(wish->service, wish->request, &wish->originate);
	free_wish(wish);
}

/* The one where the caller's phone is, if it is up. */
static void on_pbx(const redisReply *reply, void *context)
{
	struct wish *wish = context;
	const char *pbx = reply != NULL && reply->type == REDIS_REPLY_STRING ? reply->str : "";

	pbx = pbx_watch_choose(wish->service->watch, pbx);
	if (pbx != NULL)
		wish->originate.pbx = pbx;
	carry_out(wish);
}

void handle_originate(struct http_request *request, void *context)
{
	struct service *service = context;
	struct wish *wish = mem_new(struct wish);

	wish->service = service;
	wish->request = request;
	wish->originate.pbx = settings.lifecycle.pbx_name;
	if (!read_body(request, wish))
		free_wish(wish);
	else if (service->pbx_count == 1 ||
		 store_pbx_of(service->link, wish->originate.from, on_pbx, wish) < 0)
		carry_out(wish);
}
