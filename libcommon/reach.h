/* Which extensions somebody sees: the own one, and with the permission for it those of the teams of
   its session, or everyone's. Who belongs to a team (team:<id>:extensions) is kept in memory, each
   team as of one value of team:version; auth.h reads that beside the session and loads what has
   changed before a request goes on. */
#ifndef COMMON_REACH_H
#define COMMON_REACH_H

#include "buffer.h"
#include "json.h"
#include "principal.h"
#include "redis_link.h"

struct reach;

#define REACH_VERSION_MAX 31

/* link is borrowed. Nothing may be under way when it is freed. */
struct reach *reach_new(struct redis_link *link);
void reach_free(struct reach **reach);

typedef void reach_done_fn(bool ok, void *context);

/* Loads the teams (as in struct principal) that are not known as of this version. done is called
   exactly once, maybe before this returns; not ok: Redis is away. */
void reach_load(struct reach *reach, const char *teams, const char *version, reach_done_fn *done,
		void *context);

/* Everyone's: no team matters. */
bool reach_is_all(const struct principal *who, enum permission permission);
/* A team that was never loaded has nobody, as has one of a principal without reach. */
bool reach_sees(const struct principal *who, enum permission permission, const char *extension);
/* One of a JSON array of extensions, as it stands in Redis. */
bool reach_sees_one_of(const struct principal *who, enum permission permission,
		       const char *extensions);
/* Of a JSON array of objects, those whose "extension" is seen, as an array. */
void reach_write_those(const struct principal *who, enum permission permission, const char *list,
		       struct json_writer *writer);
/* Of teams (ids parted by blanks): whether one has the extension; all that they have. reach may be
   NULL. */
bool reach_has(const struct reach *reach, const char *teams, const char *extension);
void reach_each(const struct reach *reach, const char *teams,
		void (*fn)(const char *extension, void *context), void *context);
/* Appends all that is seen, the own one first, parted by commas; not when it is everyone's. */
void reach_write(const struct principal *who, enum permission permission, struct buffer *out);

#endif
