#include "sessions.h"

#include "clock.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

void session_write(const struct store_session *session, const char *current_id,
		   struct json_writer *json)
{
	const struct principal *who = &session->who;

	json_begin_object(json);
	json_field_str(json, "id", who->session_id);
	json_field_bool(json, "current", strcmp(who->session_id, current_id) == 0);
	json_field_str(json, "userId", who->user_id);
	json_field_str(json, "username", who->username);
	json_field_str(json, "role", role_name(who->role));
	if (who->extension[0] != '\0')
		json_field_str(json, "extension", who->extension);
	json_field_bool(json, "amiSession", who->ami_session_id[0] != '\0');
	json_field_str(json, "address", session->address);
	json_field_str(json, "device", session->device);
	json_field_int(json, "createdAt", session->created_at_ms);
	json_field_int(json, "refreshedAt", session->refreshed_at_ms);
	json_field_int(json, "idleExpiresAt", clock_wall_ms() + session->ttl_ms);
	json_field_int(json, "expiresAt", who->expires_at_ms);
	json_end_object(json);
}

void sessions_write(const struct store_session *list, size_t count, const char *next,
		    const char *current_id, struct buffer *out)
{
	struct json_writer json = json_writer_init(out);

	json_begin_object(&json);
	json_key(&json, "sessions");
	json_begin_array(&json);
	for (size_t i = 0; i < count; i++)
		session_write(&list[i], current_id, &json);
	json_end_array(&json);
	json_field_str(&json, "nextCursor", next);
	json_end_object(&json);
}

/* ---- the end of all ---- */

struct ending {
	struct store *store;
	char keep_id[40];
	enum msg_session_revoked_reason reason;
	size_t waiting, count;
	bool failed;
	sessions_done_fn *done;
	void *context;
};

static void release(struct ending *ending)
{
	if (--ending->waiting > 0)
		return;
	if (ending->done != NULL)
		ending->done(!ending->failed, ending->count, ending->context);
	free(ending);
}

static void on_revoked(bool ok, void *context)
{
	struct ending *ending = context;

	if (!ok)
		ending->failed = true;
	release(ending);
}

static void on_listed(bool ok, const struct store_session *list, size_t count, const char *next,
		      void *context)
{
	struct ending *ending = context;

	(void)next;
	ending->failed = !ok;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].who.session_id, ending->keep_id) == 0)
			continue;
		ending->waiting++;
		ending->count++;
		store_revoke_session(ending->store, &list[i].who, ending->reason, on_revoked,
				     ending);
	}
	release(ending); /* what held it until the list was there */
}

void sessions_end(struct store *store, const char *user_id, const char *keep_id,
		  enum msg_session_revoked_reason reason, sessions_done_fn *done, void *context)
{
	struct ending *ending = mem_new(struct ending);

	ending->store = store;
	if (keep_id != NULL)
		strcpy(ending->keep_id, keep_id);
	ending->reason = reason;
	ending->waiting = 1;
	ending->done = done;
	ending->context = context;
	store_list_user_sessions(store, user_id, on_listed, ending);
}
