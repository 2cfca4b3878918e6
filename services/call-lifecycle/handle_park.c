/* Parking: the other party waits in a parking lot; somebody's phone takes it back. */
#include "control.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "originate.h"
#include "reach.h"
#include "routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MIN_MS 1000
#define TIMEOUT_MAX_MS 3600000

/* Absent: the parking lot's own. False: a reply was sent. */
static bool read_timeout(struct http_request *request, char *timeout_r, size_t size)
{
	const cJSON *body = http_json(request);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "timeoutMs");
	bool alone = body->child == NULL || (body->child == item && item->next == NULL);

	timeout_r[0] = '\0';
	if (item == NULL && alone)
		return true;
	if (!alone || !json_is_int(item) || item->valuedouble < TIMEOUT_MIN_MS ||
	    item->valuedouble > TIMEOUT_MAX_MS) {
		http_reply_error_details(
			request, 400, "invalid_field", "{\"field\":\"timeoutMs\"}",
			"timeoutMs must be a whole number of 1000 to 3600000, and all that the "
			"body has");
		return false;
	}
	snprintf(timeout_r, size, "%" PRId64, (int64_t)item->valuedouble);
	return true;
}

/* When nobody takes it back in time, it rings where it was parked from. */
void handle_park(struct http_request *request, void *context)
{
	struct command command = control_command(request, "Park");
	const struct call_leg *own, *other;
	struct legs legs;
	char timeout[24];

	if (!read_timeout(request, timeout, sizeof(timeout)) ||
	    !control_pair(request, &legs, &own, &other))
		return;
	control_add(&command, "Channel", other->channel);
	control_add(&command, "TimeoutChannel", own->channel);
	if (timeout[0] != '\0')
		control_add(&command, "Timeout", timeout);
	control_send(context, request, &command, NULL);
}

/* ---- retrieving ---- */

/* Whose phone rings; NULL: a reply was sent. */
static const char *read_extension(struct http_request *request)
{
	const struct principal *who = http_principal(request);
	const cJSON *body = http_json(request);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "extension");
	const char *extension = who->extension;

	if (item != NULL)
		extension = cJSON_IsString(item) ? item->valuestring : "";
	if (!id_is_number(extension) ||
	    (body->child != NULL && (body->child != item || item->next != NULL))) {
		http_reply_error_details(request, 400, "invalid_field", "{\"field\":\"extension\"}",
					 "extension must be one, and all that the body has");
		return NULL;
	}
	if (!reach_sees(who, PERMISSION_ALL_CALLS, extension)) {
		http_reply_error(request, 403, "not_your_extension",
				 "you take calls to your own extension, or to one of your teams");
		return NULL;
	}
	return extension;
}

/* Dials the space: the dialplan's parkedcalls joins the two. */
void handle_retrieve(struct http_request *request, void *context)
{
	const struct call_view *view = call_view_of(request);
	const char *extension = read_extension(request);
	const char *error, *space;
	struct originate originate;
	cJSON *park;
	char *more;

	if (extension == NULL)
		return;
	park = json_parse(call_view_text(view, "park"), strlen(call_view_text(view, "park")),
			  &error);
	space = json_get_str(park, "space");
	if (strcmp(call_view_text(view, "state"), "parked") != 0 || space == NULL) {
		http_reply_error(request, 409, "not_parked", "the call is not parked");
	} else {
		more = mem_printf("\"parkedCallId\":\"%s\"", call_view_text(view, "callId"));
		originate = (struct originate){
			.pbx = call_view_text(view, "pbx"),
			.from = extension,
			.to = space,
			.caller_id = "",
			.timeout_ms = ORIGINATE_TIMEOUT_MS,
			.more = more,
		};
		originate_send(context, request, &originate);
		free(more);
	}
	cJSON_Delete(park);
}
