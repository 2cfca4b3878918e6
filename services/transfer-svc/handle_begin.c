/* Beginning a transfer: what is asked, of which call, by whom. */
#include "body.h"
#include "call.h"
#include "ids.h"
#include "mem.h"
#include "reach.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct begin {
	struct service *service;
	struct http_request *request;
	struct transfer transfer;
	char other[TRANSFER_ID_MAX]; /* the transfer that the call has under way, or "" */
};

static struct begin *begin_new(struct service *service, struct http_request *request,
			       enum transfer_kind kind, const char *call_id)
{
	struct begin *begin = mem_new(struct begin);
	struct transfer *transfer = &begin->transfer;

	begin->service = service;
	begin->request = request;
	transfer->kind = kind;
	transfer->mode = kind == KIND_MANAGED ? MODE_ASKING : MODE_ALONE;
	transfer->id[0] = 't';
	id_call(transfer->id + 1);
	snprintf(transfer->call_id, sizeof(transfer->call_id), "%s", call_id);
	snprintf(transfer->user_id, sizeof(transfer->user_id), "%s",
		 http_principal(request)->user_id);
	snprintf(transfer->request_id, sizeof(transfer->request_id), "%s",
		 http_request_id(request));
	return begin;
}

/* ---- the call ---- */

static void on_begun(enum engine_result result, const struct transfer *transfer, const char *other,
		     void *context)
{
	struct begin *begin = context;

	reply_done(begin->service->link, begin->request, "transfer:begun", result, transfer, other);
	free(begin);
}

static void on_pbx(const redisReply *reply, void *context)
{
	struct begin *begin = context;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
		reply_unavailable(begin->request);
		free(begin);
	} else if (reply->type != REDIS_REPLY_STRING || strcmp(reply->str, "up") != 0) {
		http_reply_error(begin->request, 503, "pbx_unavailable",
				 "Asterisk is not connected");
		free(begin);
	} else {
		engine_begin(begin->service->engine, &begin->transfer, STATE_REQUESTED, on_begun,
			     begin);
	}
}

static void take_pair(struct begin *begin, const struct call *call, const struct call_party *agent,
		      const struct call_party *customer)
{
	struct transfer *transfer = &begin->transfer;

	snprintf(transfer->pbx, sizeof(transfer->pbx), "%s", call->pbx);
	snprintf(transfer->by, sizeof(transfer->by), "%s", agent->extension);
	snprintf(transfer->agent_channel, sizeof(transfer->agent_channel), "%s", agent->channel);
	snprintf(transfer->customer, sizeof(transfer->customer), "%s",
		 customer->extension[0] != '\0' ? customer->extension : customer->number);
	snprintf(transfer->customer_channel, sizeof(transfer->customer_channel), "%s",
		 customer->channel);
	snprintf(transfer->customer_uniqueid, sizeof(transfer->customer_uniqueid), "%s",
		 customer->uniqueid);
}

/* Who transfers: the own extension, else one of the own teams; "": any of the call. NULL: none. */
static const char *side_of(const struct call *call, const struct principal *who)
{
	const cJSON *item;

	if (who->extension[0] != '\0' && call_has_extension(call, who->extension))
		return who->extension;
	if (reach_is_all(who, PERMISSION_ALL_CALLS))
		return "";
	cJSON_ArrayForEach(item, call->extensions)
	{
		if (cJSON_IsString(item) &&
		    reach_sees(who, PERMISSION_ALL_CALLS, item->valuestring))
			return item->valuestring;
	}
	return NULL;
}

/* False: a reply was sent. */
static bool may_transfer(struct begin *begin, const struct call *call)
{
	const struct principal *who = http_principal(begin->request);
	struct call_party agent, customer;
	const char *side = side_of(call, who);

	if (side == NULL)
		http_reply_error(
			begin->request, 403, "not_your_call",
			"Neither your extension nor one of your teams is part of this call");
	else if (call_has_ended(call))
		http_reply_error(begin->request, 410, "call_ended", "The call is over");
	else if (begin->other[0] != '\0')
		reply_result(begin->request, ENGINE_CONFLICT, NULL, begin->other);
	else if (!call_find_pair(call, side, &agent, &customer))
		http_reply_error(begin->request, 409, "not_connected",
				 "Nobody talks on this call now");
	else if (strcmp(begin->transfer.target, customer.extension) == 0 ||
		 strcmp(begin->transfer.target, agent.extension) == 0)
		http_reply_error(begin->request, 409, "already_there",
				 "The target is part of the call");
	else {
		take_pair(begin, call, &agent, &customer);
		return true;
	}
	return false;
}

/* What a number outside is shown. */
static void choose_caller_id(struct transfer *transfer)
{
	const char *policy = settings.transfer.external_caller_id;

	if (!transfer->outside || strcmp(policy, "customer") == 0)
		return;
	snprintf(transfer->caller_id, sizeof(transfer->caller_id), "%s",
		 strcmp(policy, "agent") == 0 ? transfer->by : policy);
}

static void on_call(const redisReply *reply, void *context)
{
	struct begin *begin = context;
	struct call call;
	bool may = false;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
		reply_unavailable(begin->request);
	} else if (!call_read(&call, reply)) {
		http_reply_error(begin->request, 404, "call_not_found",
				 "No such call, or it ended long ago");
	} else {
		may = may_transfer(begin, &call);
		call_free(&call);
	}
	if (may) {
		choose_caller_id(&begin->transfer);
		may = store_pbx(begin->service->link, begin->transfer.pbx, on_pbx, begin) == 0;
		if (!may)
			reply_unavailable(begin->request);
	}
	if (!may)
		free(begin);
}

static void on_other(const redisReply *reply, void *context)
{
	struct begin *begin = context;

	if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		snprintf(begin->other, sizeof(begin->other), "%s", reply->str);
}

static void look_at_call(struct begin *begin)
{
	struct redis_link *link = begin->service->link;
	const char *call_id = begin->transfer.call_id;

	if (store_of_call(link, call_id, on_other, begin) == 0 &&
	    store_call(link, call_id, on_call, begin) == 0)
		return;
	reply_unavailable(begin->request);
	free(begin);
}

/* ---- what is asked ---- */

#define CALL_FIELD                                                                                 \
	{                                                                                          \
		"callId", BODY_TEXT, true, 0, 0, body_is_call, "callId must be the id of a call"   \
	}
#define RING_FIELD                                                                                 \
	{                                                                                          \
		"timeoutS", BODY_NUMBER, false, 1, 300, NULL,                                      \
			"timeoutS must be a whole number of 1 to 300"                              \
	}
#define FALL_BACK_FIELD                                                                            \
	{                                                                                          \
		"fallBack", BODY_FLAG, false, 0, 0, NULL, "fallBack must be true or false"         \
	}

static void take_common(struct transfer *transfer, const struct body_value *target,
			const struct body_value *ring, int64_t ring_s,
			const struct body_value *fall_back)
{
	snprintf(transfer->target, sizeof(transfer->target), "%s", target->text);
	transfer->ring_s = ring->given ? ring->number : ring_s;
	transfer->fall_back = fall_back == NULL || !fall_back->given ? settings.transfer.fall_back
								     : fall_back->number != 0;
}

void handle_short(struct http_request *request, void *context)
{
	static const struct body_field fields[] = {
		{"target", BODY_TEXT, true, 0, 0, body_is_number,
		 "target must be a number of at most 32 digits"},
		{0},
	};
	static const struct body_value absent = {.text = ""};
	struct body_value values[1];
	struct begin *begin;

	if (!body_read(request, fields, values))
		return;
	if (!body_is_call(http_param(request, "callId"))) {
		http_reply_error(request, 404, "call_not_found", "No call has such an id");
		return;
	}
	begin = begin_new(context, request, KIND_BLIND, http_param(request, "callId"));
	take_common(&begin->transfer, &values[0], &absent, settings.transfer.ring_s, NULL);
	look_at_call(begin);
}

/* A word of a list that is parted by blanks. */
static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		size_t end = strcspn(at, " ");

		if (end == len && strncmp(at, word, len) == 0)
			return true;
		at += end;
	}
	return false;
}

void handle_blind(struct http_request *request, void *context)
{
	static const struct body_field fields[] = {
		CALL_FIELD,
		{"target", BODY_TEXT, true, 0, 0, body_is_exten,
		 "target must be an extension of at most 32 characters"},
		{"context", BODY_TEXT, false, 0, 0, body_is_word,
		 "context must be the name of a context of the dialplan"},
		RING_FIELD,
		FALL_BACK_FIELD,
		{0},
	};
	struct body_value values[5];
	struct begin *begin;
	bool place;

	if (!body_read(request, fields, values))
		return;
	place = values[2].given;
	if (place && !is_listed(settings.transfer.contexts, values[2].text)) {
		http_reply_error(request, 403, "context_not_allowed",
				 "This context is not among TRANSFER_CONTEXTS");
		return;
	}
	begin = begin_new(context, request, place ? KIND_DIALPLAN : KIND_BLIND, values[0].text);
	take_common(&begin->transfer, &values[1], &values[3], settings.transfer.ring_s, &values[4]);
	if (place)
		snprintf(begin->transfer.target, sizeof(begin->transfer.target), "%s.%s",
			 values[2].text, values[1].text);
	look_at_call(begin);
}

/* Some prefix of the list fits; an empty list lets all through. */
static bool may_leave(const char *number)
{
	const char *list = settings.transfer.external_allow;

	if (list[0] == '\0')
		return true;
	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		size_t end = strcspn(at, " ");

		if (strncmp(number, at, end) == 0)
			return true;
		at += end;
	}
	return false;
}

static bool refuse_outside(struct http_request *request, const char *number)
{
	if (may_leave(number))
		return false;
	http_reply_error(request, 403, "number_not_allowed",
			 "Calls are not transferred to this number");
	return true;
}

#define OUTSIDE_MEANING "target must be a number of 3 to 20 digits, maybe with + first"

void handle_external(struct http_request *request, void *context)
{
	static const struct body_field fields[] = {
		CALL_FIELD, {"target", BODY_TEXT, true, 0, 0, body_is_outside, OUTSIDE_MEANING},
		RING_FIELD, FALL_BACK_FIELD,
		{0},
	};
	struct body_value values[4];
	struct begin *begin;

	if (!body_read(request, fields, values) || refuse_outside(request, values[1].text))
		return;
	begin = begin_new(context, request, KIND_EXTERNAL, values[0].text);
	begin->transfer.outside = true;
	take_common(&begin->transfer, &values[1], &values[2], settings.transfer.ring_s, &values[3]);
	look_at_call(begin);
}

void handle_queue(struct http_request *request, void *context)
{
	static const struct body_field fields[] = {
		CALL_FIELD,
		{"queue", BODY_TEXT, true, 0, 0, body_is_word, "queue must be the name of a queue"},
		{"timeoutS", BODY_NUMBER, false, 1, 7200, NULL,
		 "timeoutS must be a whole number of 1 to 7200"},
		{"priority", BODY_NUMBER, false, 0, 100, NULL,
		 "priority must be a whole number of 0 to 100"},
		{"position", BODY_NUMBER, false, 1, 1000, NULL,
		 "position must be a whole number of 1 to 1000"},
		{"announcement", BODY_TEXT, false, 0, 0, body_is_word,
		 "announcement must be the name of a recording"},
		FALL_BACK_FIELD,
		{0},
	};
	struct body_value values[7];
	struct begin *begin;

	if (!body_read(request, fields, values))
		return;
	begin = begin_new(context, request, KIND_QUEUE, values[0].text);
	take_common(&begin->transfer, &values[1], &values[2], settings.transfer.queue_s,
		    &values[6]);
	begin->transfer.priority = values[3].number;
	begin->transfer.position = values[4].number;
	snprintf(begin->transfer.announcement, sizeof(begin->transfer.announcement), "%s",
		 values[5].text);
	look_at_call(begin);
}

/* With external the target is a number outside. */
void handle_managed(struct http_request *request, void *context)
{
	static const struct body_field fields[] = {
		CALL_FIELD,
		{"target", BODY_TEXT, true, 0, 0, body_is_number,
		 "target must be a number of at most 32 digits"},
		{"external", BODY_FLAG, false, 0, 0, NULL, "external must be true or false"},
		RING_FIELD,
		{0},
	};
	struct body_value values[4];
	struct begin *begin;

	if (!body_read(request, fields, values))
		return;
	if (values[2].number != 0 && !body_is_outside(values[1].text)) {
		http_reply_error_details(request, 400, "invalid_field", "{\"field\":\"target\"}",
					 OUTSIDE_MEANING);
		return;
	}
	if (values[2].number != 0 && refuse_outside(request, values[1].text))
		return;
	begin = begin_new(context, request, KIND_MANAGED, values[0].text);
	begin->transfer.outside = values[2].number != 0;
	take_common(&begin->transfer, &values[1], &values[3], settings.transfer.ring_s, NULL);
	begin->transfer.fall_back = true;
	look_at_call(begin);
}
