#include "type_filter.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct type_filter {
	topic_set topics; /* those that are filtered */
	size_t count;
	char names[TYPE_FILTER_MAX][TYPE_NAME_MAX + 1];
};

/* Of which of these topics that is a type. */
static topic_set topic_of(const char *name, topic_set topics)
{
	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		size_t len = strlen(topic_name(topic));

		if ((topics & topic_bit(topic)) != 0 &&
		    strncmp(name, topic_name(topic), len) == 0 && name[len] == ':')
			return topic_bit(topic);
	}
	return 0;
}

static void clear(struct type_filter *filter, topic_set topics)
{
	size_t kept = 0;

	for (size_t i = 0; i < filter->count; i++) {
		if (topic_of(filter->names[i], topics) == 0)
			memmove(filter->names[kept++], filter->names[i], sizeof(filter->names[0]));
	}
	filter->count = kept;
	filter->topics &= (topic_set)~topics;
}

int type_filter_set(struct type_filter **filter, topic_set topics, const char *const *names,
		    size_t count)
{
	struct type_filter *set = *filter;

	if (set == NULL && count == 0)
		return 0;
	if (set == NULL)
		set = *filter = mem_new(struct type_filter);
	clear(set, topics);
	for (size_t i = 0; i < count; i++) {
		topic_set topic = topic_of(names[i], topics);

		if (topic == 0 || strlen(names[i]) > TYPE_NAME_MAX)
			continue;
		if (set->count == TYPE_FILTER_MAX)
			return -1;
		strcpy(set->names[set->count++], names[i]);
		set->topics |= topic;
	}
	if (set->topics == 0)
		type_filter_free(filter);
	return 0;
}

void type_filter_free(struct type_filter **filter)
{
	free(*filter);
	*filter = NULL;
}

bool type_filter_passes(const struct type_filter *filter, const struct event *event)
{
	if (filter == NULL || (filter->topics & topic_bit(event->topic)) == 0)
		return true;
	for (size_t i = 0; i < filter->count; i++) {
		if (strcmp(filter->names[i], event->type) == 0)
			return true;
	}
	return false;
}

void type_filter_write(const struct type_filter *filter, enum topic topic,
		       struct json_writer *writer)
{
	if (filter == NULL || (filter->topics & topic_bit(topic)) == 0)
		return;
	json_key(writer, "types");
	json_begin_array(writer);
	for (size_t i = 0; i < filter->count; i++) {
		if (topic_of(filter->names[i], topic_bit(topic)) != 0)
			json_str(writer, filter->names[i]);
	}
	json_end_array(writer);
}
