#include "call.h"

#include "store.h"

#include <string.h>

static const char *element(const redisReply *reply, size_t i)
{
	return reply->element[i]->str != NULL ? reply->element[i]->str : "";
}

static cJSON *parse(const char *text)
{
	const char *error;

	return json_parse(text, strlen(text), &error);
}

bool call_read(struct call *call, const redisReply *reply)
{
	memset(call, 0, sizeof(*call));
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != STORE_CALL_FIELDS || element(reply, STORE_CALL_ID)[0] == '\0')
		return false;
	call->id = element(reply, STORE_CALL_ID);
	call->pbx = element(reply, STORE_CALL_PBX);
	call->state = element(reply, STORE_CALL_STATE);
	call->into = element(reply, STORE_CALL_INTO);
	call->channels = parse(element(reply, STORE_CALL_CHANNELS));
	call->extensions = parse(element(reply, STORE_CALL_EXTENSIONS));
	call->segments = parse(element(reply, STORE_CALL_SEGMENTS));
	call->transfers = parse(element(reply, STORE_CALL_TRANSFERS));
	return true;
}

void call_free(struct call *call)
{
	cJSON_Delete(call->channels);
	cJSON_Delete(call->extensions);
	cJSON_Delete(call->segments);
	cJSON_Delete(call->transfers);
	memset(call, 0, sizeof(*call));
}

bool call_has_ended(const struct call *call)
{
	return strcmp(call->state, "ended") == 0;
}

bool call_has_extension(const struct call *call, const char *extension)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, call->extensions)
	{
		if (cJSON_IsString(item) && strcmp(item->valuestring, extension) == 0)
			return true;
	}
	return false;
}

static const char *member(const cJSON *object, const char *name)
{
	const char *text = json_get_str(object, name);

	return text != NULL ? text : "";
}

static struct call_party read_party(const cJSON *item)
{
	return (struct call_party){
		.uniqueid = member(item, "uniqueid"),
		.channel = member(item, "channel"),
		.extension = member(item, "extension"),
		.number = member(item, "number"),
		.bridge = member(item, "bridge"),
		.peer = member(item, "peer"),
		.local = json_get_bool(item, "local", false),
		.up = strcmp(member(item, "state"), "up") == 0,
	};
}

static bool find_party(const struct call *call, const char *uniqueid, struct call_party *party_r)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, call->channels)
	{
		*party_r = read_party(item);
		if (uniqueid[0] != '\0' && strcmp(party_r->uniqueid, uniqueid) == 0)
			return true;
	}
	return false;
}

bool call_find_pair(const struct call *call, const char *extension, struct call_party *agent_r,
		    struct call_party *customer_r)
{
	struct call_party party, other;
	bool found = false;
	const cJSON *item;

	cJSON_ArrayForEach(item, call->channels)
	{
		party = read_party(item);
		if (party.extension[0] == '\0' || party.local ||
		    (extension[0] != '\0' && strcmp(party.extension, extension) != 0) ||
		    !find_party(call, party.peer, &other) || other.local)
			continue;
		/* The newest stands first: the one that was there before is the agent. */
		*agent_r = party;
		*customer_r = other;
		found = true;
	}
	return found;
}

/* With whom the customer is in a bridge now: the agent, or somebody else? */
static bool find_beside(const struct call *call, const struct call_party *customer,
			struct call_party *beside_r)
{
	const cJSON *item;

	if (customer->bridge[0] == '\0')
		return false;
	cJSON_ArrayForEach(item, call->channels)
	{
		*beside_r = read_party(item);
		if (strcmp(beside_r->uniqueid, customer->uniqueid) != 0 &&
		    strcmp(beside_r->bridge, customer->bridge) == 0)
			return true;
	}
	return false;
}

static bool is_named(const struct call_party *party, const char *name)
{
	const char *own = party->extension[0] != '\0' ? party->extension : party->number;

	return !party->local && strcmp(own, name) == 0;
}

static bool find_named(const struct call *call, const char *name, struct call_party *party_r)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, call->channels)
	{
		*party_r = read_party(item);
		if (is_named(party_r, name))
			return true;
	}
	return false;
}

/* Of a phone's own transfer: with whom is the customer, if with anybody? Who transferred may not
   have left yet, or the target not be gone. */
static bool tells_watcher(const struct call *call, const struct transfer *transfer,
			  enum transfer_input *input_r)
{
	struct call_party customer, beside, target;
	bool blind = transfer->kind == KIND_PHONE_BLIND && transfer->state != STATE_ROLLING_BACK;

	*input_r = call->into[0] != '\0' ? INPUT_JOINED : INPUT_CUSTOMER_GONE;
	if (call_has_ended(call))
		return true;
	if (!find_named(call, transfer->customer, &customer) ||
	    !find_beside(call, &customer, &beside) || beside.local)
		return false;
	*input_r = INPUT_JOINED;
	if (!is_named(&beside, transfer->by))
		return true;
	*input_r = INPUT_RETURNED;
	return !blind && !find_named(call, transfer->target, &target);
}

static const char *reason_of_result(const char *result)
{
	return strcmp(result, "answered") == 0 ? "target_hung_up" : result;
}

bool call_came_together(const struct call *call)
{
	return call_has_ended(call) && cJSON_GetArraySize(call->transfers) == 0;
}

const char *call_why_returned(const struct call *call)
{
	const char *why = "";
	const cJSON *item;

	cJSON_ArrayForEach(item, call->segments)
	{
		if (strcmp(member(item, "kind"), "consultation") == 0)
			why = reason_of_result(member(item, "result"));
	}
	return why;
}

/* Who is asked speaks with the agent. */
static bool tells_answered(const struct call *call, const struct transfer *transfer)
{
	struct call_party beside;
	const cJSON *item;

	if (transfer->mode != MODE_ASKING ||
	    (transfer->state != STATE_CONSULTING && transfer->state != STATE_RINGING))
		return false;
	cJSON_ArrayForEach(item, call->channels)
	{
		struct call_party agent = read_party(item);

		if (strcmp(agent.channel, transfer->agent_channel) == 0)
			return find_beside(call, &agent, &beside) && beside.up &&
			       strcmp(beside.uniqueid, transfer->customer_uniqueid) != 0;
	}
	return false;
}

bool call_tells(const struct call *call, const struct transfer *transfer,
		enum transfer_input *input_r)
{
	struct call_party customer, beside;
	bool toggled = transfer->mode == MODE_ASKING && transfer->with_customer;

	if (transfer->mode == MODE_WATCHING)
		return tells_watcher(call, transfer, input_r);
	*input_r = INPUT_CUSTOMER_GONE;
	if (call_has_ended(call) || !find_party(call, transfer->customer_uniqueid, &customer))
		return true;
	*input_r = INPUT_ANSWERED;
	if (tells_answered(call, transfer))
		return true;
	if (toggled || !find_beside(call, &customer, &beside))
		return false;
	if (strcmp(beside.extension, transfer->by) != 0) {
		*input_r = INPUT_JOINED;
		return true;
	}
	/* Still with the agent, or again. */
	*input_r = INPUT_RETURNED;
	return transfer->state != STATE_REQUESTED;
}
