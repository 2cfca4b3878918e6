#include "catchup.h"

#include "client.h"
#include "mem.h"
#include "sight.h"
#include "snapshot.h"
#include "store.h"

#include <stdlib.h>

#define PAGE_MAX 500
#define PAGE_MIN 4

#define TOPICS_OF_SNAPSHOTS                                                                        \
	((topic_set)(topic_bit(TOPIC_CALL) | topic_bit(TOPIC_AGENT) | topic_bit(TOPIC_QUEUE)))

struct catchup {
	struct positions left;
	topic_set confirmed;      /* the position is one that Redis knows */
	size_t read[TOPIC_COUNT]; /* entries, from Redis */
	enum topic asked;         /* of the page that is on its way */
	bool asking;              /* a page or a snapshot is on its way */
	topic_set snapshots;      /* what is, is to be shown before these topics go on */
};

static bool has(const struct catchup *catchup, enum topic topic)
{
	return (catchup->left.topics & topic_bit(topic)) != 0;
}

bool catchup_holds(const struct client *client, enum topic topic)
{
	return client->catchup != NULL && has(client->catchup, topic);
}

bool catchup_position(const struct client *client, enum topic topic, struct entry_id *at_r)
{
	if (!catchup_holds(client, topic))
		return false;
	*at_r = client->catchup->left.at[topic];
	return true;
}

void catchup_cancel(struct client *client)
{
	free(client->catchup);
	client->catchup = NULL;
}

/* ---- gaps ---- */

static void send_gap(struct client *client, enum topic topic, const char *reason)
{
	struct answer answer;
	char id[ENTRY_ID_TEXT_MAX];

	answer_begin(&answer, "gap", NULL);
	json_field_str(&answer.json, "topic", topic_name(topic));
	json_field_str(&answer.json, "reason", reason);
	json_field_str(&answer.json, "from", entry_id_format(client->catchup->left.at[topic], id));
	json_field_str(&answer.json, "to",
		       entry_id_format(backlog_tip(client->hub->backlogs[topic]), id));
	client_answer(client, &answer);
	client->hub->metrics->ws_gaps_total++;
}

/* What lies between cannot be had: the topic goes on from here, or after a snapshot. */
static void skip_gap(struct client *client, enum topic topic, const char *reason)
{
	struct catchup *catchup = client->catchup;

	send_gap(client, topic, reason);
	catchup->left.at[topic] = backlog_tip(client->hub->backlogs[topic]);
	catchup->snapshots |= topic_bit(topic) & TOPICS_OF_SNAPSHOTS;
}

/* ---- snapshot ---- */

static void on_snapshot(const struct store_snapshot *snapshot, void *context)
{
	struct client *client = context;
	struct catchup *catchup = client->catchup;

	if (catchup != NULL) {
		catchup->asking = false;
		if (snapshot != NULL && client_is_open(client)) {
			snapshot_send(client, catchup->asked, snapshot);
			catchup->snapshots &= (topic_set)~topic_bit(catchup->asked);
			catchup->left.at[catchup->asked] = snapshot->as_of;
			catchup->confirmed |= topic_bit(catchup->asked);
			catchup_step(client);
		}
	}
	client_unref(&client);
}

static void ask_snapshot(struct client *client, enum topic topic)
{
	const struct fanout_settings *settings = client->hub->settings;
	struct buffer extensions = {0};

	client->catchup->asking = true;
	client->catchup->asked = topic;
	sight_write(client, topic, &extensions);
	store_snapshot(client->hub->link, topic, fanout_pbxs(), buffer_str(&extensions),
		       (size_t)settings->snapshot_max, on_snapshot, client_ref(client));
	buffer_free(&extensions);
}

/* ---- pages ---- */

static void send_missed(struct client *client, struct event *event)
{
	if (!rooms_match(&client->occupant, event))
		return;
	client_send_event(client, event);
	client->hub->metrics->ws_replayed_total++;
}

static void send_page(struct client *client, enum topic topic, const struct store_entry *entries,
		      size_t count)
{
	struct catchup *catchup = client->catchup;
	const char *error;

	for (size_t i = 0; i < count; i++) {
		struct event *event =
			event_new(topic, entries[i].id, entries[i].data, entries[i].len, &error);

		catchup->left.at[topic] = entries[i].id;
		if (event != NULL)
			send_missed(client, event);
		event_unref(&event);
		if (client->catchup != catchup)
			return; /* it was closed meanwhile */
	}
	catchup->read[topic] += count;
}

/* Nothing after the position, and it lies before our floor: the stream was emptied. */
static bool is_emptied(const struct client *client, enum topic topic, size_t count)
{
	return count == 0 && entry_id_compare(client->catchup->left.at[topic],
					      backlog_floor(client->hub->backlogs[topic])) < 0;
}

static void take_page(struct client *client, enum store_status status,
		      const struct store_entry *entries, size_t count)
{
	struct catchup *catchup = client->catchup;
	enum topic topic = catchup->asked;

	if (status == STORE_AWAY) {
		catchup->asking = false; /* asked again with the next tick */
		return;
	}
	if (status == STORE_TRIMMED || is_emptied(client, topic, count)) {
		skip_gap(client, topic, "too_old");
	} else if (status == STORE_UNKNOWN) {
		skip_gap(client, topic, "unknown");
	} else {
		catchup->confirmed |= topic_bit(topic);
		send_page(client, topic, entries, count);
	}
	if (client->catchup == catchup)
		catchup->asking = false; /* not before: what makes room steps on */
	catchup_step(client);
}

static void on_page(enum store_status status, const struct store_entry *entries, size_t count,
		    void *context)
{
	struct client *client = context;

	if (client->catchup != NULL && client->outlet != NULL)
		take_page(client, status, entries, count);
	client_unref(&client);
}

/* A page of events of about 1 KB fits into what may wait for a client. */
static size_t page_size(const struct client *client)
{
	size_t page = (size_t)client->hub->settings->queue_kb / 4;

	return page > PAGE_MAX ? PAGE_MAX : page < PAGE_MIN ? PAGE_MIN : page;
}

/* False: it has to wait. */
static bool ask_page(struct client *client, enum topic topic)
{
	struct catchup *catchup = client->catchup;

	if (catchup->read[topic] >= (size_t)client->hub->settings->replay_max) {
		skip_gap(client, topic, "too_many");
		return true;
	}
	catchup->asking = true;
	catchup->asked = topic;
	store_range(client->hub->link, topic, catchup->left.at[topic], page_size(client), on_page,
		    client_ref(client));
	return false;
}

/* ---- steps ---- */

/* Sends the next event of the backlog, or finds that the topic is live. */
static void step_backlog(struct client *client, enum topic topic)
{
	struct catchup *catchup = client->catchup;
	const struct backlog *backlog = client->hub->backlogs[topic];
	struct event *event = backlog_after(backlog, catchup->left.at[topic]);

	if (event == NULL) {
		catchup->left.topics &= (topic_set)~topic_bit(topic);
		return;
	}
	catchup->left.at[topic] = event->id;
	send_missed(client, event);
}

static enum topic first_topic(const struct catchup *catchup)
{
	enum topic topic = 0;

	while (!has(catchup, topic))
		topic++;
	return topic;
}

/* False: it has to wait. */
static bool step(struct client *client)
{
	struct catchup *catchup = client->catchup;
	enum topic topic = first_topic(catchup);
	const struct backlog *backlog = client->hub->backlogs[topic];
	struct entry_id at = catchup->left.at[topic];

	if (!outlet_has_room(client->outlet)) {
		outlet_want_room(client->outlet);
		return false;
	}
	if ((catchup->snapshots & topic_bit(topic)) != 0) {
		ask_snapshot(client, topic);
		return false;
	}
	if (entry_id_compare(at, backlog_floor(backlog)) < 0)
		return ask_page(client, topic);
	if (entry_id_compare(at, backlog_tip(backlog)) <= 0) {
		step_backlog(client, topic);
		return true;
	}
	/* Else Redis was faster than our reader: until that is there. */
	return (catchup->confirmed & topic_bit(topic)) == 0 && ask_page(client, topic);
}

void catchup_step(struct client *client)
{
	while (client->catchup != NULL && !client->catchup->asking && client_is_open(client)) {
		if (client->catchup->left.topics == 0)
			catchup_cancel(client);
		else if (!step(client))
			return;
	}
}

void catchup_begin(struct client *client, const struct positions *from, bool snapshot)
{
	topic_set followed = occupant_topics(&client->occupant);
	topic_set asked = from->topics | (snapshot ? TOPICS_OF_SNAPSHOTS : 0);
	struct catchup *catchup = client->catchup;

	if (catchup != NULL)
		asked &= (topic_set)~catchup->left.topics; /* on its way already */
	if ((asked & followed) == 0)
		return;
	if (catchup == NULL)
		catchup = client->catchup = mem_new(struct catchup);
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((asked & followed & topic_bit(topic)) == 0)
			continue;
		catchup->left.topics |= topic_bit(topic);
		catchup->left.at[topic] = from->at[topic];
		catchup->confirmed &= (topic_set)~topic_bit(topic);
		catchup->read[topic] = 0;
	}
	if (snapshot)
		catchup->snapshots |= catchup->left.topics & TOPICS_OF_SNAPSHOTS;
	catchup_step(client);
}
