/* traces.h - reads problems that come with finished traces: LIMO, s1K, whatever else has them, in any kind of file that
 * source.h knows. Rows of the same problem are brought together; a row may hold several traces. It must not know who scores
 * them, or what a step is.
 *
 * What is wrong with a row costs that row alone, and is told with its line or row and its field. */
#ifndef CORD_TRACES_H
#define CORD_TRACES_H

#include "data/problem.h"

enum { TRACE_FIELDS = 16, TRACE_SOURCES = 256 }; /* most fields that may be named; most sources of a set */

struct trace_options {
    struct problem_options problems; /* skip and limit count problems */
    /* Fields with traces, and with what each says behind its thinking, in pairs; n_fields 0: recognised (row_traces.c
     * lists them). An attempt may be NULL. */
    const char *const *fields, *const *attempts;
    int n_fields, n_attempts;
    const char *source_field; /* who wrote a row's traces; NULL: recognised traces are named after their field */
};

struct trace {
    int source; /* index into the set's sources */
    int sample; /* of that source, for this problem, from 0 */
    cord_text reasoning;
    cord_text reply; /* behind the thinking; empty where the trace has no such part */
    int64_t line;
};

struct trace_list {
    struct trace *traces;
    int n;
};

/* The problems, in the order of their first rows; a row that cannot be used is one that is bad. Each one's row is the first
 * row's fields without its traces, and a hash of all its traces, so that a changed trace is seen. Problems and traces lie in
 * spools, so that memory does not grow with them. */
struct trace_set {
    struct problem_set problems;
    const char **sources; /* n_sources, in the arena */
    int n_sources, n_traces;
    int skipped;                /* problems of the file before the first of `problems` */
    size_t longest;             /* bytes: of a trace */
    struct spool heads, traces; /* what traces.c knows of each problem; and of each trace, with its texts */
    int numbers[TRACE_SOURCES]; /* of the sources as they were found, in `sources` */
    struct arena arena;
};

/* Fails as problem_set_read does. Lives until trace_set_release. */
cord_status trace_set_read(struct trace_set *set, const struct trace_options *options, cord_error *err);
void trace_set_release(struct trace_set *set);

/* The traces of the problem with that index, in the order of their rows; none of a bad one. In `arena`. Several threads may
 * ask at once. */
cord_status trace_set_get(const struct trace_set *set, int problem, struct arena *arena, struct trace_list *list,
                          cord_error *err);

/* Gives the sources the numbers that they have in `known`; those that are not there get the next ones. */
cord_status trace_set_renumber(struct trace_set *set, const char *const *known, int n, cord_error *err);

#endif
