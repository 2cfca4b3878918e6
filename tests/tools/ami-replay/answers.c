#include "answers.h"

#include "clock.h"
#include "recording.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 1024

struct question {
	const char *block;
	size_t len;
	char id[VALUE_MAX];
};

struct list_action {
	const char *name, *message, *complete;
};

static const struct list_action lists[] = {
	{"BridgeList", "Bridge listing will follow", "BridgeListComplete"},
	{"CoreShowChannels", "Channels will follow", "CoreShowChannelsComplete"},
	{"DeviceStateList", "Device State Changes will follow", "DeviceStateListComplete"},
	{"ExtensionStateList", "Extension Statuses will follow", "ExtensionStateListComplete"},
	{"PJSIPShowContacts", "A listing of Contacts follows, presented as ContactList events",
	 "ContactListComplete"},
	{"PJSIPShowEndpoints", "A listing of Endpoints follows, presented as EndpointList events",
	 "EndpointListComplete"},
	{"ParkedCalls", "Parked calls will follow", "ParkedCallsComplete"},
	{"QueueStatus", "Queue status will follow", "QueueStatusComplete"},
	{"QueueSummary", "Queue summary will follow", "QueueSummaryComplete"},
	{"Status", "Channel status will follow", "StatusComplete"},
	{NULL, NULL, NULL},
};

static void get(const struct question *question, const char *key, char *out)
{
	size_t len = 0;
	const char *value = block_header(question->block, question->len, key, &len);

	if (value == NULL || len >= VALUE_MAX)
		len = 0;
	if (len > 0)
		memcpy(out, value, len);
	out[len] = '\0';
}

static void begin(const struct question *question, const char *response, struct buffer *out)
{
	buffer_printf(out, "Response: %s\r\n", response);
	if (question->id[0] != '\0')
		buffer_printf(out, "ActionID: %s\r\n", question->id);
}

static void message(const struct question *question, const char *response, const char *text,
		    struct buffer *out)
{
	begin(question, response, out);
	buffer_printf(out, "Message: %s\r\n\r\n", text);
}

void answer_key(const char *challenge, const char *secret, char *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();

	EVP_DigestInit_ex(md5, EVP_md5(), NULL);
	EVP_DigestUpdate(md5, challenge, strlen(challenge));
	EVP_DigestUpdate(md5, secret, strlen(secret));
	EVP_DigestFinal_ex(md5, digest, NULL);
	EVP_MD_CTX_free(md5);
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static bool secret_is_good(const struct answers *answers, const struct question *question)
{
	char given[VALUE_MAX];
	char key[33];

	if (answers->secret == NULL)
		return true;
	get(question, "Key", given);
	answer_key(answers->challenge, answers->secret, key);
	if (strcasecmp(given, key) == 0)
		return true;
	get(question, "Secret", given);
	return strcmp(given, answers->secret) == 0;
}

static enum answer_effect answer_login(const struct answers *answers,
				       const struct question *question, struct buffer *out)
{
	char events[VALUE_MAX];

	if (!secret_is_good(answers, question)) {
		message(question, "Error", "Authentication failed", out);
		return ANSWER_CLOSE;
	}
	message(question, "Success", "Authentication accepted", out);
	get(question, "Events", events);
	if (strcasecmp(events, "off") == 0)
		return ANSWER_LOGIN_SILENT;
	buffer_append_str(out, "Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\n"
			       "LastReload: 1\r\nStatus: Fully Booted\r\n\r\n");
	return ANSWER_LOGIN;
}

static void answer_challenge(struct answers *answers, const struct question *question,
			     struct buffer *out)
{
	snprintf(answers->challenge, sizeof(answers->challenge), "%09d",
		 (int)(clock_mono_us() % 1000000000));
	begin(question, "Success", out);
	buffer_printf(out, "Challenge: %s\r\n\r\n", answers->challenge);
}

static void answer_list(const struct answers *answers, const struct question *question,
			const struct list_action *list, struct buffer *out)
{
	const struct buffer *recorded =
		answers->session != NULL ? session_list(answers->session, list->name) : NULL;

	if (recorded == NULL) {
		begin(question, "Success", out);
		buffer_printf(out, "EventList: start\r\nMessage: %s\r\n\r\n", list->message);
		buffer_printf(out, "Event: %s\r\n", list->complete);
		if (question->id[0] != '\0')
			buffer_printf(out, "ActionID: %s\r\n", question->id);
		buffer_append_str(out, "EventList: Complete\r\nListItems: 0\r\n\r\n");
		return;
	}
	for (size_t i = 0; i < recorded->len; i++) {
		if (recorded->data[i] == ACTION_ID_MARK)
			buffer_append_str(out, question->id);
		else
			buffer_append_char(out, recorded->data[i]);
	}
}

static void answer_settings(const struct answers *answers, const struct question *question,
			    struct buffer *out)
{
	begin(question, "Success", out);
	buffer_printf(out,
		      "AMIversion: 11.0.0\r\nAsteriskVersion: ami-replay\r\nSystemName: %s\r\n"
		      "CoreMaxCalls: 0\r\n\r\n",
		      answers->systemname);
}

static void answer_ping(const struct question *question, struct buffer *out)
{
	int64_t now = clock_wall_ms();

	begin(question, "Success", out);
	buffer_printf(out, "Ping: Pong\r\nTimestamp: %" PRId64 ".%03d000\r\n\r\n", now / 1000,
		      (int)(now % 1000));
}

static void answer_other(const struct answers *answers, const struct question *question,
			 const char *name, struct buffer *out)
{
	for (const struct list_action *list = lists; list->name != NULL; list++) {
		if (strcasecmp(list->name, name) == 0) {
			answer_list(answers, question, list, out);
			return;
		}
	}
	if (strcasecmp(name, "CoreSettings") == 0)
		answer_settings(answers, question, out);
	else if (name[0] == '\0')
		message(question, "Error", "Missing action in request", out);
	else
		message(question, "Success", "Accepted by ami-replay", out);
}

enum answer_effect answer_action(struct answers *answers, const char *block, size_t len,
				 struct buffer *out)
{
	struct question question = {.block = block, .len = len};
	char name[VALUE_MAX];

	get(&question, "ActionID", question.id);
	get(&question, "Action", name);
	if (strcasecmp(name, "Login") == 0)
		return answer_login(answers, &question, out);
	if (strcasecmp(name, "Ping") == 0) {
		answer_ping(&question, out);
		return ANSWER_PING;
	}
	if (strcasecmp(name, "Logoff") == 0) {
		message(&question, "Goodbye", "Thanks for all the fish.", out);
		return ANSWER_CLOSE;
	}
	if (strcasecmp(name, "Challenge") == 0)
		answer_challenge(answers, &question, out);
	else
		answer_other(answers, &question, name, out);
	return ANSWER_ONLY;
}
