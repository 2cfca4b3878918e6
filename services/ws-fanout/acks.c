#include "acks.h"

#include "catchup.h"
#include "client.h"
#include "clock.h"
#include "mem.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>

#define AGAIN_FACTOR_MAX 10 /* of ack_ms: the longest wait for a client that never answers */

struct acks {
	char name[ACKS_NAME_MAX + 1];
	struct positions acknowledged;
	topic_set waiting; /* topics of which more was sent than acknowledged */
	struct entry_id sent[TOPIC_COUNT];
	int64_t again_ms; /* monotonic: when what waits comes again */
	int64_t wait_ms;
};

void acks_begin(struct client *client, const char *name, const struct positions *from)
{
	struct acks *acks = client->acks = mem_new(struct acks);

	snprintf(acks->name, sizeof(acks->name), "%s", name);
	acks->wait_ms = client->hub->settings->ack_ms;
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		acks->acknowledged.at[topic] = (from->topics & topic_bit(topic)) != 0
						       ? from->at[topic]
						       : backlog_tip(client->hub->backlogs[topic]);
	}
}

void acks_free(struct acks **acks)
{
	free(*acks);
	*acks = NULL;
}

static struct entry_id just_before(struct entry_id id)
{
	if (id.seq > 0)
		id.seq--;
	else
		id = (struct entry_id){id.ms - 1, UINT64_MAX};
	return id;
}

/* When nothing waits, all before the event is done with, also what the client does not follow. */
void acks_sent(struct client *client, const struct event *event)
{
	struct acks *acks = client->acks;

	if (acks == NULL)
		return;
	if (acks->waiting == 0)
		acks->again_ms = clock_mono_ms() + acks->wait_ms;
	if ((acks->waiting & topic_bit(event->topic)) == 0)
		acks->acknowledged.at[event->topic] = just_before(event->id);
	acks->waiting |= topic_bit(event->topic);
	acks->sent[event->topic] = event->id;
}

/* What lies beyond the last that was sent counts for that. */
static bool take_one(struct acks *acks, enum topic topic, struct entry_id at)
{
	if ((acks->waiting & topic_bit(topic)) == 0 ||
	    entry_id_compare(at, acks->acknowledged.at[topic]) <= 0)
		return false;
	if (entry_id_compare(at, acks->sent[topic]) >= 0) {
		at = acks->sent[topic];
		acks->waiting &= (topic_set)~topic_bit(topic);
	}
	acks->acknowledged.at[topic] = at;
	return true;
}

int acks_take(struct client *client, const struct positions *acknowledged)
{
	struct acks *acks = client->acks;
	topic_set moved = 0;

	if (acks == NULL)
		return -1;
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((acknowledged->topics & topic_bit(topic)) != 0 &&
		    take_one(acks, topic, acknowledged->at[topic]))
			moved |= topic_bit(topic);
	}
	if (moved == 0)
		return 0;
	acks->wait_ms = client->hub->settings->ack_ms;
	acks->again_ms = clock_mono_ms() + acks->wait_ms;
	acks->acknowledged.topics = moved;
	store_acks_save(client->hub->link, client->who.user_id, acks->name, &acks->acknowledged);
	return 0;
}

/* Each time it waits longer: a client that does not answer must not be flooded. */
void acks_tick(struct client *client)
{
	struct acks *acks = client->acks;
	int64_t longest;

	if (acks == NULL || acks->waiting == 0 || client->catchup != NULL ||
	    clock_mono_ms() < acks->again_ms)
		return;
	longest = client->hub->settings->ack_ms * AGAIN_FACTOR_MAX;
	acks->wait_ms = acks->wait_ms * 2 > longest ? longest : acks->wait_ms * 2;
	acks->again_ms = clock_mono_ms() + acks->wait_ms;
	acks->acknowledged.topics = acks->waiting;
	client->hub->metrics->ws_redelivered_total++;
	catchup_begin(client, &acks->acknowledged, false);
}
