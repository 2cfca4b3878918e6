#include "catchup.h"

#include "client.h"
#include "mem.h"
#include "snapshot.h"
#include "store.h"

#include <stdlib.h>

#define PAGE_MAX 500
#define PAGE_MIN 4

struct catchup {
	struct positions left;
	topic_set confirmed;      /* the position is one that Redis knows */
	size_t read[TOPIC_COUNT]; /* entries, from Redis */
	enum topic asked;         /* of the page that is on its way */
	bool asking;              /* a page or a snapshot is on its way */
	bool snapshot;            /* the calls are to be shown before the topic call goes on */
};

static bool has(const struct catchup *catchup, enum topic topic)
{
	return (catchup->left.topics & topic_bit(topic)) != 0;
}

bool catchup_holds(const struct client *client, enum topic topic)
{
	return client->catchup != NULL && has(client->catchup, topic);
}

void catchup_cancel(struct client *client)
{
	free(client->catchup);
	client->catchup = NULL;
}

/* ---- gaps ---- */

static void send_gap(struct client *client, enum topic topic, const char *reason)
{
	struct buffer out = {0};
	char id[ENTRY_ID_TEXT_MAX];
	struct json_writer writer = client_message(&out, "gap", NULL);

	json_field_str(&writer, "topic", topic_name(topic));
	json_field_str(&writer, "reason", reason);
	json_field_str(&writer, "from", entry_id_format(client->catchup->left.at[topic], id));
	json_field_str(&writer, "to",
		       entry_id_format(backlog_tip(client->hub->backlogs[topic]), id));
	client_send(client, &writer, &out);
	client->hub->metrics->ws_gaps_total++;
}

/* What lies between cannot be had: the topic goes on from here, calls after a snapshot. */
static void skip_gap(struct client *client, enum topic topic, const char *reason)
{
	struct catchup *catchup = client->catchup;

	send_gap(client, topic, reason);
	catchup->left.at[topic] = backlog_tip(client->hub->backlogs[topic]);
	if (topic == TOPIC_CALL)
		catchup->snapshot = true;
}

/* ---- snapshot ---- */

static void on_snapshot(const struct store_snapshot *snapshot, void *context)
{
	struct client *client = context;
	struct catchup *catchup = client->catchup;

	if (catchup != NULL) {
		catchup->asking = false;
		if (snapshot != NULL) {
			snapshot_send(client, snapshot);
			catchup->snapshot = false;
			catchup->left.at[TOPIC_CALL] = snapshot->as_of;
			catchup->confirmed |= topic_bit(TOPIC_CALL);
			catchup_step(client);
		}
	}
	client_unref(&client);
}

static void ask_snapshot(struct client *client)
{
	const struct fanout_settings *settings = client->hub->settings;
	bool all = topic_view(TOPIC_CALL, &client->who) == TOPIC_VIEW_ALL;

	client->catchup->asking = true;
	store_snapshot(client->hub->link, fanout_pbxs(), all ? "" : client->who.extension,
		       (size_t)settings->snapshot_max, on_snapshot, client_ref(client));
}

/* ---- pages ---- */

static void send_missed(struct client *client, struct event *event)
{
	if (!rooms_match(&client->occupant, event))
		return;
	connection_send(client->connection, event->frame);
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

		if (event != NULL)
			send_missed(client, event);
		event_unref(&event);
		catchup->left.at[topic] = entries[i].id;
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

	catchup->asking = false;
	if (status == STORE_AWAY)
		return; /* asked again with the next tick */
	if (status == STORE_TRIMMED || is_emptied(client, topic, count)) {
		skip_gap(client, topic, "too_old");
	} else if (status == STORE_UNKNOWN) {
		skip_gap(client, topic, "unknown");
	} else {
		catchup->confirmed |= topic_bit(topic);
		send_page(client, topic, entries, count);
	}
	catchup_step(client);
}

static void on_page(enum store_status status, const struct store_entry *entries, size_t count,
		    void *context)
{
	struct client *client = context;

	if (client->catchup != NULL && client->connection != NULL)
		take_page(client, status, entries, count);
	client_unref(&client);
}

/* A page of events of about 1 KB fits into what may wait for a client. */
static size_t page_size(const struct client *client)
{
	size_t page = (size_t)client->hub->settings->queue_kb / 4;

	return page > PAGE_MAX ? PAGE_MAX : page < PAGE_MIN ? PAGE_MIN : page;
}

static void ask_page(struct client *client, enum topic topic)
{
	struct catchup *catchup = client->catchup;

	if (catchup->read[topic] >= (size_t)client->hub->settings->replay_max) {
		skip_gap(client, topic, "too_many");
		return;
	}
	catchup->asking = true;
	catchup->asked = topic;
	store_range(client->hub->link, topic, catchup->left.at[topic], page_size(client), on_page,
		    client_ref(client));
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

	if (!connection_has_room(client->connection)) {
		connection_want_room(client->connection);
		return false;
	}
	if (topic == TOPIC_CALL && catchup->snapshot)
		ask_snapshot(client);
	else if (entry_id_compare(at, backlog_floor(backlog)) < 0)
		ask_page(client, topic);
	else if (entry_id_compare(at, backlog_tip(backlog)) <= 0)
		step_backlog(client, topic);
	else if ((catchup->confirmed & topic_bit(topic)) == 0)
		ask_page(client, topic);
	else
		return false; /* Redis was faster than our reader: until that is there */
	return true;
}

void catchup_step(struct client *client)
{
	while (client->catchup != NULL && !client->catchup->asking && client->connection != NULL &&
	       connection_is_open(client->connection)) {
		if (client->catchup->left.topics == 0)
			catchup_cancel(client);
		else if (!step(client))
			return;
	}
}

void catchup_begin(struct client *client, const struct positions *from, bool snapshot)
{
	topic_set followed = occupant_topics(&client->occupant);
	topic_set asked = from->topics | (snapshot ? topic_bit(TOPIC_CALL) : 0);
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
	if (snapshot && has(catchup, TOPIC_CALL))
		catchup->snapshot = true;
	catchup_step(client);
}
