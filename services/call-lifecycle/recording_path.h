/* Where the file of a recording is, under the folder of recordings: "2024-06-10/<id>.wav". The id
   begins with the time at which it was made. */
#ifndef LIFECYCLE_RECORDING_PATH_H
#define LIFECYCLE_RECORDING_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define RECORDING_ID_MAX   39
#define RECORDING_PATH_MAX 64

/* What id_call() makes, and for a further part of it ".2", ".3" behind. */
bool recording_id_is_valid(const char *id);
/* out holds RECORDING_PATH_MAX; "" for an id that is none. */
void recording_path(const char *id, char *out);
/* The id of the part after this one. out holds RECORDING_ID_MAX + 1. */
void recording_next_part(const char *id, char *out);

#endif
