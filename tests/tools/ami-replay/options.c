#include "options.h"

#include "clock.h"
#include "mem.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_LISTEN = 256,
	OPT_SPEED,
	OPT_FAST,
	OPT_STAMPS,
	OPT_BASE,
	OPT_SETTLE,
	OPT_CUT,
	OPT_SEED,
	OPT_LOOP,
	OPT_SECRET,
	OPT_SYSTEM,
	OPT_STAY,
	OPT_UNCUT,
	OPT_WAIT,
	OPT_HOST,
	OPT_PORT,
	OPT_USERNAME,
	OPT_SECONDS,
};

static const struct option play_table[] = {
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"speed", required_argument, NULL, OPT_SPEED},
	{"fast", no_argument, NULL, OPT_FAST},
	{"timestamps", no_argument, NULL, OPT_STAMPS},
	{"base-ms", required_argument, NULL, OPT_BASE},
	{"settle-ms", required_argument, NULL, OPT_SETTLE},
	{"cut-every", required_argument, NULL, OPT_CUT},
	{"seed", required_argument, NULL, OPT_SEED},
	{"loop", required_argument, NULL, OPT_LOOP},
	{"secret-file", required_argument, NULL, OPT_SECRET},
	{"systemname", required_argument, NULL, OPT_SYSTEM},
	{"stay", no_argument, NULL, OPT_STAY},
	{"uncut", no_argument, NULL, OPT_UNCUT},
	{"wait", no_argument, NULL, OPT_WAIT},
	{NULL, 0, NULL, 0},
};

static const struct option capture_table[] = {
	{"host", required_argument, NULL, OPT_HOST},
	{"port", required_argument, NULL, OPT_PORT},
	{"username", required_argument, NULL, OPT_USERNAME},
	{"secret-file", required_argument, NULL, OPT_SECRET},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{NULL, 0, NULL, 0},
};

void options_usage(void)
{
	puts("ami-replay play --listen ADDRESS:PORT [options] FILE.ami...\n"
	     "  Plays recorded AMI sessions to the client that logs in with events on.\n"
	     "  --speed N         N times as fast as recorded (default 1)\n"
	     "  --fast            as fast as the client takes it\n"
	     "  --timestamps      adds Timestamp headers, as timestampevents=yes does\n"
	     "  --base-ms MS      Unix time of the first recorded byte (default: now)\n"
	     "  --settle-ms MS    begins when the client has asked nothing for so long (200)\n"
	     "  --cut-every N     writes of random length, N bytes on average, --seed N\n"
	     "  --loop N          plays everything N times\n"
	     "  --secret-file F   the secret that clients must know (default: any will do)\n"
	     "  --systemname S    what CoreSettings answers (default: none)\n"
	     "  --uncut           never cuts: later connections are played on the first one\n"
	     "  --stay            does not exit when everything was played\n"
	     "\n"
	     "ami-replay capture --host H [--port 5038] --username U --secret-file F\n"
	     "                   [--seconds N] OUT\n"
	     "  Logs in and writes OUT.ami, OUT.tx and OUT.idx until it is interrupted.");
}

/* A whole number in bounds, or -1 after one line on stderr. */
static int64_t number(const char *name, const char *text, int64_t min, int64_t max)
{
	char *end;
	int64_t value = strtoll(text, &end, 10);

	if (end == text || *end != '\0' || value < min || value > max) {
		fprintf(stderr, "ami-replay: --%s: %s is not within %" PRId64 " to %" PRId64 "\n",
			name, text, min, max);
		return -1;
	}
	return value;
}

static int take_listen(struct play_options *options, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (colon == NULL || (size_t)(colon - text) >= sizeof(options->host)) {
		fprintf(stderr, "ami-replay: --listen: %s is not ADDRESS:PORT\n", text);
		return -1;
	}
	snprintf(options->host, sizeof(options->host), "%.*s", (int)(colon - text), text);
	options->port = (int)number("listen", colon + 1, 0, 65535);
	return options->port < 0 ? -1 : 0;
}

static int take_speed(struct play_options *options, const char *text)
{
	char *end;

	options->speed = strtod(text, &end);
	if (*end == '\0' && options->speed > 0)
		return 0;
	fprintf(stderr, "ami-replay: --speed: %s is not a number above 0\n", text);
	return -1;
}

static int take_play_option(struct play_options *options, int option)
{
	int64_t value = 0;

	switch (option) {
	case OPT_LISTEN:
		return take_listen(options, optarg);
	case OPT_SPEED:
		return take_speed(options, optarg);
	case OPT_FAST:
		options->speed = 0;
		break;
	case OPT_STAMPS:
		options->stamps = true;
		break;
	case OPT_BASE:
		value = options->base_ms = number("base-ms", optarg, 0, INT64_MAX);
		break;
	case OPT_SETTLE:
		value = options->settle_ms = number("settle-ms", optarg, 1, 60000);
		break;
	case OPT_CUT:
		value = number("cut-every", optarg, 1, 1 << 30);
		options->cut_every = (size_t)value;
		break;
	case OPT_SEED:
		value = number("seed", optarg, 0, INT32_MAX);
		options->seed = (unsigned)value;
		break;
	case OPT_LOOP:
		value = number("loop", optarg, 1, 1000000);
		options->loops = (size_t)value;
		break;
	case OPT_SECRET:
		options->secret = optarg;
		break;
	case OPT_SYSTEM:
		options->systemname = optarg;
		break;
	case OPT_STAY:
		options->stay = true;
		break;
	case OPT_UNCUT:
		options->uncut = true;
		break;
	case OPT_WAIT: /* it always waits for a client */
		break;
	default:
		return -1;
	}
	return value < 0 ? -1 : 0;
}

int play_options_parse(int argc, char *argv[], struct play_options *options_r)
{
	int option;

	*options_r = (struct play_options){.speed = 1,
					   .base_ms = clock_wall_ms(),
					   .settle_ms = 200,
					   .loops = 1,
					   .systemname = "",
					   .port = -1};
	while ((option = getopt_long(argc, argv, "", play_table, NULL)) != -1)
		if (take_play_option(options_r, option) < 0)
			return -1;
	options_r->files = argv + optind;
	options_r->file_count = (size_t)(argc - optind);
	if (options_r->port < 0 || options_r->file_count == 0) {
		fputs("ami-replay: play needs --listen and a file\n", stderr);
		return -1;
	}
	return 0;
}

static int take_capture_option(struct capture_options *options, int option)
{
	switch (option) {
	case OPT_HOST:
		options->host = optarg;
		return 0;
	case OPT_PORT:
		options->port = optarg;
		return 0;
	case OPT_USERNAME:
		options->username = optarg;
		return 0;
	case OPT_SECRET:
		options->secret_file = optarg;
		return 0;
	case OPT_SECONDS:
		options->seconds = number("seconds", optarg, 1, 1000000);
		return options->seconds < 0 ? -1 : 0;
	default:
		return -1;
	}
}

int capture_options_parse(int argc, char *argv[], struct capture_options *options_r)
{
	int option;

	*options_r = (struct capture_options){.port = "5038"};
	while ((option = getopt_long(argc, argv, "", capture_table, NULL)) != -1)
		if (take_capture_option(options_r, option) < 0)
			return -1;
	if (optind + 1 == argc)
		options_r->out = argv[optind];
	if (options_r->host == NULL || options_r->username == NULL ||
	    options_r->secret_file == NULL || options_r->out == NULL) {
		fputs("ami-replay: capture needs --host, --username, --secret-file and a name\n",
		      stderr);
		return -1;
	}
	return 0;
}

char *options_read_secret(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024] = "";

	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		fprintf(stderr, "ami-replay: cannot read a secret from %s\n", path);
	if (file != NULL)
		fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return line[0] != '\0' ? mem_strdup(line) : NULL;
}
