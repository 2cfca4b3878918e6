/* An AMI server for any number of clients. The first that logs in with events on is played to. */
#ifndef SERVER_H
#define SERVER_H

#include "options.h"

/* Returns the exit status. */
int server_play(const struct play_options *options);

#endif
