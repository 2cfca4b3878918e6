/* AMI messages as JSON text, written straight from the parsed headers: this is the hot path, so
   nothing is allocated and no tree is built (under 1 us for a usual event). */
#ifndef AMI_JSON_H
#define AMI_JSON_H

#include "ami_parser.h"
#include "buffer.h"

/* {"t": at_ms, "n": number, every header}. A repeated header is one member with an array, in its
   first place; only of Event the first value alone is taken. Bytes that are not UTF-8 become
   U+FFFD. A header named "t" or "n" is written in capitals: AMI does not tell them apart, and ours
   must be the only ones. */
bool ami_json_event(const struct ami_message *message, int64_t at_ms, uint64_t number,
		    struct buffer *out);
/* {every header but those named in skip}; skip is ended by NULL. */
void ami_json_headers(const struct ami_message *message, const char *const *skip,
		      struct buffer *out);

#endif
