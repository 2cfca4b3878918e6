#include "positions.h"

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
