/* process.h - a program that is kept running and asked a line at a time: starting it, one exchange, ending it and all it
 * has started. It must not know what the lines say. */
#ifndef CORD_GRADE_PROCESS_H
#define CORD_GRADE_PROCESS_H

#include "base/base.h"

#include <sys/types.h>

/* The leader of a process group of its own, so that what it starts ends with it, and so that a Ctrl-C meant for us does
 * not reach it. Its standard error is ours. */
struct process {
    pid_t pid;   /* 0: none */
    int in, out; /* our ends of its standard input and output; neither blocks, and neither is left to other programs */
};

/* Starts /bin/sh -c COMMAND. A shell starts whatever it is told; process_find tells what it will not find. */
cord_status process_start(struct process *process, const char *command, cord_error *err);
/* CORD_BAD_RECIPE where the first word of a shell's command is plainly a program, and there is none. */
cord_status process_find(const char *command, cord_error *err);

enum exchange {
    EXCHANGE_LINE,    /* the line is in `line`, without its newline */
    EXCHANGE_LATE,    /* there was no line by the deadline */
    EXCHANGE_ENDED,   /* the program ended without one */
    EXCHANGE_CLOSED,  /* it closed its output and went on */
    EXCHANGE_LONG,    /* it wrote more than `line` may hold */
    EXCHANGE_EARLY,   /* it wrote a line before it had read the request */
    EXCHANGE_MORE,    /* it wrote more than one line */
    EXCHANGE_STOPPED, /* `stopped` said so */
    EXCHANGE_FAILED,  /* the system failed */
};

/* Sends a request and waits for a line. `deadline` is of clock_us. Anything but a line leaves the program in an unknown
 * state: it is to be killed. */
enum exchange process_exchange(struct process *process, cord_text request, int64_t deadline, bool (*stopped)(void),
                               struct buf *line);

/* Has it ended, or closed its output? */
bool process_is_gone(const struct process *process);
/* Has it written something that was not asked for? */
bool process_has_more(const struct process *process);

/* Kills it with all of its group, and gives its status as waitpid does: its own where it had ended before; -1 where that
 * is not known. */
int process_kill(struct process *process);
/* Closes its input, lets it end within `us` microseconds, and kills what is left. */
void process_end(struct process *process, int64_t us);

#endif
