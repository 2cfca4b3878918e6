/* The files of one recorded connection, read whole. */
#ifndef RECORDING_H
#define RECORDING_H

#include "buffer.h"

#include <stddef.h>
#include <stdint.h>

struct recorded_read {
	int64_t at_ms;
	size_t end;
};

struct recorded_action {
	char name[48], id[96];
};

struct recording {
	struct buffer received;
	struct recorded_read *reads;
	size_t read_count;
	struct recorded_action *actions; /* that the recorded client sent */
	size_t action_count;
};

/* stem is the path without ".ami". Without an .idx everything came at once; without a .tx nothing
   was asked. Returns 0, or -1 when there is no .ami. */
int recording_read(const char *stem, struct recording *recording_r);
void recording_free(struct recording *recording);
/* Name of the action that has this id, or NULL. */
const char *recording_action(const struct recording *recording, const char *id, size_t len);
/* opened_ms of connection number (from 1) in the truth.json of the first one; -1: not known. */
int64_t recording_opened_ms(const char *stem, size_t number);
/* The value of a header in a block of lines, or NULL. */
const char *block_header(const char *block, size_t len, const char *key, size_t *len_r);

#endif
