#include "player.h"

#include "clock.h"
#include "loop.h"
#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FAST_WRITE (1024 * 1024)

struct player {
	const struct transcript *transcript;
	const struct play_options *options;
	struct player_hooks hooks;
	struct timer *timer;
	uv_stream_t *client; /* NULL: none plays */
	uv_write_t write;
	bool writing;
	size_t session, loop; /* that play, or come next */
	size_t piece, sent;   /* next piece; bytes of the session that were written */
	size_t target;        /* bytes that the write under way takes it to */
	int64_t started_ms;
	unsigned random;
};

static void play_on(struct player *player);

static void on_timer(void *context)
{
	play_on(context);
}

struct player *player_new(uv_loop_t *loop, const struct transcript *transcript,
			  const struct play_options *options, const struct player_hooks *hooks)
{
	struct player *player = mem_new(struct player);

	player->transcript = transcript;
	player->options = options;
	player->hooks = *hooks;
	player->random = options->seed;
	player->write.data = player;
	player->timer = timer_start(loop, INT32_MAX, 0, on_timer, player);
	return player;
}

void player_free(struct player **player)
{
	struct player *gone = *player;

	*player = NULL;
	if (gone == NULL)
		return;
	timer_stop(&gone->timer);
	free(gone);
}

const struct session *player_session(const struct player *player)
{
	return &player->transcript->sessions[player->session];
}

bool player_is_playing(const struct player *player)
{
	return player->client != NULL;
}

bool player_may_talk(const struct player *player)
{
	const struct session *session = player_session(player);

	if (player->client == NULL)
		return true;
	if (player->writing || player->sent == 0)
		return !player->writing;
	return player->piece > 0 && session->pieces[player->piece - 1].whole &&
	       player->sent == session->pieces[player->piece - 1].end;
}

static void rewind_session(struct player *player)
{
	player->started_ms = clock_mono_ms();
	player->piece = 0;
	player->sent = 0;
}

/* The connection is cut between two sessions and at the very end, not between two rounds. */
static void end_session(struct player *player)
{
	uv_stream_t *client = player->client;
	bool last = player->session + 1 == player->transcript->count;

	player->client = NULL;
	player->session = last ? 0 : player->session + 1;
	player->loop += last;
	rewind_session(player);
	if (last && player->loop < player->options->loops && uv_is_writable(client)) {
		player->client = client;
		play_on(player);
		return;
	}
	player->hooks.on_session_end(last && player->loop >= player->options->loops,
				     player->hooks.context);
}

static void on_written(uv_write_t *write, int status)
{
	struct player *player = write->data;
	const struct session *session = player_session(player);

	player->writing = false;
	if (status != 0 || player->client == NULL)
		return;
	player->sent = player->target;
	while (player->piece < session->count && session->pieces[player->piece].end <= player->sent)
		player->piece++;
	if (player_may_talk(player))
		player->hooks.on_pause(player->hooks.context);
	play_on(player);
}

static int64_t due_ms(const struct player *player, size_t piece)
{
	const struct session *session = player_session(player);
	int64_t since = session->pieces[piece].at_ms - session->pieces[0].at_ms;

	if (player->options->speed <= 0)
		return 0;
	return player->started_ms + (int64_t)((double)since / player->options->speed);
}

/* How far the next write may go: all pieces that are due, big writes when there is no timing, and
   never past a moment when something else may be said unless that was long ago. */
static size_t reach(struct player *player, int64_t now)
{
	const struct session *session = player_session(player);
	size_t end = session->pieces[player->piece].end;

	if (player->options->cut_every > 0) {
		size_t step =
			1 + (size_t)rand_r(&player->random) % (2 * player->options->cut_every - 1);

		return player->sent + step < end ? player->sent + step : end;
	}
	for (size_t i = player->piece + 1;
	     i < session->count && due_ms(player, i) <= now &&
	     (session->pieces[i].end - player->sent <= FAST_WRITE || !session->pieces[i - 1].whole);
	     i++)
		end = session->pieces[i].end;
	return end;
}

static void play_on(struct player *player)
{
	const struct session *session = player_session(player);
	int64_t now = clock_mono_ms();
	uv_buf_t bytes;

	if (player->client == NULL || player->writing)
		return;
	if (player->piece == session->count) {
		end_session(player);
		return;
	}
	if (due_ms(player, player->piece) > now) {
		timer_again(player->timer, due_ms(player, player->piece) - now);
		return;
	}
	player->target = reach(player, now);
	bytes = uv_buf_init(session->bytes.data + player->sent,
			    (unsigned)(player->target - player->sent));
	player->writing = uv_write(&player->write, player->client, &bytes, 1, on_written) == 0;
}

void player_start(struct player *player, uv_stream_t *client)
{
	player->client = client;
	rewind_session(player);
	play_on(player);
}

void player_client_gone(struct player *player)
{
	if (player->client != NULL)
		end_session(player);
}
