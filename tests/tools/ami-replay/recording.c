#include "recording.h"

#include "json.h"
#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_file(const char *stem, const char *suffix, struct buffer *out)
{
	char *path = mem_printf("%s%s", stem, suffix);
	FILE *file = fopen(path, "rbe");
	size_t got;

	free(path);
	if (file == NULL)
		return -1;
	do {
		got = fread(buffer_reserve(out, 65536), 1, 65536, file);
		out->len += got;
	} while (got > 0);
	out->data[out->len] = '\0';
	fclose(file);
	return 0;
}

const char *block_header(const char *block, size_t len, const char *key, size_t *len_r)
{
	size_t key_len = strlen(key);
	const char *end = block + len;

	for (const char *line = block; line < end;) {
		const char *stop = memmem(line, (size_t)(end - line), "\r\n", 2);

		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - line) > key_len && strncasecmp(line, key, key_len) == 0 &&
		    line[key_len] == ':') {
			const char *value = line + key_len + 1;

			value += value < stop && *value == ' ';
			*len_r = (size_t)(stop - value);
			return value;
		}
		line = stop + 2;
	}
	return NULL;
}

static void take_action(struct recording *recording, const char *block, size_t len)
{
	size_t name_len;
	size_t id_len;
	const char *name = block_header(block, len, "Action", &name_len);
	const char *id = block_header(block, len, "ActionID", &id_len);
	struct recorded_action *action;

	if (name == NULL || id == NULL)
		return;
	recording->actions =
		mem_grow(recording->actions, (recording->action_count + 1) * sizeof(*action));
	action = &recording->actions[recording->action_count++];
	snprintf(action->name, sizeof(action->name), "%.*s", (int)name_len, name);
	snprintf(action->id, sizeof(action->id), "%.*s", (int)id_len, id);
}

static void read_actions(struct recording *recording, const struct buffer *sent)
{
	const char *block = buffer_str(sent);
	const char *end = block + sent->len;
	const char *stop;

	while ((stop = memmem(block, (size_t)(end - block), "\r\n\r\n", 4)) != NULL) {
		take_action(recording, block, (size_t)(stop - block));
		block = stop + 4;
	}
}

static void add_read(struct recording *recording, int64_t at_ms, size_t end)
{
	recording->reads =
		mem_grow(recording->reads, (recording->read_count + 1) * sizeof(*recording->reads));
	recording->reads[recording->read_count++] = (struct recorded_read){at_ms, end};
}

static void read_index(struct recording *recording, const char *text)
{
	int64_t at_ms;
	char direction;
	size_t offset;
	size_t len;

	for (const char *line = text; line != NULL && *line != '\0';) {
		if (sscanf(line, "%" SCNd64 " %c %zu %zu", &at_ms, &direction, &offset, &len) ==
			    4 &&
		    direction == '<' && offset + len <= recording->received.len)
			add_read(recording, at_ms, offset + len);
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	if (recording->read_count == 0)
		add_read(recording, 0, recording->received.len);
	recording->reads[recording->read_count - 1].end = recording->received.len;
}

int recording_read(const char *stem, struct recording *recording_r)
{
	struct buffer text = {0};

	*recording_r = (struct recording){0};
	if (read_file(stem, ".ami", &recording_r->received) < 0)
		return -1;
	if (read_file(stem, ".tx", &text) == 0)
		read_actions(recording_r, &text);
	buffer_clear(&text);
	(void)read_file(stem, ".idx", &text);
	read_index(recording_r, buffer_str(&text));
	buffer_free(&text);
	return 0;
}

void recording_free(struct recording *recording)
{
	buffer_free(&recording->received);
	free(recording->reads);
	free(recording->actions);
	*recording = (struct recording){0};
}

const char *recording_action(const struct recording *recording, const char *id, size_t len)
{
	for (size_t i = 0; i < recording->action_count; i++)
		if (strlen(recording->actions[i].id) == len &&
		    memcmp(recording->actions[i].id, id, len) == 0)
			return recording->actions[i].name;
	return NULL;
}

int64_t recording_opened_ms(const char *stem, size_t number)
{
	struct buffer text = {0};
	const char *error;
	int64_t opened = -1;
	cJSON *truth = NULL;

	if (read_file(stem, ".truth.json", &text) == 0)
		truth = json_parse(text.data, text.len, &error);
	if (truth != NULL) {
		const cJSON *list = cJSON_GetObjectItemCaseSensitive(truth, "connections");

		opened = json_get_int(cJSON_GetArrayItem(list, (int)number - 1), "opened_ms", -1);
	}
	cJSON_Delete(truth);
	buffer_free(&text);
	return opened;
}
