/* What ws_clients is told: its options, its tokens. */
#ifndef LOAD_WS_OPTIONS_H
#define LOAD_WS_OPTIONS_H

#include "mem.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct options {
	const char *address;
	long clients, seconds, events, stalled, spread, reconnect;
	bool socketio;
	const char *field;
};

static struct options options = {.address = "127.0.0.1:8105",
				 .clients = 1,
				 .seconds = 10,
				 .spread = 1,
				 .reconnect = -1,
				 .field = "sentUs"};

static struct {
	char **list;
	size_t count;
} tokens;

static void add_token(const char *token)
{
	tokens.list = mem_grow(tokens.list, (tokens.count + 1) * sizeof(*tokens.list));
	tokens.list[tokens.count++] = mem_strdup(token);
}

static int read_tokens(void)
{
	const char *path = getenv("WS_TOKENS_FILE"), *token = getenv("WS_TOKEN");
	char line[8192];
	FILE *file;

	if (token != NULL)
		add_token(token);
	if (path == NULL)
		return token != NULL ? 0 : -1;
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			add_token(line);
	}
	fclose(file);
	return tokens.count > 0 ? 0 : -1;
}

static int read_options(int argc, char *argv[])
{
	static const struct option known[] = {{"address", required_argument, NULL, 'a'},
					      {"clients", required_argument, NULL, 'c'},
					      {"seconds", required_argument, NULL, 's'},
					      {"events", required_argument, NULL, 'e'},
					      {"field", required_argument, NULL, 'f'},
					      {"stalled", required_argument, NULL, 'w'},
					      {"spread", required_argument, NULL, 'p'},
					      {"reconnect", required_argument, NULL, 'r'},
					      {"socketio", no_argument, NULL, 'i'},
					      {0}};
	long *const numbers[128] = {
		['c'] = &options.clients, ['s'] = &options.seconds, ['e'] = &options.events,
		['w'] = &options.stalled, ['p'] = &options.spread,  ['r'] = &options.reconnect};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'a')
			options.address = optarg;
		else if (option == 'f')
			options.field = optarg;
		else if (option == 'i')
			options.socketio = true;
		else if (option < 128 && numbers[option] != NULL)
			*numbers[option] = strtol(optarg, NULL, 10);
		else
			return -1;
	}
	return optind == argc && options.clients > 0 ? 0 : -1;
}

static int read_address(struct sockaddr_in *address_r)
{
	char host[64];
	const char *colon = strrchr(options.address, ':');

	if (colon == NULL || (size_t)(colon - options.address) >= sizeof(host))
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - options.address), options.address);
	return uv_ip4_addr(host, (int)strtol(colon + 1, NULL, 10), address_r);
}

#endif
