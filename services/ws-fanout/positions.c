#include "positions.h"

#include <stdio.h>

int positions_read(const char *const *cursors, size_t count, struct positions *positions_r,
		   const char **error_r)
{
	*positions_r = (struct positions){0};
	for (size_t i = 0; i < count; i++) {
		enum topic topic;
		struct entry_id id;

		if (!cursor_parse(cursors[i], &topic, &id)) {
			*error_r = "since must hold cursors such as call:1718000000000-0";
			return -1;
		}
		positions_r->topics |= topic_bit(topic);
		positions_r->at[topic] = id;
	}
	return 0;
}

cJSON *positions_to_json(const struct positions *positions)
{
	char id[ENTRY_ID_TEXT_MAX], cursor[ENTRY_ID_TEXT_MAX + 16];
	cJSON *array = cJSON_CreateArray();

	for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if ((positions->topics & topic_bit(topic)) == 0)
			continue;
		snprintf(cursor, sizeof(cursor), "%s:%s", topic_name(topic),
			 entry_id_format(positions->at[topic], id));
		cJSON_AddItemToArray(array, cJSON_CreateString(cursor));
	}
	return array;
}
