#include "store_internal.h"

#include "session_event.h"

#include <inttypes.h>
#include <stdlib.h>

void store_put_teams(struct store *store, const struct store_member *members, size_t count)
{
	static const char script[] = "for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do "
				     "redis.call('DEL', 'team:' .. id .. ':extensions') end "
				     "redis.call('DEL', KEYS[1]) return 1";
	struct redis_link *link = store->link;

	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "EVAL %s 1 teams", script);
	for (size_t i = 0; i < count; i++) {
		(void)redis_link_command(link, NULL, NULL, "SADD teams %" PRId64,
					 members[i].team_id);
		(void)redis_link_command(link, NULL, NULL, "SADD team:%" PRId64 ":extensions %s",
					 members[i].team_id, members[i].extension);
	}
	(void)redis_link_command(link, NULL, NULL, "EXEC");
}

/* After the members and the sessions: who sees the new version sees them, too. */
void store_tell_teams(struct store *store)
{
	struct redis_link *link = store->link;
	char version[ID_CALL_LEN + 1];
	struct buffer event = {0};

	id_call(version);
	session_event_teams_changed(version, &event);
	(void)redis_link_command(link, NULL, NULL, "MULTI");
	(void)redis_link_command(link, NULL, NULL, "SET team:version %s", version);
	store_send_event(store, "events:session", "session:changes", &event);
	(void)redis_link_command(link, NULL, NULL, "EXEC");
	buffer_free(&event);
}
