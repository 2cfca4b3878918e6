#include "replies.h"

#include "body.h"
#include "http_audit.h"
#include "mem.h"
#include "reach.h"

#include <stdlib.h>
#include <string.h>

void reply_unavailable(struct http_request *request)
{
	http_reply_error(request, 503, "unavailable", "A part that is needed is away");
}

void reply_transfer(struct http_request *request, unsigned status, const struct transfer *transfer)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	transfer_write(transfer, &json);
	http_reply_json(request, status, &body);
}

bool may_touch(const struct principal *who, const struct transfer *transfer)
{
	return reach_is_all(who, PERMISSION_ALL_CALLS) ||
	       reach_sees(who, PERMISSION_ALL_CALLS, transfer->by);
}

const char *whose_transfers(struct http_request *request)
{
	const struct principal *who = http_principal(request);
	const char *asked = http_query(request, "extension");

	if (asked != NULL && !body_is_number(asked)) {
		http_reply_error(request, 400, "invalid_extension", "extension must be a number");
		return NULL;
	}
	if (asked == NULL && principal_may(who, PERMISSION_ALL_CALLS))
		return "";
	if (asked == NULL)
		asked = who->extension;
	if (reach_sees(who, PERMISSION_ALL_CALLS, asked))
		return asked;
	http_reply_error(request, 403, "not_your_transfers",
			 "You see the transfers of your own extension and of your teams");
	return NULL;
}

static void reply_under_way(struct http_request *request, const char *other)
{
	char *details = mem_printf("{\"transferId\":\"%s\"}", other);

	http_reply_error_details(request, 409, "transfer_under_way", details,
				 "The call has a transfer under way");
	free(details);
}

static void reply_state(struct http_request *request, unsigned status, const char *code,
			const struct transfer *transfer)
{
	char *details = mem_printf("{\"state\":\"%s\"}", state_name(transfer->state));

	http_reply_error_details(request, status, code, details, "The transfer is %s",
				 state_name(transfer->state));
	free(details);
}

void reply_result(struct http_request *request, enum engine_result result,
		  const struct transfer *transfer, const char *other)
{
	switch (result) {
	case ENGINE_DONE:
	case ENGINE_IGNORED:
		reply_transfer(request, 202, transfer);
		break;
	case ENGINE_REFUSED:
		reply_state(request, 409, "not_possible_now", transfer);
		break;
	case ENGINE_OVER:
		reply_state(request, 410, "transfer_over", transfer);
		break;
	case ENGINE_FORBIDDEN:
		http_reply_error(
			request, 403, "not_your_transfer",
			"Neither your extension nor one of your teams began this transfer");
		break;
	case ENGINE_NOT_FOUND:
		http_reply_error(request, 404, "transfer_not_found",
				 "There is no such transfer, or it ended long ago");
		break;
	case ENGINE_CONFLICT:
		reply_under_way(request, other);
		break;
	case ENGINE_TOO_LONG:
		http_reply_error_details(request, 400, "invalid_field", "{\"field\":\"target\"}",
					 "The target and the extension are too long together");
		break;
	case ENGINE_UNAVAILABLE:
		reply_unavailable(request);
		break;
	}
}

void reply_done(struct redis_link *link, struct http_request *request, const char *action,
		enum engine_result result, const struct transfer *transfer, const char *other)
{
	if (result == ENGINE_DONE &&
	    strcmp(transfer->by, http_principal(request)->extension) != 0) {
		char *subject = mem_printf("transfer:%s", transfer->id);

		(void)http_audit(link, request, action, subject, transfer->target);
		free(subject);
	}
	reply_result(request, result, transfer, other);
}
