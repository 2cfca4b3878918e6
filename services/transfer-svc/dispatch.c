#include "dispatch.h"

#include "json.h"
#include "msg_ami_reply.h"
#include "msg_event.h"
#include "store.h"

#include <string.h>

static const char *text(const cJSON *object, const char *name)
{
	const char *value = json_get_str(object, name);

	return value != NULL ? value : "";
}

/* ---- steps of the dialplan: UserEvent(MaydayTransfer,...) on events:ami:<pbx> ---- */

static const struct {
	const char *step;
	enum transfer_input input;
} steps[] = {
	{"trying", INPUT_TRYING},         {"waiting", INPUT_CONSULTING},
	{"consulting", INPUT_CONSULTING}, {"queued", INPUT_QUEUED},
	{"answered", INPUT_ANSWERED},     {"joined", INPUT_JOINED},
	{"conference", INPUT_JOINED},     {"alone", INPUT_ALONE},
	{"returning", INPUT_RETURNING},   {"returned", INPUT_RETURNED},
	{"fallback", INPUT_FALLBACK},     {"lost", INPUT_LOST},
};

/* The dialplan does not know the id of what a phone began: it is the transfer of the call. */
#define PHONES_ID "-"

static bool is_gone(const char *role, enum transfer_input *input_r)
{
	if (strcmp(role, "customer") == 0)
		*input_r = INPUT_CUSTOMER_GONE;
	else if (strcmp(role, "agent") == 0)
		*input_r = INPUT_AGENT_GONE;
	else if (strcmp(role, "target") == 0)
		*input_r = INPUT_TARGET_GONE;
	else
		return false;
	return true;
}

static bool read_step(const char *step, const cJSON *event, struct signal *signal)
{
	if (strcmp(step, "gone") == 0)
		return is_gone(text(event, "Role"), &signal->input);
	if (strcmp(step, "target") == 0) {
		signal->kind = SIGNAL_TARGET_CHANNEL;
		return signal->channel[0] != '\0';
	}
	if (strcmp(step, "speaks") == 0) {
		signal->kind = SIGNAL_SPEAKS_WITH;
		signal->with_customer = strcmp(text(event, "With"), "customer") == 0;
		return true;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].step, step) == 0) {
			signal->input = steps[i].input;
			signal->conference = strcmp(step, "conference") == 0;
			return true;
		}
	return false;
}

static void read_user_event(const cJSON *event, const struct stream_entry *entry, struct news *news)
{
	struct signal *signal = &news->signal;

	if (strcmp(text(event, "UserEvent"), "MaydayTransfer") != 0)
		return;
	news->id = text(event, "Id");
	news->kind = NEWS_SIGNAL;
	if (strcmp(news->id, PHONES_ID) == 0) {
		news->kind = NEWS_OF_CALL;
		news->id = text(event, "Linkedid");
		signal->of_call = true;
	}
	signal->why = text(event, "Why");
	signal->cause = text(event, "Cause");
	signal->channel = text(event, "Channel");
	signal->entry_id = entry->id;
	signal->at = json_get_int(event, "t", 0);
	if (news->id[0] == '\0' || !read_step(text(event, "Step"), event, signal))
		news->kind = NEWS_NONE;
}

static bool contains(const struct stream_entry *entry, const char *word)
{
	return memmem(entry->data, entry->len, word, strlen(word)) != NULL;
}

/* Nearly all entries of this stream are none of ours: they are not parsed. */
static void read_ami(const struct stream_entry *entry, struct news *news)
{
	const char *error, *name;

	if (!contains(entry, "\"MaydayTransfer\"") && !contains(entry, "\"MaydaySnapshotEnd\""))
		return;
	news->tree = json_parse(entry->data, entry->len, &error);
	name = text(news->tree, "Event");
	if (strcmp(name, "UserEvent") == 0)
		read_user_event(news->tree, entry, news);
	else if (strcmp(name, "MaydaySnapshotEnd") == 0)
		news->kind = NEWS_CHECK_ALL;
}

/* ---- events:call ---- */

static void of_call(struct news *news, enum transfer_input input)
{
	news->kind = NEWS_OF_CALL;
	news->signal.of_call = true;
	news->signal.input = input;
}

static void phones(const struct msg_event *event, struct news *news, enum transfer_kind kind,
		   enum transfer_state begins)
{
	news->kind = NEWS_PHONES;
	news->phones = kind;
	news->begins = begins;
	news->pbx = event->pbx != NULL ? event->pbx : "";
	news->from = text(event->data.tree, "from");
	news->to = text(event->data.tree, "to");
	news->transferee = text(event->data.tree, "transferee");
}

static void read_ringing(const struct msg_event *event, struct news *news)
{
	const cJSON *data = event->data.tree;

	of_call(news, INPUT_RINGING);
	news->signal.party = text(data, "extension");
	if (text(data, "askedBy")[0] == '\0')
		return;
	phones(event, news, KIND_PHONE_ATTENDED, STATE_CONSULTING);
	news->from = text(data, "askedBy");
	news->to = news->signal.party;
	news->transferee = text(data, "waiting");
	news->tells = true;
}

/* While somebody still waits it is the one who was asked that answered. */
static void read_established(const struct msg_event *event, struct news *news)
{
	bool asked = strcmp(text(event->data.tree, "state"), "transferring") == 0;

	of_call(news, asked ? INPUT_ANSWERED : INPUT_JOINED);
	news->signal.party = text(event->data.tree, "answeredBy");
}

/* Two calls became one: the target of an attended transfer is with the customer. */
static void read_merged(const struct msg_event *event, struct news *news)
{
	if (text(event->data.tree, "mergedInto")[0] != '\0')
		of_call(news, INPUT_JOINED);
}

/* A phone's own: Asterisk says how it was done. Ours show as "redirect". */
static void read_transferred(const struct msg_event *event, struct news *news)
{
	const char *kind = text(event->data.tree, "kind");
	bool waits = strcmp(text(event->data.tree, "state"), "transferring") == 0;

	if (strcmp(kind, "blind") == 0) {
		phones(event, news, KIND_PHONE_BLIND, STATE_DIALING);
	} else if (strcmp(kind, "attended") == 0) {
		of_call(news, waits ? INPUT_AGENT_GONE : INPUT_JOINED);
		phones(event, news, KIND_PHONE_ATTENDED, STATE_DIALING);
		news->signal.left = true;
		news->tells = true;
	}
}

static void read_parked(const struct msg_event *event, struct news *news)
{
	const cJSON *data = event->data.tree;
	const char *caller = text(data, "caller");

	phones(event, news, KIND_PARK, STATE_QUEUED);
	news->from = text(data, "parkedBy");
	news->to = text(data, "space");
	news->transferee = strcmp(caller, news->from) == 0 ? text(data, "callee") : caller;
	news->ring_s = json_get_int(data, "timeoutMs", 0) / 1000;
}

static void read_unparked(const struct msg_event *event, struct news *news)
{
	const char *reason = text(event->data.tree, "reason");

	if (strcmp(reason, "retrieved") == 0) {
		of_call(news, INPUT_JOINED);
		news->signal.party = text(event->data.tree, "retrievedBy");
	} else if (strcmp(reason, "timeout") == 0) {
		of_call(news, INPUT_RETURNING);
		news->signal.why = "TIMEOUT";
	} else {
		of_call(news, INPUT_CUSTOMER_GONE);
	}
}

/* Who asked by keys may be back. */
static void read_unheld(const struct msg_event *event, struct news *news)
{
	(void)event;
	news->kind = NEWS_CHECK;
}

static void read_ended(const struct msg_event *event, struct news *news)
{
	static const char *const failures[] = {"busy", "no_answer", "declined", "unreachable",
					       "failed"};
	const char *reason = text(event->data.tree, "reason");

	if (strcmp(reason, "merged") == 0)
		return;
	of_call(news, INPUT_CUSTOMER_GONE);
	news->signal.why = reason;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (strcmp(reason, failures[i]) == 0)
			news->signal.input = INPUT_LOST;
}

static const struct {
	const char *type;
	void (*read)(const struct msg_event *event, struct news *news);
} types[] = {
	{"call:ringing", read_ringing},         {"call:established", read_established},
	{"call:transferred", read_transferred}, {"call:merged", read_merged},
	{"call:parked", read_parked},           {"call:unparked", read_unparked},
	{"call:unheld", read_unheld},           {"call:ended", read_ended},
};

static void read_call(const struct stream_entry *entry, struct news *news)
{
	struct msg_event event;
	const char *error;

	news->tree = json_parse(entry->data, entry->len, &error);
	if (news->tree == NULL || msg_event_parse(news->tree, &event, &error) < 0 ||
	    event.call_id == NULL)
		return;
	news->id = event.call_id;
	news->signal.at = event.timestamp;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].type, event.event_type) == 0)
			types[i].read(&event, news);
}

/* ---- replies ---- */

static const char *refusal(enum msg_ami_reply_outcome outcome)
{
	switch (outcome) {
	case MSG_AMI_REPLY_OUTCOME_ERROR:
	case MSG_AMI_REPLY_OUTCOME_INVALID:
		return "refused_by_pbx";
	case MSG_AMI_REPLY_OUTCOME_EXPIRED:
	case MSG_AMI_REPLY_OUTCOME_UNAVAILABLE:
		return "pbx_unavailable";
	default: /* done, or nobody knows: the dialplan will tell */
		return NULL;
	}
}

/* The id is "<transferId>.<n>"; only of the first action a refusal means that nothing changed. What
   later ones do is seen, or its deadline passes. */
static void read_reply(const struct stream_entry *entry, struct news *news)
{
	struct msg_ami_reply reply;
	const char *error, *why;
	char *dot;

	news->tree = json_parse(entry->data, entry->len, &error);
	if (news->tree == NULL || msg_ami_reply_parse(news->tree, &reply, &error) < 0)
		return;
	why = refusal(reply.outcome);
	dot = strrchr(cJSON_GetObjectItemCaseSensitive(news->tree, "id")->valuestring, '.');
	if (why == NULL || dot == NULL || strcmp(dot, ".1") != 0)
		return;
	*dot = '\0';
	news->kind = NEWS_SIGNAL;
	news->id = reply.id;
	news->signal.input = INPUT_REFUSED;
	news->signal.why = why;
}

void dispatch(const struct stream_entry *entry, struct news *news_r)
{
	memset(news_r, 0, sizeof(*news_r));
	news_r->signal = signal_empty;
	if (strcmp(entry->stream, STORE_REPLIES) == 0)
		read_reply(entry, news_r);
	else if (strcmp(entry->stream, STORE_CALL_EVENT) == 0)
		read_call(entry, news_r);
	else
		read_ami(entry, news_r);
}
