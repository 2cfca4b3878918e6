/* The first message says who is there; later ones of the same type renew the token. */
#include "acks.h"
#include "auth.h"
#include "catchup.h"
#include "client.h"
#include "clock.h"
#include "dispatch.h"
#include "ids.h"
#include "log.h"
#include "mem.h"
#include "msg_ws_auth.h"
#include "positions.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the message to the answer of Redis. */
struct auth_request {
	struct client *client; /* one reference */
	struct positions since;
	struct entry_id asked_at; /* where the topic session stood: see on_checked() */
	struct principal who;     /* while the acknowledged position is asked for */
	bool snapshot;
	char id[65];                 /* "": none */
	char ack[ACKS_NAME_MAX + 1]; /* "": without acknowledgements */
};

static const char *request_id(const struct auth_request *request)
{
	return request->id[0] != '\0' ? request->id : NULL;
}

/* ---- answers ---- */

static void write_principal(struct json_writer *writer, const struct principal *who)
{
	json_key(writer, "principal");
	json_begin_object(writer);
	json_field_str(writer, "userId", who->user_id);
	json_field_str(writer, "username", who->username);
	json_field_str(writer, "role", role_name(who->role));
	json_field_str(writer, "extension", who->extension);
	json_key(writer, "permissions");
	json_begin_array(writer);
	for (enum permission each = PERMISSION_NONE + 1; each < PERMISSION_END; each++) {
		if (principal_may(who, each))
			json_str(writer, permission_name(each));
	}
	json_end_array(writer);
	json_end_object(writer);
}

/* From where everything that comes is sent: a client that never saw an event can go on from it. */
static void write_cursors(struct json_writer *writer, const struct client *client)
{
	topic_set topics = occupant_topics(&client->occupant);
	char id[ENTRY_ID_TEXT_MAX], cursor[ENTRY_ID_TEXT_MAX + 16];

	json_key(writer, "cursors");
	json_begin_array(writer);
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((topics & topic_bit(topic)) == 0)
			continue;
		snprintf(cursor, sizeof(cursor), "%s:%s", topic_name(topic),
			 entry_id_format(backlog_tip(client->hub->backlogs[topic]), id));
		json_str(writer, cursor);
	}
	json_end_array(writer);
}

static void welcome(struct client *client, const char *id)
{
	struct answer answer;

	answer_begin(&answer, "welcome", id);
	client_write_id(client, &answer.json);
	write_principal(&answer.json, &client->who);
	client_write_topics(client, &answer.json);
	write_cursors(&answer.json, client);
	json_field_int(&answer.json, "expiresAt", client->who.expires_at_ms);
	json_field_int(&answer.json, "serverAt", clock_wall_ms());
	json_field_int(&answer.json, "heartbeatMs", client->hub->settings->ping_ms);
	client_answer(client, &answer);
}

static void admit(struct client *client, const struct auth_request *request,
		  const struct principal *who)
{
	client->known = true;
	client->who = *who;
	client_join_default(client);
	if (who->extension[0] != '\0')
		store_sockets(client->hub->link, (const char *const[]){who->extension}, 1);
	log_debug("client known", log_str("user", who->username),
		  log_str("address", client->address));
	if (client->protocol->admit != NULL)
		client->protocol->admit(client);
	welcome(client, request_id(request));
	if (request->ack[0] != '\0')
		acks_begin(client, request->ack, &request->since);
	catchup_begin(client, &request->since, request->snapshot);
}

/* The rooms were chosen for who is there: someone else needs a socket of their own. */
static void renew(struct client *client, const struct auth_request *request,
		  const struct principal *who)
{
	struct answer answer;

	if (strcmp(client->who.user_id, who->user_id) != 0 || client->who.role != who->role ||
	    strcmp(client->who.extension, who->extension) != 0) {
		client_error(client, "other_user", "this token is not of the same user and role",
			     request_id(request));
		return;
	}
	client->who = *who;
	answer_begin(&answer, "renewed", request_id(request));
	json_field_int(&answer.json, "expiresAt", who->expires_at_ms);
	client_answer(client, &answer);
}

/* A renewal that fails changes nothing: the old token counts until it expires. */
static void refuse(struct client *client, const struct auth_request *request, const char *code,
		   const char *message, enum close_code close_code)
{
	if (client->known) {
		client_error(client, code, message, request_id(request));
		return;
	}
	client->hub->metrics->ws_auth_refused_total++;
	client_refuse(client, code, message, request_id(request), close_code);
}

static void answer(const struct auth_request *request, enum auth_result result,
		   const struct principal *who)
{
	struct client *client = request->client;

	switch (result) {
	case AUTH_OK:
		(client->known ? renew : admit)(client, request, who);
		break;
	case AUTH_INVALID:
		refuse(client, request, "invalid_token", "the token or ticket is not valid",
		       CLOSE_UNAUTHORIZED);
		break;
	case AUTH_EXPIRED:
		refuse(client, request, "token_expired", "the token has expired",
		       CLOSE_UNAUTHORIZED);
		break;
	case AUTH_REVOKED:
		refuse(client, request, "session_revoked", "session revoked", CLOSE_REVOKED);
		break;
	case AUTH_UNAVAILABLE:
		refuse(client, request, "unavailable", "nobody can be let in now, try again",
		       CLOSE_TRY_LATER);
		break;
	}
}

static void end_request(struct auth_request *request, enum auth_result result,
			const struct principal *who)
{
	struct client *client = request->client;

	client->checking = false;
	/* The answer of Redis and the event of a revocation come on different connections. */
	if (result == AUTH_OK && hub_was_revoked(client->hub, request->asked_at, who->session_id))
		result = AUTH_REVOKED;
	if (client_is_open(client))
		answer(request, result, who);
	client_unref(&client);
	free(request);
}

/* Where the client left off, when it did not say itself. */
static void on_acks(const struct positions *positions, void *context)
{
	struct auth_request *request = context;

	if (positions == NULL) {
		end_request(request, AUTH_UNAVAILABLE, NULL);
		return;
	}
	request->since = *positions;
	end_request(request, AUTH_OK, &request->who);
}

static void on_checked(enum auth_result result, const struct principal *who, void *context)
{
	struct auth_request *request = context;

	if (result != AUTH_OK || request->ack[0] == '\0' || request->since.topics != 0 ||
	    request->client->known) {
		end_request(request, result, who);
		return;
	}
	request->who = *who;
	store_acks_load(request->client->hub->link, who->user_id, request->ack, on_acks, request);
}

static void on_ticket(const char *session_id, bool away, void *context)
{
	struct auth_request *request = context;

	if (session_id != NULL)
		auth_check_session(request->client->hub->auth, session_id, on_checked, request);
	else
		on_checked(away ? AUTH_UNAVAILABLE : AUTH_INVALID, NULL, request);
}

/* ---- the message ---- */

static void check(struct client *client, const struct msg_ws_auth *message,
		  const struct positions *since)
{
	struct auth_request *request = mem_new(struct auth_request);

	request->client = client_ref(client);
	request->since = *since;
	request->snapshot = message->has_snapshot && message->snapshot;
	snprintf(request->id, sizeof(request->id), "%s", message->id != NULL ? message->id : "");
	snprintf(request->ack, sizeof(request->ack), "%s",
		 message->ack != NULL ? message->ack : "");
	client->checking = true;
	if (!hub_is_started(client->hub)) {
		on_checked(AUTH_UNAVAILABLE, NULL, request);
		return;
	}
	request->asked_at = backlog_tip(client->hub->backlogs[TOPIC_SESSION]);
	if (message->token != NULL)
		auth_check(client->hub->auth, message->token, on_checked, request);
	else
		store_ticket(client->hub->link, message->ticket, on_ticket, request);
}

void handle_auth(struct client *client, const cJSON *json)
{
	struct msg_ws_auth message;
	struct positions since;
	const char *error;

	if (msg_ws_auth_parse(json, &message, &error) < 0 ||
	    positions_read(message.since, message.since_count, &since, &error) < 0)
		client_error(client, "bad_message", error, message_id(json));
	else if (message.ack != NULL && !id_is_safe(message.ack, ACKS_NAME_MAX))
		client_error(client, "bad_message", "ack must be a name of safe characters",
			     message.id);
	else if ((message.token == NULL) == (message.ticket == NULL))
		client_error(client, "bad_message", "one of token and ticket is needed",
			     message.id);
	else if (client->checking)
		client_error(client, "busy", "the one before is being checked", message.id);
	else
		check(client, &message, &since);
}
