/* Plays sessions to one client after another: it keeps the recorded moments, or goes as fast as the
   client takes it, and says when the connection is to be cut. */
#ifndef PLAYER_H
#define PLAYER_H

#include "options.h"
#include "transcript.h"

#include <uv.h>

struct player;

struct player_hooks {
	/* A message has ended: what waits to be said may be said now. */
	void (*on_pause)(void *context);
	/* The session is played: cut the connection. */
	void (*on_session_end)(bool all_played, void *context);
	void *context;
};

struct player *player_new(uv_loop_t *loop, const struct transcript *transcript,
			  const struct play_options *options, const struct player_hooks *hooks);
void player_free(struct player **player);
/* The session that plays or comes next. */
const struct session *player_session(const struct player *player);
bool player_is_playing(const struct player *player);
/* In the middle of a message nothing else may be written to the client. */
bool player_may_talk(const struct player *player);
void player_start(struct player *player, uv_stream_t *client);
/* The client is gone: what was not played of its session is lost, as it would be. */
void player_client_gone(struct player *player);

#endif
