/* Actions that wait for their answers on one connection, matched by ActionID. */
#ifndef AMI_REQUESTS_H
#define AMI_REQUESTS_H

#include "ami_parser.h"

#include <stddef.h>
#include <stdint.h>

enum ami_part {
	AMI_PART_FIRST, /* the response; items of a list follow */
	AMI_PART_ITEM,
	AMI_PART_LAST, /* the only response, or the event that ends the list */
	AMI_PART_LOST, /* no answer will come; message is NULL */
};

/* Called until AMI_PART_LAST or AMI_PART_LOST, once with one of the two. message is borrowed. */
typedef void ami_answer_fn(enum ami_part part, const struct ami_message *message, void *context);

struct ami_requests;

struct ami_requests *ami_requests_new(void);
/* Does not call anybody: see ami_requests_lose(). */
void ami_requests_free(struct ami_requests **requests);
/* id is copied; at most AMI_ID_MAX long. */
void ami_requests_add(struct ami_requests *requests, const char *id, ami_answer_fn *fn,
		      void *context);
/* Returns whether the message answers one of them; then it was handed over. */
bool ami_requests_take(struct ami_requests *requests, const struct ami_message *message);
/* The connection is gone: everybody gets AMI_PART_LOST. */
void ami_requests_lose(struct ami_requests *requests);
size_t ami_requests_count(const struct ami_requests *requests);
/* When the oldest was sent, by the monotonic clock; INT64_MAX when there is none. */
int64_t ami_requests_oldest_ms(const struct ami_requests *requests);

#endif
