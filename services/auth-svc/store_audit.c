#include "store_internal.h"

#include "mem.h"
#include "resp.h"

#include <stdlib.h>

#define ENTRIES_MAX 100000

const char *const store_audit_streams[] = {"audit", NULL};

void store_add_audit(struct store *store, const char *text, size_t len)
{
	(void)redis_link_command(store->link, NULL, NULL, "XADD audit MAXLEN ~ %d * a %b",
				 ENTRIES_MAX, text, len);
}

void store_ack_audit(struct redis_link *link, const char *const *ids, size_t count,
		     store_done_fn *done, void *context)
{
	struct store_waiter *waiter = store_waiter_new(done, context);
	struct buffer command = {0};

	resp_array(&command, 3 + count);
	resp_text(&command, "XACK");
	resp_text(&command, store_audit_streams[0]);
	resp_text(&command, STORE_AUDIT_GROUP);
	for (size_t i = 0; i < count; i++)
		resp_text(&command, ids[i]);
	if (redis_link_raw(link, store_on_reply, waiter, buffer_str(&command), command.len) < 0)
		store_answer(waiter, false);
	buffer_free(&command);
}
