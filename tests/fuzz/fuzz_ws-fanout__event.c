/* Stream entries and cursors, any bytes: the frame of an event must hold the entry as it is. */
#include "event.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

static void check_cursor(const char *text)
{
	enum topic topic;
	struct entry_id id, again;
	char printed[ENTRY_ID_TEXT_MAX];

	if (cursor_parse(text, &topic, &id) &&
	    (!entry_id_parse(entry_id_format(id, printed), &again) ||
	     entry_id_compare(id, again) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	const char *error = NULL;
	struct event *event = event_new(size % 2 == 0 ? TOPIC_CALL : TOPIC_SESSION,
					(struct entry_id){1718, 0}, text, strlen(text), &error);

	if (event == NULL && error == NULL)
		abort();
	if (event != NULL && memmem(event->frames[EVENT_JSON]->data, event->frames[EVENT_JSON]->len,
				    text, strlen(text)) == NULL)
		abort();
	event_unref(&event);
	check_cursor(text);
	free(text);
	return 0;
}
