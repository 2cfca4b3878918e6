#include "topic.h"

#include <string.h>

/* all: the permission to see every event of the topic. own: who lacks it still sees what is about
   its own extension. */
static const struct {
	const char *name;
	enum permission all;
	bool own;
} topics[TOPIC_COUNT] = {
	[TOPIC_CALL] = {"call", PERMISSION_ALL_CALLS, true},
	[TOPIC_AGENT] = {"agent", PERMISSION_MONITOR_CALLS, true},
	[TOPIC_QUEUE] = {"queue", PERMISSION_MONITOR_CALLS, true},
	[TOPIC_TRANSFER] = {"transfer", PERMISSION_ALL_CALLS, true},
	[TOPIC_SESSION] = {"session", PERMISSION_VIEW_ADMIN, true},
	[TOPIC_AMI] = {"ami", PERMISSION_VIEW_ADMIN, false},
	[TOPIC_CRM] = {"crm", PERMISSION_ALL_CLIENTS, true},
};

const char *topic_name(enum topic topic)
{
	return topics[topic].name;
}

bool topic_parse(const char *name, enum topic *topic_r)
{
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if (strcmp(topics[topic].name, name) == 0) {
			*topic_r = topic;
			return true;
		}
	}
	return false;
}

enum topic_view topic_view(enum topic topic, const struct principal *who)
{
	if (principal_may(who, topics[topic].all))
		return TOPIC_VIEW_ALL;
	return topics[topic].own && who->extension[0] != '\0' ? TOPIC_VIEW_OWN : TOPIC_VIEW_NONE;
}

enum permission topic_permission(enum topic topic)
{
	return topics[topic].all;
}

bool topic_has_teams(enum topic topic)
{
	return topic != TOPIC_QUEUE && topic != TOPIC_AMI;
}
