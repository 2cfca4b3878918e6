#include "kinds.h"

#include <string.h>

#define TIME_MAX INT64_C(9007199254740992)
#define LINK     (FIELD_FIXED | FIELD_FILTER)
#define PORTABLE (KIND_SCOPED | KIND_PORTABLE)

static const struct field client_fields[] = {
	{"type", FIELD_CHOICE, FIELD_FILTER, 0, 0, "person organisation"},
	{"name", FIELD_TEXT, FIELD_REQUIRED | FIELD_SORT | FIELD_SEARCH | FIELD_PERSONAL, 1, 200,
	 NULL},
	{"organisation", FIELD_TEXT, FIELD_FILTER | FIELD_SEARCH | FIELD_PERSONAL, 0, 200, NULL},
	{"phones", FIELD_PHONES, FIELD_PERSONAL, 0, 20, NULL},
	{"emails", FIELD_EMAILS, FIELD_PERSONAL, 0, 20, NULL},
	{"tags", FIELD_TAGS, FIELD_FILTER, 0, 50, NULL},
	{"address", FIELD_PROSE, FIELD_PERSONAL, 0, 500, NULL},
	{"language", FIELD_TEXT, FIELD_FILTER, 2, 16, NULL},
	{"remarks", FIELD_PROSE, FIELD_SEARCH | FIELD_PERSONAL, 0, 4000, NULL},
	{"owner", FIELD_ID, FIELD_FILTER, 0, 0, NULL},
	{"team", FIELD_ID, FIELD_FILTER, 0, 0, NULL},
	{"consent", FIELD_FLAGS, 0, 0, 0, "calls email whatsapp recording"},
	{"custom", FIELD_CUSTOM, FIELD_PERSONAL, 0, 50, NULL},
	{"mergedInto", FIELD_ID, FIELD_READ_ONLY, 0, 0, NULL},
	{0},
};

static const struct field contact_fields[] = {
	{"clientId", FIELD_ID, LINK | FIELD_REQUIRED, 0, 0, NULL},
	{"name", FIELD_TEXT, FIELD_REQUIRED | FIELD_SORT | FIELD_SEARCH | FIELD_PERSONAL, 1, 200,
	 NULL},
	{"position", FIELD_TEXT, FIELD_SEARCH, 0, 200, NULL},
	{"phones", FIELD_PHONES, FIELD_PERSONAL, 0, 20, NULL},
	{"emails", FIELD_EMAILS, FIELD_PERSONAL, 0, 20, NULL},
	{"remarks", FIELD_PROSE, FIELD_PERSONAL, 0, 4000, NULL},
	{0},
};

/* What the call itself says is the daemon's; what was said in it is the agent's. */
static const struct field interaction_fields[] = {
	{"clientId", FIELD_ID, FIELD_FILTER, 0, 0, NULL},
	{"kind", FIELD_CHOICE, LINK | FIELD_REQUIRED, 0, 0, "email note visit"},
	{"direction", FIELD_CHOICE, LINK, 0, 0, "inbound outbound internal"},
	{"subject", FIELD_TEXT, FIELD_SEARCH | FIELD_PERSONAL, 0, 200, NULL},
	{"summary", FIELD_PROSE, FIELD_SEARCH | FIELD_PERSONAL, 0, 10000, NULL},
	{"disposition", FIELD_NAME, FIELD_FILTER, 0, 0, NULL},
	{"reason", FIELD_TEXT, FIELD_FILTER, 0, 100, NULL},
	{"resolved", FIELD_BOOL, FIELD_FILTER, 0, 0, NULL},
	{"tags", FIELD_TAGS, FIELD_FILTER, 0, 50, NULL},
	{"startedAt", FIELD_TIME, FIELD_FIXED | FIELD_SORT, 0, TIME_MAX, NULL},
	{"endedAt", FIELD_TIME, 0, 0, TIME_MAX, NULL},
	{"agent", FIELD_ID, FIELD_FILTER | FIELD_FIXED, 0, 0, NULL},
	{"state", FIELD_TEXT, FIELD_READ_ONLY | FIELD_FILTER, 0, 0, NULL},
	{"number", FIELD_TEXT, FIELD_READ_ONLY | FIELD_FILTER | FIELD_PERSONAL, 0, 0, NULL},
	{"from", FIELD_TEXT, FIELD_READ_ONLY | FIELD_PERSONAL, 0, 0, NULL},
	{"to", FIELD_TEXT, FIELD_READ_ONLY | FIELD_PERSONAL, 0, 0, NULL},
	{"callId", FIELD_TEXT, FIELD_READ_ONLY, 0, 0, NULL},
	{"result", FIELD_TEXT, FIELD_READ_ONLY | FIELD_FILTER, 0, 0, NULL},
	{0},
};

static const struct field note_fields[] = {
	{"clientId", FIELD_ID, LINK | FIELD_REQUIRED, 0, 0, NULL},
	{"interactionId", FIELD_ID, LINK, 0, 0, NULL},
	{"text", FIELD_PROSE, FIELD_REQUIRED | FIELD_SEARCH | FIELD_PERSONAL, 1, 10000, NULL},
	{"pinned", FIELD_BOOL, FIELD_FILTER, 0, 0, NULL},
	{0},
};

static const struct field post_fields[] = {
	{"title", FIELD_TEXT, FIELD_REQUIRED | FIELD_SEARCH, 1, 200, NULL},
	{"text", FIELD_PROSE, FIELD_REQUIRED | FIELD_SEARCH, 1, 10000, NULL},
	{"team", FIELD_ID, FIELD_FILTER, 0, 0, NULL},
	{"pinned", FIELD_BOOL, FIELD_FILTER, 0, 0, NULL},
	{"expiresAt", FIELD_TIME, 0, 0, TIME_MAX, NULL},
	{0},
};

static const struct field callback_fields[] = {
	{"clientId", FIELD_ID, LINK, 0, 0, NULL},
	{"interactionId", FIELD_ID, LINK, 0, 0, NULL},
	{"phones", FIELD_PHONES, FIELD_PERSONAL, 0, 1, NULL},
	{"dueAt", FIELD_TIME, FIELD_REQUIRED | FIELD_SORT, 0, TIME_MAX, NULL},
	{"remindMs", FIELD_INT, 0, 0, 604800000, NULL},
	{"agent", FIELD_ID, FIELD_FILTER, 0, 0, NULL},
	{"text", FIELD_PROSE, FIELD_PERSONAL, 0, 2000, NULL},
	{"status", FIELD_CHOICE, FIELD_FILTER, 0, 0, "open done cancelled"},
	{0},
};

static const struct field message_fields[] = {
	{"clientId", FIELD_ID, FIELD_READ_ONLY | FIELD_FILTER, 0, 0, NULL},
	{"interactionId", FIELD_ID, FIELD_READ_ONLY | FIELD_FILTER, 0, 0, NULL},
	{"direction", FIELD_TEXT, FIELD_READ_ONLY | FIELD_FILTER, 0, 0, NULL},
	{"number", FIELD_TEXT, FIELD_READ_ONLY | FIELD_FILTER | FIELD_PERSONAL, 0, 0, NULL},
	{"status", FIELD_TEXT, FIELD_READ_ONLY | FIELD_FILTER, 0, 0, NULL},
	{"text", FIELD_PROSE, FIELD_READ_ONLY | FIELD_SEARCH | FIELD_PERSONAL, 0, 0, NULL},
	{0},
};

static const struct field disposition_fields[] = {
	{"code", FIELD_NAME, FIELD_FIXED | FIELD_REQUIRED, 0, 0, NULL},
	{"label", FIELD_TEXT, FIELD_REQUIRED, 1, 100, NULL},
	{"resolved", FIELD_BOOL, 0, 0, 0, NULL},
	{"order", FIELD_INT, FIELD_SORT, 0, 10000, NULL},
	{0},
};

static const struct field custom_field_fields[] = {
	{"name", FIELD_NAME, FIELD_FIXED | FIELD_REQUIRED, 0, 0, NULL},
	{"label", FIELD_TEXT, FIELD_REQUIRED, 1, 100, NULL},
	{"type", FIELD_CHOICE, FIELD_FIXED | FIELD_REQUIRED, 0, 0, "text number bool date choice"},
	{"choices", FIELD_TAGS, 0, 0, 100, NULL},
	{"required", FIELD_BOOL, 0, 0, 0, NULL},
	{0},
};

const struct kind kinds[KIND_COUNT] = {
	[KIND_CLIENT] = {KIND_CLIENT, "client", "clients", client_fields, PORTABLE, NULL,
			 "-updatedAt", PERMISSION_EDIT_CLIENTS},
	[KIND_CONTACT] = {KIND_CONTACT, "contact", "contacts", contact_fields, PORTABLE, NULL,
			  "name", PERMISSION_EDIT_CLIENTS},
	[KIND_INTERACTION] = {KIND_INTERACTION, "interaction", "interactions", interaction_fields,
			      PORTABLE, NULL, "-startedAt", PERMISSION_EDIT_CLIENTS},
	[KIND_NOTE] = {KIND_NOTE, "note", "notes", note_fields, PORTABLE, NULL, "-createdAt",
		       PERMISSION_EDIT_CLIENTS},
	[KIND_POST] = {KIND_POST, "post", "posts", post_fields, KIND_SCOPED, NULL, "-createdAt",
		       PERMISSION_ALL_CLIENTS},
	[KIND_CALLBACK] = {KIND_CALLBACK, "callback", "callbacks", callback_fields, PORTABLE, NULL,
			   "dueAt", PERMISSION_EDIT_CLIENTS},
	[KIND_MESSAGE] = {KIND_MESSAGE, "message", "messages", message_fields, KIND_SCOPED, NULL,
			  "-createdAt", PERMISSION_EDIT_CLIENTS},
	[KIND_DISPOSITION] = {KIND_DISPOSITION, "disposition", "dispositions", disposition_fields,
			      KIND_NAMED, "code", "order", PERMISSION_MANAGE_CLIENTS},
	[KIND_CUSTOM_FIELD] = {KIND_CUSTOM_FIELD, "field", "fields", custom_field_fields,
			       KIND_NAMED, "name", "createdAt", PERMISSION_MANAGE_CLIENTS},
};

const struct kind *kind_find(const char *collection, size_t len)
{
	for (int id = 0; id < KIND_COUNT; id++)
		if (strlen(kinds[id].collection) == len &&
		    strncmp(kinds[id].collection, collection, len) == 0)
			return &kinds[id];
	return NULL;
}
