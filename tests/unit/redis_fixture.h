/* Redis servers of a test's own, peers that only pretend to be one, and a loop with deadlines.
   Every server has a loopback address that no other test has, and dies with the test. */
#ifndef TESTS_REDIS_FIXTURE_H
#define TESTS_REDIS_FIXTURE_H

#include "redis_settings.h"
#include "unit.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#define PATIENCE_MS 20000

/* ---- the loop ---- */

/* Turns the loop once; returns after 10 ms at the latest. */
void turn(uv_loop_t *loop);
void turn_for(uv_loop_t *loop, int64_t ms);
int64_t now_ms(void);
/* Everything that was closed is released, then nothing is left. */
void finish_loop(uv_loop_t *loop);

#define turn_until(loop, condition)                                                                \
	do {                                                                                       \
		int64_t deadline_ms_ = now_ms() + PATIENCE_MS;                                     \
		while (!(condition)) {                                                             \
			if (now_ms() > deadline_ms_)                                               \
				fail_msg("in vain: %s", #condition);                               \
			turn(loop);                                                                \
		}                                                                                  \
	} while (0)

/* ---- a real server ---- */

struct redis_server {
	char folder[64];
	char host[32];
	int port;
	const char *arguments; /* more of redis-server's */
	pid_t pid;             /* 0: not running */
	struct redis_settings settings;
};

/* An address and a folder; not started. arguments is borrowed. */
void redis_server_prepare(struct redis_server *server, const char *arguments);
/* Returns when it answers. */
void redis_server_start(struct redis_server *server);
/* Starts without waiting. */
void redis_server_launch(struct redis_server *server);
void redis_server_kill(struct redis_server *server); /* SIGKILL */
void redis_server_freeze(struct redis_server *server);
void redis_server_thaw(struct redis_server *server);
/* Asks by a connection of its own and waits. The caller frees the reply. */
redisReply *redis_server_ask(struct redis_server *server, const char *format, ...);
/* The same for commands whose reply is of no interest, but must not be an error. */
void redis_server_do(struct redis_server *server, const char *format, ...);
long long redis_server_number(struct redis_server *server, const char *format, ...);
void redis_server_remove(struct redis_server *server);

/* ---- a peer that says what the test wants ---- */

struct fake_peer {
	uv_tcp_t listener;
	uv_tcp_t *client; /* the last one that came; NULL: none */
	struct redis_settings settings;
	char host[32];
	int accepted;         /* connections so far */
	size_t received;      /* bytes of this connection */
	const char *greeting; /* sent at the first bytes of each connection; NULL: nothing */
	const char *second;   /* sent at the bytes after that */
};

/* To PING, CLIENT SETNAME and ROLE. */
#define FAKE_GREETING "+PONG\r\n+OK\r\n*1\r\n$6\r\nmaster\r\n"

void fake_peer_open(struct fake_peer *peer, uv_loop_t *loop);
void fake_peer_say(struct fake_peer *peer, const char *bytes);
void fake_peer_hang_up(struct fake_peer *peer);
void fake_peer_close(struct fake_peer *peer);

/* ---- the log ---- */

/* stderr goes to a file from here on; show_log() puts it back. Returns what was written,
   owned by the caller. */
void hide_log(void);
char *show_log(void);

#endif
