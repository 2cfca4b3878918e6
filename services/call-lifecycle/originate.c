#include "originate.h"

#include "clock.h"
#include "json.h"
#include "mem.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the fields of the action borrow. */
struct texts {
	char channel[64], timeout[24];
};

static void add(struct command *command, size_t *count, const char *name, const char *value)
{
	command->fields[*count].name = name;
	command->fields[(*count)++].value = value;
}

static struct command compose(struct http_request *request, const struct originate *originate,
			      struct texts *texts)
{
	struct command command = {
		.pbx = originate->pbx,
		.action = "Originate",
		.call_id = originate->id,
		.request_id = http_request_id(request),
	};
	size_t count = 0;

	snprintf(texts->channel, sizeof(texts->channel), "PJSIP/%s", originate->from);
	snprintf(texts->timeout, sizeof(texts->timeout), "%" PRId64, originate->timeout_ms);
	add(&command, &count, "Channel", texts->channel);
	if (originate->application != NULL) {
		add(&command, &count, "Application", originate->application);
		add(&command, &count, "Data", originate->argument);
	} else {
		add(&command, &count, "Context", settings.lifecycle.context);
		add(&command, &count, "Exten", originate->to);
		add(&command, &count, "Priority", "1");
	}
	add(&command, &count, "Timeout", texts->timeout);
	add(&command, &count, "Async", "true");
	add(&command, &count, "ChannelId", originate->id);
	if (originate->caller_id[0] != '\0')
		add(&command, &count, "CallerID", originate->caller_id);
	for (size_t i = 0; i < originate->variable_count; i++)
		add(&command, &count, "Variable", originate->variables[i]);
	return command;
}

static void write_action(struct service *service, struct http_request *request,
			 const struct originate *originate, struct buffer *out)
{
	struct texts texts = {0};
	struct command command = compose(request, originate, &texts);
	struct buffer data = {0};
	struct json_writer writer = json_writer_init(&data);

	json_begin_object(&writer);
	json_field_str(&writer, "from", originate->from);
	json_field_str(&writer, "to", originate->to);
	json_field_str(&writer, "requestedBy", http_principal(request)->user_id);
	json_field_int(&writer, "timeoutMs", originate->timeout_ms);
	json_end_object(&writer);
	command.data = buffer_str(&data);
	commands_write(service->commands, &command, out);
	buffer_free(&data);
}

struct accepted {
	struct http_request *request;
	char id[ID_CALL_LEN + 1];
	char *more;
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
		if (accepted->more != NULL)
			json_raw(&writer, accepted->more, strlen(accepted->more));
		json_end_object(&writer);
		http_reply_json(accepted->request, 202, &body);
	}
	free(accepted->more);
	free(accepted);
}

static bool pbx_is_up(struct service *service, struct http_request *request,
		      const struct originate *originate)
{
	if (pbx_watch_is_up(service->watch, originate->pbx))
		return true;
	http_reply_error(request, 503, "pbx_unavailable", "Asterisk is not connected");
	return false;
}

void originate_send(struct service *service, struct http_request *request,
		    struct originate *originate)
{
	struct accepted *accepted;
	struct buffer action = {0};
	struct store_originate call;

	if (!pbx_is_up(service, request, originate))
		return;
	id_call(originate->id);
	write_action(service, request, originate, &action);
	call = (struct store_originate){
		.pbx = originate->pbx,
		.call_id = originate->id,
		.from = originate->from,
		.to = originate->to,
		.requested_by = http_principal(request)->user_id,
		.started_at = clock_wall_ms(),
		.action = buffer_str(&action),
		.action_len = action.len,
	};
	accepted = mem_new(struct accepted);
	accepted->request = request;
	accepted->more = mem_strdup(originate->more);
	memcpy(accepted->id, originate->id, sizeof(accepted->id));
	if (store_originate(service->link, &call, on_stored, accepted) < 0) {
		http_reply_error(request, 503, "unavailable", "Redis is away");
		free(accepted->more);
		free(accepted);
	}
	buffer_free(&action);
}

void originate_show(struct service *service, struct http_request *request,
		    struct originate *originate)
{
	struct buffer body = {0};
	struct json_writer writer = json_writer_init(&body);
	struct texts texts;
	struct command command;

	if (!pbx_is_up(service, request, originate))
		return;
	id_call(originate->id);
	command = compose(request, originate, &texts);
	json_begin_object(&writer);
	json_field_bool(&writer, "dryRun", true);
	json_field_str(&writer, "pbx", originate->pbx);
	json_key(&writer, "fields");
	json_begin_array(&writer);
	for (size_t i = 0; i < COMMAND_FIELDS_MAX && command.fields[i].name != NULL; i++) {
		json_begin_array(&writer);
		json_str(&writer, command.fields[i].name);
		json_str(&writer, command.fields[i].value);
		json_end_array(&writer);
	}
	json_end_array(&writer);
	json_end_object(&writer);
	http_reply_json(request, 200, &body);
}
