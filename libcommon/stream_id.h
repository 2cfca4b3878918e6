/* Ids of stream entries: "ms-seq", two numbers of 64 bits. */
#ifndef COMMON_STREAM_ID_H
#define COMMON_STREAM_ID_H

#include <stddef.h>
#include <stdint.h>

#define STREAM_ID_MAX 42 /* characters, with the NUL */

struct stream_id {
	uint64_t ms, seq;
};

/* "ms" alone means "ms-0", as in Redis; anything that is no id gives 0-0. */
struct stream_id stream_id_parse(const char *text);
/* Returns the length. */
size_t stream_id_format(struct stream_id id, char out[STREAM_ID_MAX]);
/* <0, 0, >0 */
int stream_id_order(struct stream_id a, struct stream_id b);
/* The id that an entry of this time gets after last: never smaller than or equal to last, whatever
   the clock did. */
struct stream_id stream_id_after(struct stream_id last, int64_t wall_ms);

#endif
