/* main.c - the way from the command line to a verb and back: finds the verb, parses its options, runs it, and sees that
 * what was printed has arrived. It must not know what verbs do. */

#include "cmd/parse.h"
#include "cord_commit.h"
#include "model/backend.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static int print_version(void) {
    printf("cord %s (%s)%s\n", cord_version(), CORD_COMMIT,
           backend_local_refusal ? ", without llama.cpp (CORD_LOCAL=OFF)" : "");
    return EXIT_ALL_DONE;
}

static int unknown_verb(const char *word) {
    const char *names[32];
    size_t n = 0;
    for (; cmd_verbs[n] && n < 32; n++) names[n] = cmd_verbs[n]->name;
    const char *near = text_nearest(word, names, n);
    fprintf(stderr, "cord: unknown %s '%.200s'", word[0] == '-' ? "option" : "verb", word);
    if (text_ends(text_of(word), TEXT(".yaml")))
        fprintf(stderr, "; did you mean 'cord run %s'?\n", word);
    else if (near)
        fprintf(stderr, "; did you mean '%s'?\n", near);
    else
        fprintf(stderr, " (see 'cord help')\n");
    return EXIT_WRONG_USAGE;
}

static int run_verb(const struct verb *verb, int argc, char **argv, struct arena *arena) {
    struct parsed parsed;
    cord_error err = {0};
    struct call call = {.verb = verb, .in = stdin, .out = stdout, .err = stderr};
    cord_status status = options_parse(verb->options, argc, argv, arena, &parsed, &err);
    if (status == CORD_BAD_USAGE) return call_usage(&call, "%s", err.message);
    if (status != CORD_OK) return call_fail(&call, &err);
    if (parsed.help) {
        help_verb(stdout, verb);
        return EXIT_ALL_DONE;
    }
    call.options = parsed.options, call.args = parsed.args, call.n_args = parsed.n_args;
    if (call.n_args < verb->min_args)
        return call_usage(&call, "too few arguments: cord %s %s", verb->name, verb->synopsis);
    if (call.n_args > verb->max_args) return call_usage(&call, "unexpected argument '%s'", call.args[verb->max_args]);
    return verb->run(&call);
}

/* What is still buffered has to arrive, and a full disk has to be told. */
static int finish_output(int status) {
    bool failed = ferror(stdout) != 0;
    errno = 0;
    failed |= fflush(stdout) != 0;
    const char *why = errno ? strerror(errno) : "an earlier write failed";
    if (!failed || reader_left(stdout)) return status;
    fprintf(stderr, "cord: cannot write the output: %s\n", why);
    return status == EXIT_ALL_DONE ? EXIT_NOTHING_DONE : status;
}

/* A problem in flight may have a connection for each of its requests; the soft limit of 1,024 files is for old programs. */
static void allow_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
    allow_files();
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* a line is one write, so that those of two programs at once stay whole */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, not the end of a run that has more to do */
    struct arena arena;
    arena_init(&arena);
    const char *word = argc > 1 ? argv[1] : NULL;
    const struct verb *verb = word ? cmd_find(word) : NULL;
    int status;
    if (!word) {
        help_overview(stderr);
        status = EXIT_WRONG_USAGE;
    } else if (verb)
        status = run_verb(verb, argc - 2, argv + 2, &arena);
    else if (!strcmp(word, "--version"))
        status = print_version();
    else if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        status = run_verb(&verb_help, argc - 2, argv + 2, &arena);
    else
        status = unknown_verb(word);
    status = finish_output(status);
    arena_release(&arena);
    return status;
}
