/* Recorded AMI sessions (tests/data/ami) as the entries that the gateway makes of them. Static
   functions, for the tests of call-lifecycle's model. */
#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include "buffer.h"
#include "json.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSCRIPTS   "tests/data/ami/"
#define TRANSCRIPT_T0 1700000000000 /* Unix ms of the first connection */
#define HEADERS_MAX   256

struct transcript {
	char **entries; /* JSON */
	size_t *lens;
	size_t count;
};

static inline char *file_read(const char *path, size_t *len_r)
{
	FILE *file = fopen(path, "rb");
	struct buffer text = {0};
	size_t got;

	*len_r = 0;
	if (file == NULL)
		return NULL;
	do {
		char *room = buffer_reserve(&text, 65536);

		got = fread(room, 1, 65536, file);
		text.len += got;
	} while (got > 0);
	fclose(file);
	buffer_append(&text, "", 0);
	return buffer_take(&text, len_r);
}

/* Time of each byte of the .ami file: "ms < offset length" in the .idx file. */
static inline int64_t transcript_time(const char *idx, size_t offset)
{
	int64_t last = 0;

	for (const char *line = idx; line != NULL && *line != '\0';) {
		double ms;
		char way;
		size_t from, len;

		if (sscanf(line, "%lf %c %zu %zu", &ms, &way, &from, &len) == 4 && way == '<') {
			last = (int64_t)ms;
			if (offset < from + len)
				return last;
		}
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return last;
}

struct header {
	const char *name, *value;
	size_t name_len, value_len;
};

static inline void header_write(struct json_writer *writer, const struct header *headers,
				size_t count, size_t i)
{
	size_t same = 0;

	for (size_t j = 0; j < count; j++)
		if (headers[j].name_len == headers[i].name_len &&
		    memcmp(headers[j].name, headers[i].name, headers[i].name_len) == 0) {
			if (j < i)
				return; /* written with the first */
			same++;
		}
	char name[300];
	snprintf(name, sizeof(name), "%.*s", (int)headers[i].name_len, headers[i].name);
	json_key(writer, name);
	if (same > 1)
		json_begin_array(writer);
	for (size_t j = i; j < count; j++)
		if (headers[j].name_len == headers[i].name_len &&
		    memcmp(headers[j].name, headers[i].name, headers[i].name_len) == 0)
			json_strn(writer, headers[j].value, headers[j].value_len);
	if (same > 1)
		json_end_array(writer);
}

/* One block of "Name: value" lines; false when it is no event. */
static inline bool block_write(const char *block, size_t len, int64_t t, struct buffer *out)
{
	struct header headers[HEADERS_MAX];
	struct json_writer writer = json_writer_init(out);
	size_t count = 0;

	for (const char *line = block; line < block + len && count < HEADERS_MAX;) {
		const char *end = memmem(line, (size_t)(block + len - line), "\r\n", 2);
		const char *colon;

		if (end == NULL)
			end = block + len;
		colon = memchr(line, ':', (size_t)(end - line));
		if (colon != NULL) {
			const char *value = colon + 1;

			while (value < end && *value == ' ')
				value++;
			headers[count++] = (struct header){line, value, (size_t)(colon - line),
							   (size_t)(end - value)};
		}
		line = end + 2;
	}
	if (count == 0 || headers[0].name_len != 5 || memcmp(headers[0].name, "Event", 5) != 0)
		return false;
	json_begin_object(&writer);
	json_field_int(&writer, "t", t);
	json_field_int(&writer, "n", 1);
	for (size_t i = 0; i < count; i++)
		header_write(&writer, headers, count, i);
	json_end_object(&writer);
	return true;
}

static inline void transcript_add(struct transcript *transcript, struct buffer *entry)
{
	transcript->entries = mem_grow(transcript->entries,
				       (transcript->count + 1) * sizeof(*transcript->entries));
	transcript->lens =
		mem_grow(transcript->lens, (transcript->count + 1) * sizeof(*transcript->lens));
	transcript->entries[transcript->count] =
		buffer_take(entry, &transcript->lens[transcript->count]);
	transcript->count++;
}

static inline void transcript_mayday(struct transcript *transcript, int64_t t, const char *event,
				     const char *more)
{
	struct buffer entry = {0};

	buffer_printf(&entry, "{\"t\":%lld,\"n\":1,\"Event\":\"%s\"%s}", (long long)t, event, more);
	transcript_add(transcript, &entry);
}

/* The lists that a recorded client asked for after it came back are the snapshot. */
static inline bool is_listed(const char *text)
{
	return strstr(text, "\"Event\":\"CoreShowChannel\"") != NULL;
}

static inline void transcript_connection(struct transcript *transcript, const char *name,
					 int64_t t0, bool again)
{
	char path[256];
	size_t len, idx_len;
	int snapshot = 0; /* 1: under way, 2: over */

	snprintf(path, sizeof(path), TRANSCRIPTS "%s.ami", name);
	char *data = file_read(path, &len);
	snprintf(path, sizeof(path), TRANSCRIPTS "%s.idx", name);
	char *idx = file_read(path, &idx_len);

	for (char *block = data; block != NULL && block < data + len;) {
		char *end = memmem(block, (size_t)(data + len - block), "\r\n\r\n", 4);
		struct buffer entry = {0};
		int64_t t;

		if (end == NULL)
			break;
		t = t0 + transcript_time(idx, (size_t)(end + 3 - data));
		if (memcmp(block, "Asterisk Call", 13) == 0)
			block = (char *)memmem(block, (size_t)(end - block), "\r\n", 2) + 2;
		if (again && snapshot == 0) {
			transcript_mayday(transcript, t, "MaydayUp", ",\"version\":\"22\"");
			transcript_mayday(transcript, t, "MaydaySnapshotBegin", ",\"id\":\"s1\"");
			snapshot = 1;
		}
		if (block_write(block, (size_t)(end - block), t, &entry)) {
			if (snapshot == 1 &&
			    strstr(buffer_str(&entry), "CoreShowChannelsComplete") != NULL) {
				transcript_mayday(transcript, t, "MaydaySnapshotEnd",
						  ",\"id\":\"s1\",\"channels\":0");
				snapshot = 2;
			}
			transcript_add(transcript, &entry);
		}
		buffer_free(&entry);
		block = end + 4;
	}
	free(data);
	free(idx);
}

static inline cJSON *transcript_truth(const char *name)
{
	char path[256];
	size_t len;

	snprintf(path, sizeof(path), TRANSCRIPTS "%s.truth.json", name);
	char *text = file_read(path, &len);
	/* Lone surrogates stand for bytes that are not UTF-8: cJSON takes none. */
	for (char *at = text; at != NULL && (at = strstr(at, "\\udc")) != NULL;)
		if (at[-1] == '\\')
			at++;
		else
			memset(at, '?', 6);
	cJSON *truth = cJSON_Parse(text);
	free(text);
	return truth;
}

static inline struct transcript transcript_load(const char *name)
{
	struct transcript transcript = {0};
	cJSON *truth = transcript_truth(name);
	const cJSON *connection;
	int number = 0;

	cJSON_ArrayForEach(connection, cJSON_GetObjectItem(truth, "connections"))
	{
		int64_t opened = TRANSCRIPT_T0 + json_get_int(connection, "opened_ms", 0);
		char file[200];

		number++;

		snprintf(file, sizeof(file), number == 1 ? "%s" : "%s.%d", name, number);
		if (number > 1)
			transcript_mayday(&transcript, opened, "MaydayDown",
					  ",\"reason\":\"test\"");
		transcript_connection(&transcript, file, opened, number > 1);
	}
	cJSON_Delete(truth);
	return transcript;
}

static inline void transcript_free(struct transcript *transcript)
{
	for (size_t i = 0; i < transcript->count; i++)
		free(transcript->entries[i]);
	free(transcript->entries);
	free(transcript->lens);
}

#endif
