#include "team_filter.h"

#include "buffer.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct team_filter {
	char *teams[TOPIC_COUNT]; /* parted by blanks; NULL: all */
};

void team_filter_set(struct team_filter **filter, enum topic topic, const char *const *teams,
		     size_t count)
{
	struct buffer list = {0};
	size_t len;

	if (*filter == NULL && count == 0)
		return;
	if (*filter == NULL)
		*filter = mem_new(struct team_filter);
	free((*filter)->teams[topic]);
	(*filter)->teams[topic] = NULL;
	for (size_t i = 0; i < count; i++)
		buffer_printf(&list, "%s%s", i > 0 ? " " : "", teams[i]);
	if (count > 0)
		(*filter)->teams[topic] = buffer_take(&list, &len);
}

void team_filter_free(struct team_filter **filter)
{
	struct team_filter *old = *filter;

	*filter = NULL;
	for (enum topic topic = 0; old != NULL && topic < TOPIC_COUNT; topic++)
		free(old->teams[topic]);
	free(old);
}

const char *team_filter_of(const struct team_filter *filter, enum topic topic)
{
	return filter != NULL ? filter->teams[topic] : NULL;
}

bool team_filter_passes(const struct team_filter *filter, const struct teams *teams,
			const struct event *event)
{
	const char *list = team_filter_of(filter, event->topic);

	for (unsigned i = 0; list != NULL && i < event->room_count; i++) {
		if (teams_have(teams, list, event->rooms[i]))
			return true;
	}
	return list == NULL;
}

void team_filter_write(const struct team_filter *filter, enum topic topic,
		       struct json_writer *writer)
{
	const char *at = team_filter_of(filter, topic);

	if (at == NULL)
		return;
	json_key(writer, "teams");
	json_begin_array(writer);
	while (*at != '\0') {
		size_t len = strcspn(at, " ");

		json_strn(writer, at, len);
		at += len + strspn(at + len, " ");
	}
	json_end_array(writer);
}
