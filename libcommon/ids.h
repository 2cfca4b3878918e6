/* Identifiers. Random ones come from libsodium. */
#ifndef COMMON_IDS_H
#define COMMON_IDS_H

#include <stdbool.h>
#include <stddef.h>

#define ID_RANDOM_LEN 22 /* 128 bits in base64url */
#define ID_CALL_LEN   22 /* Unix ms, a dash, 8 hex digits */

/* 128 random bits: session ids, tickets, request ids. out holds ID_RANDOM_LEN + 1. */
void id_random(char *out);
/* Sortable by time, short enough to read aloud, unique without talking to anyone. It becomes
   Asterisk's Uniqueid and Linkedid. out holds ID_CALL_LEN + 1. */
void id_call(char *out);
/* Only [A-Za-z0-9._:-] and 1..max long: what may stand in a key, a path or an AMI value. */
bool id_is_safe(const char *id, size_t max);
/* A dialled or calling number: [0-9*#+] and 1..32 long. */
bool id_is_number(const char *number);

#endif
