/* export_command.h - the command line of an export, for its card. It must not know what is exported. */
#ifndef CORD_CMD_EXPORT_COMMAND_H
#define CORD_CMD_EXPORT_COMMAND_H

#include "cmd/dataset.h"

/* What was asked for, as it would be typed into a shell. Options are told as they were given; runs and files by their last
 * parts, since nobody else has our folders. NULL where there is no memory. */
const char *export_command(const struct call *call, const struct runs *runs, struct arena *arena);

#endif
