#include "daemon_internal.h"

#include "clock.h"
#include "ids.h"
#include "log.h"
#include "loop.h"
#include "notify.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_MS      5000
#define DRAIN_STEP_MS 20

struct skeleton {
	struct daemon daemon; /* first: daemon_drained() finds the rest */
	const struct daemon_definition *definition;
	struct daemon_settings settings;
	uv_loop_t loop;
	uv_signal_t signals[4];
	void *service;
	struct notify *notify;
	struct timer *drain_timer;
	int64_t drain_until_ms;
	bool draining, drained;
	enum log_level log_level;
};

static void make_instance(char *out, size_t size)
{
	char host[48] = "localhost";
	char random[ID_RANDOM_LEN + 1];

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	id_random(random);
	snprintf(out, size, "%s:%d:%.8s", host, (int)getpid(), random);
}

void daemon_drained(struct daemon *daemon)
{
	((struct skeleton *)daemon)->drained = true;
}

static void on_drain_step(void *context)
{
	struct skeleton *skeleton = context;
	bool done = skeleton->drained && http_server_idle(skeleton->daemon.http);

	if (!done && clock_mono_ms() < skeleton->drain_until_ms)
		return;
	if (!done)
		log_warn("left with work in hand: the drain took too long");
	timer_stop(&skeleton->drain_timer);
	uv_stop(&skeleton->loop);
}

static void start_drain(struct skeleton *skeleton)
{
	const struct daemon_definition *definition = skeleton->definition;

	log_info("draining");
	notify_stopping(skeleton->notify);
	skeleton->draining = true;
	skeleton->drain_until_ms = clock_mono_ms() + DRAIN_MS - 500;
	http_server_drain(skeleton->daemon.http);
	if (definition->drain != NULL)
		definition->drain(skeleton->service);
	else
		skeleton->drained = true;
	skeleton->drain_timer =
		timer_start(&skeleton->loop, 0, DRAIN_STEP_MS, on_drain_step, skeleton);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct skeleton *skeleton = handle->data;

	switch (number) {
	case SIGUSR1:
		log_set_level(LOG_DEBUG);
		log_info("log level is debug");
		return;
	case SIGHUP:
		log_set_level(skeleton->log_level);
		log_info("log level is as set", log_str("level", skeleton->settings.log_level));
		return;
	default:
		if (!skeleton->draining) {
			start_drain(skeleton);
			return;
		}
		log_warn("a second signal: left at once");
		_exit(1);
	}
}

static void open_signals(struct skeleton *skeleton)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uv_signal_init(&skeleton->loop, &skeleton->signals[i]);
		skeleton->signals[i].data = skeleton;
		uv_signal_start(&skeleton->signals[i], on_signal, numbers[i]);
	}
}

static int open_daemon(struct skeleton *skeleton, const char **error_r)
{
	struct daemon *daemon = &skeleton->daemon;
	struct http_server_settings set = {.http = &skeleton->settings.http,
					   .service = skeleton->definition->name};

	daemon->name = skeleton->definition->name;
	daemon->loop = &skeleton->loop;
	make_instance(daemon->instance, sizeof(daemon->instance));
	uv_loop_init(&skeleton->loop);
	open_signals(skeleton);
	daemon->health = health_new();
	daemon->metrics = metrics_new();
	daemon->http = http_server_open(&skeleton->loop, &set, daemon->metrics, error_r);
	if (daemon->http == NULL)
		return -1;
	http_server_add_routes(daemon->http, daemon_routes, daemon);
	return skeleton->definition->open(daemon, &skeleton->service, error_r);
}

static void close_daemon(struct skeleton *skeleton)
{
	struct daemon *daemon = &skeleton->daemon;

	if (skeleton->service != NULL)
		skeleton->definition->close(skeleton->service);
	http_server_close(&daemon->http);
	timer_stop(&skeleton->drain_timer);
	notify_close(&skeleton->notify);
	for (size_t i = 0; i < sizeof(skeleton->signals) / sizeof(skeleton->signals[0]); i++)
		uv_close((uv_handle_t *)&skeleton->signals[i], NULL);
	uv_run(&skeleton->loop, UV_RUN_DEFAULT); /* close callbacks, offloaded work */
	if (uv_loop_close(&skeleton->loop) != 0)
		log_warn("a handle was still open at the end");
	metrics_free(&daemon->metrics);
	health_free(&daemon->health);
}

static int run(struct skeleton *skeleton, bool only_routes)
{
	const char *error = NULL;
	int status = 1;

	if (open_daemon(skeleton, &error) < 0) {
		log_error("cannot start", log_str("reason", error));
	} else if (only_routes) {
		struct buffer text = {0};

		http_server_routes(skeleton->daemon.http, &text);
		fputs(buffer_str(&text), stdout);
		buffer_free(&text);
		status = 0;
	} else {
		log_info("started", log_str("version", MAYDAY_VERSION),
			 log_str("http", skeleton->settings.http.listen),
			 log_str("instance", skeleton->daemon.instance));
		skeleton->notify = notify_open(&skeleton->loop);
		uv_run(&skeleton->loop, UV_RUN_DEFAULT);
		log_info("stopped");
		status = 0;
	}
	close_daemon(skeleton);
	return status;
}

/* Returns 0, or -1 after printing every fault. */
static int load_settings(struct skeleton *skeleton, const struct settings_group *groups)
{
	const struct daemon_definition *definition = skeleton->definition;
	struct buffer faults = {0};
	int result = settings_load(groups, &faults);

	if (result == 0 && definition->check != NULL)
		definition->check(&faults);
	if (faults.len > 0) {
		fprintf(stderr, "%s: these settings are wrong (see %s --help):\n%s",
			definition->name, definition->name, buffer_str(&faults));
		result = -1;
	}
	buffer_free(&faults);
	return result;
}

static void start_log(struct skeleton *skeleton)
{
	bool json = strcmp(skeleton->settings.log_format, "json") == 0;

	(void)log_level_parse(skeleton->settings.log_level, &skeleton->log_level);
	log_open(skeleton->definition->name, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT,
		 skeleton->log_level);
}

int daemon_main(const struct daemon_definition *definition, int argc, char *argv[])
{
	static struct skeleton skeleton; /* groups point into it */
	const struct settings_group *groups;
	enum daemon_option option;
	int status = 0;

	skeleton.definition = definition;
	groups = daemon_groups(definition, &skeleton.settings);
	option = daemon_option_parse(definition, groups, argc, argv);
	if (option == DAEMON_DONE || option == DAEMON_USAGE)
		return option == DAEMON_DONE ? 0 : 2;
	if (sodium_init() < 0)
		return 1; /* no source of randomness: nothing can be safe */
	if (load_settings(&skeleton, groups) < 0) {
		settings_free(groups);
		return 2;
	}
	start_log(&skeleton);
	if (option == DAEMON_ROUTES)
		settings_any_port(groups);
	if (option == DAEMON_CHECK)
		printf("%s: the settings are good\n", definition->name);
	else if (option == DAEMON_HEALTHY)
		status = daemon_healthy(definition->name, skeleton.settings.http.listen);
	else if (option == DAEMON_COMMAND)
		status = definition->command.run(argv[2]);
	else
		status = run(&skeleton, option == DAEMON_ROUTES);
	settings_free(groups);
	return status;
}
