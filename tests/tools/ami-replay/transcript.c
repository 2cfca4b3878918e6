#include "transcript.h"

#include "mem.h"
#include "recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PAUSE_MS 100 /* between two recordings on one connection */

/* The recording that is being appended. */
struct loading {
	struct transcript *transcript;
	struct session *session;
	struct recording recording;
	size_t number;      /* of the connection, from 1 */
	int64_t session_ms; /* when it begins in the session */
	int64_t stamp_ms;   /* Unix time of its opening */
	size_t read;        /* recorded read that the cursor is in */
	bool booted;        /* FullyBooted was left out */
};

static const char *const login_actions[] = {"Login", "Challenge", "Logoff", NULL};
static const char *const list_actions[] = {
	"CoreShowChannels",   "Status",      "BridgeList", "DeviceStateList",
	"ExtensionStateList", "QueueStatus", NULL};

static bool listed(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcasecmp(*list, name) == 0)
			return true;
	return false;
}

/* Bytes of one moment go into one piece. */
static void append(struct session *session, int64_t at_ms, const char *text, size_t len)
{
	struct piece *last = session->count > 0 ? &session->pieces[session->count - 1] : NULL;

	if (len == 0)
		return;
	buffer_append(&session->bytes, text, len);
	if (last == NULL || last->at_ms != at_ms) {
		if (session->count == session->room) {
			session->room = session->room * 2 + 64;
			session->pieces =
				mem_grow(session->pieces, session->room * sizeof(*session->pieces));
		}
		last = &session->pieces[session->count++];
		last->at_ms = at_ms;
	}
	last->end = session->bytes.len;
	last->whole = false;
}

static int64_t now_ms(const struct loading *loading)
{
	return loading->recording.reads[loading->read].at_ms;
}

static void seek(struct loading *loading, size_t offset)
{
	while (loading->read + 1 < loading->recording.read_count &&
	       loading->recording.reads[loading->read].end <= offset)
		loading->read++;
}

/* Received bytes from..to, cut where the recorded reads were. */
static void append_received(struct loading *loading, size_t from, size_t to)
{
	const char *bytes = loading->recording.received.data;

	while (from < to) {
		size_t end;

		seek(loading, from);
		end = loading->recording.reads[loading->read].end;
		if (end > to || end <= from)
			end = to;
		append(loading->session, loading->session_ms + now_ms(loading), bytes + from,
		       end - from);
		from = end;
	}
}

/* Asterisk stamps the events that it sends to everybody: those with a Privilege. */
static size_t stamp_place(const char *block, size_t len)
{
	size_t value_len;
	const char *value = block_header(block, len, "Privilege", &value_len);

	if (strncmp(block, "Event: ", 7) != 0 || value == NULL ||
	    strncmp(block + 7, "FullyBooted\r", 12) == 0)
		return 0;
	return (size_t)(value - block) + value_len + 2;
}

static void append_block(struct loading *loading, size_t from, size_t to)
{
	const char *block = loading->recording.received.data + from;
	size_t place = loading->transcript->stamps ? stamp_place(block, to - from) : 0;

	append_received(loading, from, from + place);
	if (place > 0) {
		int64_t stamp = loading->stamp_ms + now_ms(loading);
		char text[64];
		int len = snprintf(text, sizeof(text), "Timestamp: %" PRId64 ".%03d000\r\n",
				   stamp / 1000, (int)(stamp % 1000));

		append(loading->session, loading->session_ms + now_ms(loading), text, (size_t)len);
	}
	append_received(loading, from + place, to);
	loading->session->pieces[loading->session->count - 1].whole = true;
	loading->session->events += strncmp(block, "Event: ", 7) == 0;
}

static void append_list(struct session *session, const char *action, const char *block, size_t len,
			const char *id, size_t id_len)
{
	struct recorded_list *list = NULL;

	for (size_t i = 0; i < session->list_count; i++)
		if (strcasecmp(session->lists[i].action, action) == 0)
			list = &session->lists[i];
	if (list == NULL) {
		session->lists = mem_grow(session->lists,
					  (session->list_count + 1) * sizeof(*session->lists));
		list = &session->lists[session->list_count++];
		*list = (struct recorded_list){.action = mem_strdup(action)};
	}
	buffer_append(&list->text, block, (size_t)(id - block));
	buffer_append_char(&list->text, ACTION_ID_MARK);
	buffer_append(&list->text, id + id_len, (size_t)(block + len - id) - id_len);
}

static void take_block(struct loading *loading, size_t from, size_t to)
{
	const char *block = loading->recording.received.data + from;
	size_t id_len = 0;
	const char *id = block_header(block, to - from, "ActionID", &id_len);
	const char *action = id != NULL ? recording_action(&loading->recording, id, id_len) : NULL;

	if (action != NULL && listed(login_actions, action))
		return;
	if (!loading->booted && strncmp(block, "Event: FullyBooted\r\n", 20) == 0) {
		loading->booted = true;
		return;
	}
	if (loading->number > 1 && !loading->transcript->uncut && action != NULL &&
	    listed(list_actions, action))
		append_list(loading->session, action, block, to - from, id, id_len);
	else
		append_block(loading, from, to);
}

static void take_blocks(struct loading *loading)
{
	const struct buffer *bytes = &loading->recording.received;
	const char *banner = memmem(bytes->data, bytes->len, "\r\n", 2);
	size_t at = banner != NULL ? (size_t)(banner - bytes->data) + 2 : 0;

	while (at < bytes->len) {
		const char *end = memmem(bytes->data + at, bytes->len - at, "\r\n\r\n", 4);
		size_t next = end != NULL ? (size_t)(end - bytes->data) + 4 : bytes->len;

		take_block(loading, at, next);
		at = next;
	}
}

static struct session *next_session(struct transcript *transcript, bool cut)
{
	if (transcript->count == 0 || cut) {
		transcript->sessions =
			mem_grow(transcript->sessions,
				 (transcript->count + 1) * sizeof(*transcript->sessions));
		transcript->sessions[transcript->count++] = (struct session){0};
	}
	return &transcript->sessions[transcript->count - 1];
}

static void load_connection(struct transcript *transcript, struct recording *recording,
			    size_t number, int64_t opened_ms)
{
	struct session *session = next_session(transcript, number > 1 && !transcript->uncut);
	struct loading loading = {.transcript = transcript,
				  .session = session,
				  .recording = *recording,
				  .number = number};

	if (session->count > 0)
		loading.session_ms = session->pieces[session->count - 1].at_ms + PAUSE_MS;
	loading.stamp_ms = transcript->base_ms + (opened_ms > 0 ? opened_ms : 0);
	if (recording->received.len > 0)
		take_blocks(&loading);
}

int transcript_load(struct transcript *transcript, const char *path)
{
	size_t len = strlen(path);
	char *first =
		mem_strndup(path, len > 4 && strcmp(path + len - 4, ".ami") == 0 ? len - 4 : len);
	char *stem = mem_strdup(first);
	struct recording recording;
	int64_t end_ms = 0;
	size_t number = 1;

	for (; recording_read(stem, &recording) == 0; number++) {
		int64_t opened = number > 1 ? recording_opened_ms(first, number) : 0;

		load_connection(transcript, &recording, number, opened < 0 ? end_ms : opened);
		end_ms = (opened < 0 ? end_ms : opened) +
			 recording.reads[recording.read_count - 1].at_ms;
		recording_free(&recording);
		free(stem);
		stem = mem_printf("%s.%zu", first, number + 1);
	}
	if (number == 1)
		fprintf(stderr, "ami-replay: cannot read %s.ami\n", first);
	transcript->base_ms += end_ms + PAUSE_MS;
	free(first);
	free(stem);
	return number > 1 ? 0 : -1;
}

bool transcript_is_later(const char *path)
{
	size_t len = strlen(path);
	char *first;
	bool later;

	if (len < 7 || strcmp(path + len - 4, ".ami") != 0 || path[len - 5] < '2' ||
	    path[len - 5] > '9' || path[len - 6] != '.')
		return false;
	first = mem_printf("%.*s.ami", (int)(len - 6), path);
	later = access(first, R_OK) == 0;
	free(first);
	return later;
}

const struct buffer *session_list(const struct session *session, const char *action)
{
	for (size_t i = 0; i < session->list_count; i++)
		if (strcasecmp(session->lists[i].action, action) == 0)
			return &session->lists[i].text;
	return NULL;
}

size_t transcript_events(const struct transcript *transcript)
{
	size_t events = 0;

	for (size_t i = 0; i < transcript->count; i++)
		events += transcript->sessions[i].events;
	return events;
}

size_t transcript_bytes(const struct transcript *transcript)
{
	size_t bytes = 0;

	for (size_t i = 0; i < transcript->count; i++)
		bytes += transcript->sessions[i].bytes.len;
	return bytes;
}

void transcript_free(struct transcript *transcript)
{
	for (size_t i = 0; i < transcript->count; i++) {
		struct session *session = &transcript->sessions[i];

		for (size_t k = 0; k < session->list_count; k++) {
			free(session->lists[k].action);
			buffer_free(&session->lists[k].text);
		}
		free(session->lists);
		free(session->pieces);
		buffer_free(&session->bytes);
	}
	free(transcript->sessions);
	*transcript = (struct transcript){0};
}
