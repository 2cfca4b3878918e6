#include "stream_lag.h"

#include "clock.h"
#include "hub.h"
#include "mem.h"

#include <stdlib.h>

struct question {
	struct hub *hub;
	enum topic topic;
};

/* What came by the reader's own connection meanwhile is no lag. */
static int64_t lag_ms(const struct hub *hub, enum topic topic, struct entry_id oldest)
{
	int64_t lag = clock_wall_ms() - (int64_t)oldest.ms;

	if (entry_id_compare(oldest, backlog_tip(hub->backlogs[topic])) <= 0)
		return 0;
	return lag > 0 ? lag : 0;
}

static void on_next(enum store_status status, const struct store_entry *entries, size_t count,
		    void *context)
{
	struct question *question = context;
	struct hub *hub = question->hub;

	if (status != STORE_AWAY && hub->started)
		hub->streams[question->topic].ws_stream_lag_ms =
			count > 0 ? lag_ms(hub, question->topic, entries[0].id) : 0;
	free(question);
}

void stream_lag_ask(struct hub *hub)
{
	if (!hub->started)
		return;
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		struct question *question = mem_new(struct question);

		*question = (struct question){hub, topic};
		store_range(hub->link, topic, backlog_tip(hub->backlogs[topic]), 1, on_next,
			    question);
	}
}
