/* forecast.h - what a run will take, judged by the problems that are done: `cord run --dry-run`. It must not know how they
 * were worked on. */
#ifndef CORD_FORECAST_H
#define CORD_FORECAST_H

#include "store/ledger.h"

#include <stdio.h>

/* What a sample of a run's problems took. */
struct sample {
    int problems, done;  /* of the run; of these done, in earlier sessions too */
    const char *failed;  /* ", 2 failed", with what to do about it; "" where none is */
    int left;            /* neither done nor failed */
    int counted;         /* done in the folder, with those that the run does not want any more */
    int done_now;        /* in this session */
    double seconds;      /* of this session */
    int at_once, wanted; /* problems in flight in this session at most; in the whole run */
    struct journal_totals totals, of_done,
        of_open; /* of all problems; of those that are done, and that are in the middle */
    bool has_servers;
    struct spending spending;
    struct spending checks; /* of these, what this start asked to check its models, before any problem */
    struct budget budget;
    const char *folder;
};

/* Prints the table. */
void forecast_print(const struct sample *sample, FILE *out);

#endif
