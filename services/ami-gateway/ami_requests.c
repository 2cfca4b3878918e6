#include "ami_requests.h"

#include "ami_action.h"
#include "clock.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct request {
	struct request *next;
	char id[AMI_ID_MAX + 1];
	ami_answer_fn *fn;
	void *context;
	int64_t sent_ms;
	bool is_list; /* its response came, items follow */
};

/* Answers come nearly always in the order of the actions, so a plain line is searched from its
   head. */
struct ami_requests {
	struct request *first, **end;
	size_t count;
};

struct ami_requests *ami_requests_new(void)
{
	struct ami_requests *requests = mem_new(struct ami_requests);

	requests->end = &requests->first;
	return requests;
}

void ami_requests_free(struct ami_requests **_requests)
{
	struct ami_requests *requests = *_requests;

	*_requests = NULL;
	if (requests == NULL)
		return;
	for (struct request *at = requests->first, *next; at != NULL; at = next) {
		next = at->next;
		free(at);
	}
	free(requests);
}

void ami_requests_add(struct ami_requests *requests, const char *id, ami_answer_fn *fn,
		      void *context)
{
	struct request *request = mem_new(struct request);

	snprintf(request->id, sizeof(request->id), "%s", id);
	request->fn = fn;
	request->context = context;
	request->sent_ms = clock_mono_ms();
	*requests->end = request;
	requests->end = &request->next;
	requests->count++;
}

static struct request **find(struct ami_requests *requests, const struct ami_header *id)
{
	for (struct request **at = &requests->first; *at != NULL; at = &(*at)->next)
		if (ami_header_is(id, (*at)->id))
			return at;
	return NULL;
}

static bool value_is(const struct ami_header *header, const char *value)
{
	return header != NULL && header->value_len == strlen(value) &&
	       strncasecmp(header->value, value, header->value_len) == 0;
}

/* Both must say so: a value that a caller forged into an item can add a header, but cannot change
   the first line. */
static bool ends_list(const struct ami_message *message)
{
	static const char complete[] = "Complete";
	const struct ami_header *name = &message->headers[0];
	size_t len = sizeof(complete) - 1;

	return name->value_len > len &&
	       memcmp(name->value + name->value_len - len, complete, len) == 0 &&
	       value_is(ami_last(message, "EventList"), "Complete");
}

static void finish(struct ami_requests *requests, struct request **at,
		   const struct ami_message *message)
{
	struct request *request = *at;

	*at = request->next;
	if (requests->end == &request->next)
		requests->end = at;
	requests->count--;
	request->fn(message != NULL ? AMI_PART_LAST : AMI_PART_LOST, message, request->context);
	free(request);
}

bool ami_requests_take(struct ami_requests *requests, const struct ami_message *message)
{
	/* The first one: a value further down may hold a forged header. */
	const struct ami_header *id = ami_first(message, "ActionID");
	struct request **at;

	if (id == NULL || message->kind == AMI_TORN)
		return false;
	at = find(requests, id);
	if (at == NULL || (message->kind == AMI_EVENT && !(*at)->is_list))
		return false;
	if (message->kind == AMI_RESPONSE && value_is(ami_first(message, "EventList"), "start") &&
	    !(*at)->is_list) {
		(*at)->is_list = true;
		(*at)->fn(AMI_PART_FIRST, message, (*at)->context);
	} else if (message->kind == AMI_EVENT && !ends_list(message)) {
		(*at)->fn(AMI_PART_ITEM, message, (*at)->context);
	} else {
		finish(requests, at, message);
	}
	return true;
}

void ami_requests_lose(struct ami_requests *requests)
{
	while (requests->first != NULL)
		finish(requests, &requests->first, NULL);
}

size_t ami_requests_count(const struct ami_requests *requests)
{
	return requests->count;
}

int64_t ami_requests_oldest_ms(const struct ami_requests *requests)
{
	return requests->first != NULL ? requests->first->sent_ms : INT64_MAX;
}
