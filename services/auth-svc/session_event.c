#include "session_event.h"

#include "clock.h"
#include "mem.h"

#include "msg_event.h"
#include "msg_session_changed.h"
#include "msg_session_created.h"
#include "msg_session_teams_changed.h"

#include <stdlib.h>

/* Appends the envelope around data. */
static void write_event(const char *type, const struct principal *who, const struct buffer *data,
			struct buffer *out)
{
	struct json_writer json = json_writer_init(out);
	char *key = mem_printf("session:%s", who->session_id);
	struct msg_event event = {
		.event_type = type,
		.timestamp = clock_wall_ms(),
		.data.text = buffer_str(data),
		.redis_key = key,
	};

	if (who->extension[0] != '\0') {
		event.extension = who->extension;
		event.extensions[0] = who->extension;
		event.extensions_count = 1;
	}
	msg_event_write(&event, &json);
	free(key);
}

void session_event_created(const struct principal *who, struct buffer *out)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);
	struct msg_session_created message = {
		.session_id = who->session_id,
		.user_id = who->user_id,
		.username = who->username,
		.role = (enum msg_session_created_role)who->role,
		.extension = who->extension[0] != '\0' ? who->extension : NULL,
		.expires_at = who->expires_at_ms,
	};

	msg_session_created_write(&message, &json);
	write_event("session:created", who, &data, out);
	buffer_free(&data);
}

void session_event_revoked(const struct principal *who, enum msg_session_revoked_reason reason,
			   struct buffer *out)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);
	struct msg_session_revoked message = {
		.session_id = who->session_id,
		.user_id = who->user_id,
		.username = who->username,
		.reason = reason,
	};

	msg_session_revoked_write(&message, &json);
	write_event("session:revoked", who, &data, out);
	buffer_free(&data);
}

void session_event_changed(const struct principal *who, int64_t version, struct buffer *out)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data);
	struct msg_session_changed message = {
		.session_id = who->session_id,
		.user_id = who->user_id,
		.username = who->username,
		.version = version,
	};

	msg_session_changed_write(&message, &json);
	write_event("session:changed", who, &data, out);
	buffer_free(&data);
}

void session_event_teams_changed(const char *version, struct buffer *out)
{
	struct buffer data = {0};
	struct json_writer json = json_writer_init(&data), envelope = json_writer_init(out);
	struct msg_session_teams_changed message = {.version = version};
	struct msg_event event = {
		.event_type = "session:teams_changed",
		.timestamp = clock_wall_ms(),
		.redis_key = "team:version",
	};

	msg_session_teams_changed_write(&message, &json);
	event.data.text = buffer_str(&data);
	msg_event_write(&event, &envelope);
	buffer_free(&data);
}
