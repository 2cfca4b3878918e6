/* Records an AMI session: exactly what comes, what was sent, and when. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "options.h"

/* Returns the exit status. */
int capture_run(const struct capture_options *options);

#endif
