#include "replies.h"

#include <stdio.h>

void reply_wait(struct http_request *request, const char *code, int64_t wait_ms)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)((wait_ms + 999) / 1000));
	http_reply_header(request, "Retry-After", seconds);
	http_reply_error(request, 429, code, "Try again in %s s", seconds);
}

void reply_unavailable(struct http_request *request)
{
	http_reply_error(request, 503, "unavailable", "A part that is needed is away");
}

void reply_users_fault(struct http_request *request, enum users_result result)
{
	switch (result) {
	case USERS_NONE:
		http_reply_error(request, 404, "user_not_found", "There is no such user");
		break;
	case USERS_USERNAME_TAKEN:
		http_reply_error(request, 409, "username_taken", "There is a user of this name");
		break;
	case USERS_EXTENSION_TAKEN:
		http_reply_error(request, 409, "extension_taken",
				 "Another user has this extension");
		break;
	case USERS_UNAVAILABLE:
		reply_unavailable(request);
		break;
	default:
		http_reply_error(request, 500, "internal", "The database refused");
		break;
	}
}

void write_permissions(struct json_writer *json, uint64_t permissions)
{
	json_key(json, "permissions");
	json_begin_array(json);
	for (int bit = PERMISSION_NONE + 1; bit < PERMISSION_END; bit++)
		if ((permissions >> bit & 1) != 0)
			json_str(json, permission_name((enum permission)bit));
	json_end_array(json);
}
