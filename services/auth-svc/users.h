/* The users in MariaDB. Agents' telephones are in agents.h, teams in teams.h. */
#ifndef AUTH_SVC_USERS_H
#define AUTH_SVC_USERS_H

#include "json.h"
#include "password.h"
#include "principal.h"
#include "sql.h"

struct users;

struct user {
	char id[24];
	char username[65];
	char password_hash[PASSWORD_HASH_SIZE];
	enum role role;
	char extension[33]; /* "" for none */
	char display_name[401];
	char email[255];                  /* "" for none */
	char team_id[24];                 /* "" for none */
	char teams[PRINCIPAL_TEAMS_SIZE]; /* that it may see: as in struct principal */
	bool enabled;
	int64_t created_at_ms;
	int64_t updated_at_ms;
};

enum users_result {
	USERS_OK,
	USERS_NONE, /* no such user; or it has changed meanwhile */
	USERS_USERNAME_TAKEN,
	USERS_EXTENSION_TAKEN,
	USERS_EMAIL_TAKEN,
	USERS_PHONE_EXISTS, /* the PBX has an endpoint of this extension */
	USERS_TEAM_UNKNOWN,
	USERS_UNAVAILABLE,
	USERS_FAILED,
};

/* pool is borrowed and must outlive the answers. */
struct users *users_new(struct sql_pool *pool);
void users_free(struct users **users);

/* list is borrowed for the call; count is 0 unless USERS_OK. */
typedef void users_done_fn(enum users_result result, const struct user *list, size_t count,
			   void *context);

void users_find_by_name(struct users *users, const char *username, users_done_fn *done,
			void *context);
void users_find_by_id(struct users *users, const char *id, users_done_fn *done, void *context);
void users_find_by_extension(struct users *users, const char *extension, users_done_fn *done,
			     void *context);
/* Up to count users in the order of their ids, after the one with this id ("0": from the start). */
void users_list(struct users *users, const char *after_id, size_t count, users_done_fn *done,
		void *context);
/* Those with an extension; manager_id: only of the teams of that manager, NULL for all. */
void users_list_agents(struct users *users, const char *manager_id, const char *after_id,
		       size_t count, users_done_fn *done, void *context);
/* Is there any user? USERS_OK or USERS_NONE, with an empty list. */
void users_any(struct users *users, users_done_fn *done, void *context);

/* Who does it, for the audit; an empty id stands for the daemon. */
struct users_actor {
	const char *id, *username, *address;
};

/* Adds user (its id does not count) and answers with it as it stands. */
void users_add(struct users *users, const struct user *user, const struct users_actor *actor,
	       users_done_fn *done, void *context);
/* The same, but only while there is no user at all: else USERS_NONE. */
void users_add_first(struct users *users, const struct user *user, users_done_fn *done,
		     void *context);
/* Writes all of user, if it is still as it was at user->updated_at_ms, and answers with it as it
   stands; action and detail are for the audit. */
void users_change(struct users *users, const struct user *user, const struct users_actor *actor,
		  const char *action, const char *detail, users_done_fn *done, void *context);
void users_remove(struct users *users, const struct user *user, const struct users_actor *actor,
		  users_done_fn *done, void *context);

/* At the own extension ("" stands for it); who has none and oversees others may take any. */
bool user_may_log_in_at(const struct user *user, const char *extension);
/* In all that can be changed. */
bool user_is_like(const struct user *user, const struct user *wanted);
void user_write(const struct user *user, struct json_writer *json);
/* The members alone, into an object that is begun. */
void user_write_members(const struct user *user, struct json_writer *json);

#endif
