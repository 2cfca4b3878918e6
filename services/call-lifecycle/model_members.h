/* The plain members of the model's structures, as tables: what is kept of them, and under which
 * key. */
#ifndef LIFECYCLE_MODEL_MEMBERS_H
#define LIFECYCLE_MODEL_MEMBERS_H

#include "json.h"

#include <stddef.h>

struct member;

extern const struct member *const agent_members;
extern const struct member *const channel_members;
extern const struct member *const segment_members;
extern const struct member *const party_members;
extern const struct member *const call_members;
extern const struct member *const transfer_members;
extern const struct member *const recording_members;
extern const struct member *const model_members;
extern const struct member *const torn_members;

/* As members of the object that is being written; what is 0 or empty is left out. */
void members_save(struct json_writer *writer, const struct member *members, const void *from);
/* What the object does not have stays as it is. */
void members_load(const cJSON *object, const struct member *members, void *to);

#endif
