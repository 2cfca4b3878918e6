/* /api/ami/agents and /api/ami/queues: who works, who waits; pauses and log-ins. */
#include "agent_pause.h"
#include "audit.h"
#include "clock.h"
#include "control.h"
#include "ids.h"
#include "live_list.h"
#include "live_view.h"
#include "mem.h"
#include "reach.h"
#include "routes_numbers.h"
#include "settings.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define REASON_MAX 80
#define QUEUE_MAX  80

/* ---- who may ---- */

static void let_pass(struct http_request *request, enum permission permission)
{
	if (!id_is_number(http_param(request, "extension")))
		http_reply_error(request, 404, "agent_not_found", "no agent has such an extension");
	else if (reach_sees(http_principal(request), permission, http_param(request, "extension")))
		http_proceed(request);
	else
		http_reply_error(request, 403, "not_own_extension",
				 "it is neither your own extension nor one of your teams");
}

void guard_agent_view(struct http_request *request, void *context)
{
	(void)context;
	let_pass(request, PERMISSION_MONITOR_CALLS);
}

void guard_agent_change(struct http_request *request, void *context)
{
	(void)context;
	let_pass(request, PERMISSION_MANAGE_AGENTS);
}

/* ---- lists ---- */

static bool sees_agent(const struct principal *who, const char *extension)
{
	return reach_sees(who, PERMISSION_MONITOR_CALLS, extension);
}

static bool agent_fits(const redisReply *reply, const char *state)
{
	return strcmp(live_field(reply, "state"), state) == 0;
}

static void write_queue(const redisReply *reply, int64_t day_at, int64_t now,
			struct json_writer *writer)
{
	live_queue_write(reply, day_at, now, NULL, writer);
}

void handle_agents(struct http_request *request, void *context)
{
	static const struct live_kind kind = {"agents",         store_agent_names, store_agent_get,
					      live_agent_write, agent_fits,        sees_agent};
	static const char *const states[] = {"offline", "available", "ringing",
					     "busy",    "wrap_up",   "paused"};
	const char *state = http_query(request, "state");
	bool known = state == NULL;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		known = known || strcmp(states[i], state) == 0;
	if (known)
		live_list_reply(context, request, &kind);
	else
		http_reply_error(request, 400, "invalid_state", "no such state of an agent");
}

void handle_queues(struct http_request *request, void *context)
{
	static const struct live_kind kind = {
		"queues", store_queue_names, store_queue_get, write_queue, NULL, NULL};

	live_list_reply(context, request, &kind);
}

/* ---- one ---- */

struct one {
	struct service *service;
	struct http_request *request;
	bool queue;
};

static void write_one(const struct one *one, const redisReply *reply)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);
	int64_t now = clock_wall_ms();

	json_begin_object(&writer);
	if (one->queue)
		live_queue_write(reply, live_day_at(now), now, http_principal(one->request),
				 &writer);
	else
		live_agent_write(reply, live_day_at(now), now, &writer);
	live_write_as_of(one->service, live_field(reply, "pbx"), &writer);
	json_end_object(&writer);
	http_reply_json(one->request, 200, &body);
}

static void on_one(const redisReply *reply, void *context)
{
	struct one *one = context;
	const char *name = one->queue ? "name" : "state";

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		http_reply_error(one->request, 503, "unavailable", "Redis is away");
	else if (live_field(reply, name)[0] == '\0') /* auth-svc may know an agent before */
		http_reply_error(one->request, 404,
				 one->queue ? "queue_not_found" : "agent_not_found",
				 "nothing of this name was seen yet");
	else
		write_one(one, reply);
	free(one);
}

static void ask_one(struct service *service, struct http_request *request, bool queue,
		    const char *name)
{
	struct one *one = mem_new(struct one);

	*one = (struct one){service, request, queue};
	if ((queue ? store_queue_get : store_agent_get)(service->link, name, on_one, one) == 0)
		return;
	http_reply_error(request, 503, "unavailable", "Redis is away");
	free(one);
}

void handle_agent(struct http_request *request, void *context)
{
	ask_one(context, request, false, http_param(request, "extension"));
}

void handle_queue(struct http_request *request, void *context)
{
	ask_one(context, request, true, http_param(request, "name"));
}

/* ---- changes ---- */

static void reply_accepted(struct http_request *request)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);

	json_begin_object(&writer);
	json_field_str(&writer, "extension", http_param(request, "extension"));
	json_end_object(&writer);
	http_reply_json(request, 202, &body);
}

static void on_changed(enum msg_ami_reply_outcome outcome, const char *message, void *context)
{
	if (outcome == MSG_AMI_REPLY_OUTCOME_SUCCESS)
		reply_accepted(context);
	else
		control_refused(context, outcome, message);
}

/* Whether any PBX is; which one it goes to is the agent's. False: 503 was replied. */
static bool is_up(struct service *service, struct http_request *request)
{
	if (pbx_watch_choose(service->watch, settings.lifecycle.pbx_name) != NULL)
		return true;
	http_reply_error(request, 503, "pbx_unavailable", "Asterisk is not connected");
	return false;
}

static bool is_text(const cJSON *item, size_t max)
{
	size_t len = cJSON_IsString(item) ? strlen(item->valuestring) : 0;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)item->valuestring[i] < 0x20)
			return false;
	return len > 0 && len <= max;
}

/* False: 400 was replied. *text_r NULL: it is not there. */
static bool take_text(struct http_request *request, const char *name, size_t max,
		      const char **text_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(http_json(request), name);

	*text_r = item != NULL ? cJSON_GetStringValue(item) : NULL;
	if (item == NULL || is_text(item, max))
		return true;
	http_reply_error(request, 400, "bad_request", "%s must be a text of 1 to %zu bytes", name,
			 max);
	return false;
}

static struct agent_pause change_of(struct http_request *request)
{
	return (struct agent_pause){
		.extension = http_param(request, "extension"),
		.by = http_principal(request)->user_id,
		.request_id = http_request_id(request),
	};
}

/* What is done to somebody else is kept. False: a reply was sent. */
static bool audit_others(struct service *service, struct http_request *request, const char *action,
			 const char *detail)
{
	const char *extension = http_param(request, "extension");
	char *subject;
	bool written;

	if (strcmp(extension, http_principal(request)->extension) == 0)
		return true;
	subject = mem_printf("agent:%s", extension);
	written = audit(service, request, action, subject, detail);
	free(subject);
	return written;
}

static void set_pause(struct service *service, struct http_request *request, bool paused)
{
	struct agent_pause pause = change_of(request);

	pause.paused = paused;
	if (!take_text(request, "queue", QUEUE_MAX, &pause.queue) ||
	    !take_text(request, "reason", REASON_MAX, &pause.reason) || !is_up(service, request) ||
	    !audit_others(service, request, paused ? "agent:paused" : "agent:unpaused",
			  pause.queue))
		return;
	agent_pause(service->link, service->commands, settings.lifecycle.pbx_name, &pause,
		    on_changed, request);
}

void handle_agent_pause(struct http_request *request, void *context)
{
	set_pause(context, request, true);
}

void handle_agent_unpause(struct http_request *request, void *context)
{
	set_pause(context, request, false);
}

/* False: it was replied. */
static bool take_queue(struct service *service, struct http_request *request,
		       struct agent_pause *pause_r)
{
	const char *queue = http_param(request, "name");

	*pause_r = change_of(request);
	pause_r->queue = queue;
	if (queue[0] == '\0' || strlen(queue) > QUEUE_MAX) {
		http_reply_error(request, 404, "queue_not_found", "no queue has such a name");
		return false;
	}
	return is_up(service, request);
}

void handle_agent_log_in(struct http_request *request, void *context)
{
	struct service *service = context;
	struct agent_pause pause;

	if (take_queue(service, request, &pause) &&
	    audit_others(service, request, "agent:queue_logged_in", pause.queue))
		agent_log_in(service->link, service->commands, settings.lifecycle.pbx_name, &pause,
			     on_changed, request);
}

void handle_agent_log_out(struct http_request *request, void *context)
{
	struct service *service = context;
	struct agent_pause pause;

	if (take_queue(service, request, &pause) &&
	    audit_others(service, request, "agent:queue_logged_out", pause.queue))
		agent_log_out(service->link, service->commands, settings.lifecycle.pbx_name, &pause,
			      on_changed, request);
}
