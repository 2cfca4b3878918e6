/* The words of a text as they are searched: in small letters, each once. */
#ifndef CRM_DATA_SVC_WORDS_H
#define CRM_DATA_SVC_WORDS_H

#include <cjson/cJSON.h>

#define WORDS_MAX 300 /* of one record */

/* Adds what is not in list yet, up to WORDS_MAX. A word is a run of letters and digits. */
void words_add(cJSON *list, const char *text);

#endif
