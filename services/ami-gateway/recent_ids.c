#include "recent_ids.h"

bool recent_ids_add(struct recent_ids *recent, const char *entry_id)
{
	struct stream_id id = stream_id_parse(entry_id);

	for (size_t i = 0; i < RECENT_IDS; i++)
		if (stream_id_order(recent->ids[i], id) == 0)
			return true;
	recent->ids[recent->next] = id;
	recent->next = (recent->next + 1) % RECENT_IDS;
	return false;
}
