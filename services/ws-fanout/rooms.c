#include "rooms.h"

#include "mem.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct seat {
	struct seat *prev, *next; /* in the room */
	struct seat *next_room;   /* of the same occupant */
	struct room *room;
	struct occupant *occupant;
	topic_set topics; /* never empty */
};

struct room {
	struct seat *seats;
	char name[ROOM_NAME_MAX + 1];
};

struct rooms {
	void *tree; /* tsearch(), by name; the room for everything is not in it */
	struct room *everything;
	uint64_t calls;
};

static struct room room_key(const char *name)
{
	struct room key = {0};
	assert(strlen(name) <= ROOM_NAME_MAX);
	strcpy(key.name, name);
	return key;
}

static struct room *room_new(const char *name)
{
	struct room *room = mem_new(struct room);
	*room = room_key(name);
	return room;
}

struct rooms *rooms_new(void)
{
	struct rooms *rooms = mem_new(struct rooms);
	rooms->everything = room_new(ROOM_EVERYTHING);
	return rooms;
}

void rooms_free(struct rooms **rooms)
{
	struct rooms *old = *rooms;
	*rooms = NULL;
	if (old == NULL)
		return;
	assert(old->tree == NULL && old->everything->seats == NULL);
	free(old->everything);
	free(old);
}

static int compare_rooms(const void *a, const void *b)
{
	return strcmp(((const struct room *)a)->name, ((const struct room *)b)->name);
}

static struct room *find_room(struct rooms *rooms, const char *name)
{
	if (name[0] == '\0')
		return rooms->everything;
	struct room key = room_key(name);
	struct room **found = tfind(&key, &rooms->tree, compare_rooms);
	return found != NULL ? *found : NULL;
}

static struct room *make_room(struct rooms *rooms, const char *name)
{
	struct room *room = find_room(rooms, name);
	if (room != NULL)
		return room;
	room = room_new(name);
	if (tsearch(room, &rooms->tree, compare_rooms) == NULL)
		abort(); /* no memory: as mem.h */
	return room;
}

static void drop_empty_room(struct rooms *rooms, struct room *room)
{
	if (room->seats != NULL || room == rooms->everything)
		return;
	tdelete(room, &rooms->tree, compare_rooms);
	free(room);
}

static struct seat *find_seat(const struct occupant *occupant, const char *name)
{
	struct seat *seat = occupant->seats;
	while (seat != NULL && strcmp(seat->room->name, name) != 0)
		seat = seat->next_room;
	return seat;
}

static struct seat *take_seat(struct occupant *occupant, struct room *room)
{
	struct seat *seat = mem_new(struct seat);
	seat->room = room;
	seat->occupant = occupant;
	seat->next = room->seats;
	if (seat->next != NULL)
		seat->next->prev = seat;
	room->seats = seat;
	seat->next_room = occupant->seats;
	occupant->seats = seat;
	return seat;
}

/* link points at the seat in its occupant's list. */
static void give_up_seat(struct rooms *rooms, struct seat **link)
{
	struct seat *seat = *link;
	*link = seat->next_room;
	if (seat->next != NULL)
		seat->next->prev = seat->prev;
	if (seat->prev != NULL)
		seat->prev->next = seat->next;
	else
		seat->room->seats = seat->next;
	drop_empty_room(rooms, seat->room);
	free(seat);
}

void rooms_enter(struct rooms *rooms, struct occupant *occupant, const char *name, topic_set topics)
{
	if (topics == 0)
		return;
	struct seat *seat = find_seat(occupant, name);
	if (seat == NULL)
		seat = take_seat(occupant, make_room(rooms, name));
	seat->topics |= topics;
}

static void leave(struct rooms *rooms, struct occupant *occupant, const char *name,
		  topic_set topics)
{
	struct seat **link = &occupant->seats;
	while (*link != NULL) {
		struct seat *seat = *link;
		if (name == NULL || strcmp(seat->room->name, name) == 0)
			seat->topics &= (topic_set)~topics;
		if (seat->topics == 0)
			give_up_seat(rooms, link);
		else
			link = &seat->next_room;
	}
}

void rooms_leave(struct rooms *rooms, struct occupant *occupant, const char *name, topic_set topics)
{
	leave(rooms, occupant, name, topics);
}

void rooms_leave_topics(struct rooms *rooms, struct occupant *occupant, topic_set topics)
{
	leave(rooms, occupant, NULL, topics);
}

static void call_room(struct rooms *rooms, const struct room *room, struct event *event,
		      occupant_fn *fn, void *context)
{
	topic_set wanted = topic_bit(event->topic);
	struct seat *next;
	for (struct seat *seat = room->seats; seat != NULL; seat = next) {
		next = seat->next;
		if ((seat->topics & wanted) == 0 || seat->occupant->last_call == rooms->calls)
			continue;
		seat->occupant->last_call = rooms->calls;
		fn(seat->occupant, event, context);
	}
}

void rooms_each(struct rooms *rooms, struct event *event, occupant_fn *fn, void *context)
{
	rooms->calls++;
	call_room(rooms, rooms->everything, event, fn, context);
	for (unsigned i = 0; i < event->room_count; i++) {
		struct room *room = find_room(rooms, event->rooms[i]);
		if (room != NULL)
			call_room(rooms, room, event, fn, context);
	}
}

bool rooms_match(const struct occupant *occupant, const struct event *event)
{
	for (const struct seat *seat = occupant->seats; seat != NULL; seat = seat->next_room) {
		if ((seat->topics & topic_bit(event->topic)) == 0)
			continue;
		if (seat->room->name[0] == '\0')
			return true;
		for (unsigned i = 0; i < event->room_count; i++) {
			if (strcmp(seat->room->name, event->rooms[i]) == 0)
				return true;
		}
	}
	return false;
}

topic_set occupant_topics(const struct occupant *occupant)
{
	topic_set topics = 0;
	for (const struct seat *seat = occupant->seats; seat != NULL; seat = seat->next_room)
		topics |= seat->topics;
	return topics;
}

void occupant_each(const struct occupant *occupant,
		   void (*fn)(const char *name, topic_set topics, void *context), void *context)
{
	for (const struct seat *seat = occupant->seats; seat != NULL; seat = seat->next_room)
		fn(seat->room->name, seat->topics, context);
}

size_t occupant_rooms(const struct occupant *occupant)
{
	size_t count = 0;
	for (const struct seat *seat = occupant->seats; seat != NULL; seat = seat->next_room)
		count++;
	return count;
}
