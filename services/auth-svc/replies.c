#include "replies.h"

#include "fields.h"

#include <stdio.h>

void reply_wait(struct http_request *request, const char *code, int64_t wait_ms)
{
	char seconds[24];

	if (wait_ms < 1000)
		wait_ms = 1000;
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
	case USERS_EMAIL_TAKEN:
		http_reply_error(request, 409, "email_taken", "Another user has this e-mail");
		break;
	case USERS_PHONE_EXISTS:
		http_reply_error(request, 409, "phone_exists",
				 "The PBX has a telephone of this extension");
		break;
	case USERS_TEAM_UNKNOWN:
		http_reply_error(request, 409, "team_not_found", "There is no such team");
		break;
	case USERS_UNAVAILABLE:
		reply_unavailable(request);
		break;
	default:
		http_reply_error(request, 500, "internal", "The database refused");
		break;
	}
}

void reply_agents_fault(struct http_request *request, enum agents_result result)
{
	const char *message;
	const char *code = agents_fault(result, &message);
	unsigned status = 409;

	if (result == AGENTS_NONE)
		status = 404;
	else if (result == AGENTS_UNAVAILABLE)
		status = 503;
	else if (result == AGENTS_FAILED)
		status = 500;
	http_reply_error(request, status, code, "%s", message);
}

bool read_row_page(struct http_request *request, struct http_page *page_r)
{
	if (!http_page(request, page_r))
		return false;
	if (page_r->cursor == NULL)
		page_r->cursor = "0";
	if (field_is_row_id(page_r->cursor))
		return true;
	http_reply_error(request, 400, "invalid_cursor", "This is no cursor of this list");
	return false;
}

void reply_user_page(struct http_request *request, const struct user *list, size_t count,
		     size_t limit)
{
	size_t shown = count < limit ? count : limit;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	json_begin_object(&json);
	json_key(&json, "users");
	json_begin_array(&json);
	for (size_t i = 0; i < shown; i++)
		user_write(&list[i], &json);
	json_end_array(&json);
	json_field_str(&json, "nextCursor", count > limit ? list[shown - 1].id : NULL);
	json_end_object(&json);
	http_reply_json(request, 200, &body);
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

void write_ami(struct json_writer *json, const char *username, const char *extension,
	       uint64_t permissions, const char *ami_session_id)
{
	json_begin_object(json);
	json_field_str(json, "username", username);
	if (extension[0] != '\0')
		json_field_str(json, "extension", extension);
	write_permissions(json, permissions);
	json_field_str(json, "sessionId", ami_session_id);
	json_end_object(json);
}
