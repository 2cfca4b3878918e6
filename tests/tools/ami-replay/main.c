#include "capture.h"
#include "options.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char *argv[])
{
	struct play_options play;
	struct capture_options capture;

	if (argc >= 2 && strcmp(argv[1], "play") == 0)
		return play_options_parse(argc - 1, argv + 1, &play) < 0 ? 2 : server_play(&play);
	if (argc >= 2 && strcmp(argv[1], "capture") == 0)
		return capture_options_parse(argc - 1, argv + 1, &capture) < 0
			       ? 2
			       : capture_run(&capture);
	options_usage();
	return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
}
