/* grader.c - how many pairs of answers the grader compares a second, by kind, on one core; bench/bench.py runs it beside
 * bench/grader_sympy.py.
 *
 *   usage: grader rates FILE.tsv...     a line of JSON for each kind: how many pairs, pairs a second (the median of passes
 *                                       over all of them, a second or more in all), how many are undecided, and how many
 *                                       get another verdict than the file has
 *          grader pairs FILE.tsv...     the pairs themselves, for another grader: kind, verdict, gold, answer, by tabs
 *
 * The files are those of tests/answer: gold and answer by tabs, behind a verdict or before it, and perhaps a kind, which is
 * else the file's name. To these come pairs that are made here, of numbers and of what is made of numbers. No thresholds. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KINDS = 200, PASSES = 100000, LEAST_PASSES = 5, MADE = 200 };
static const double least_seconds = 1;

struct pair {
    cord_text gold, answer;
    cord_verdict verdict;
    struct pair *next;
};

struct kind {
    cord_text name;
    struct pair *first, **last;
    int n;
};

struct bench {
    struct arena arena;
    struct kind kinds[KINDS];
    int n;
};

static void must(bool good, const char *what) {
    if (good) return;
    fprintf(stderr, "grader: %s\n", what);
    exit(1);
}

/* ---- pairs --------------------------------------------------------------------------------------------------- */

static struct kind *find_kind(struct bench *b, cord_text name) {
    for (int i = 0; i < b->n; i++)
        if (text_equal(b->kinds[i].name, name)) return &b->kinds[i];
    must(b->n < KINDS, "too many kinds");
    struct kind *kind = &b->kinds[b->n++];
    *kind = (struct kind){.name = arena_text(&b->arena, name), .last = &kind->first};
    return kind;
}

static void add_pair(struct bench *b, cord_text kind_name, cord_verdict verdict, cord_text gold, cord_text answer) {
    struct kind *kind = find_kind(b, kind_name);
    struct pair *pair = arena_alloc(&b->arena, sizeof *pair);
    must(pair, "out of memory");
    *pair = (struct pair){arena_text(&b->arena, gold), arena_text(&b->arena, answer), verdict, NULL};
    *kind->last = pair;
    kind->last = &pair->next;
    kind->n++;
}

static bool read_verdict(cord_text word, cord_verdict *verdict) {
    static const cord_verdict verdicts[] = {CORD_EQUAL, CORD_DIFFERENT, CORD_UNDECIDED};
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (text_equal(word, text_of(cord_verdict_name(verdicts[i])))) {
            *verdict = verdicts[i];
            return true;
        }
    return false;
}

/* A line that is no pair (a comment, another table's) is passed over. */
static void read_line(struct bench *b, cord_text line, cord_text kind) {
    cord_text field[4];
    cord_verdict verdict;
    int n = 0;
    for (ptrdiff_t tab; n < 3 && (tab = text_find(line, TEXT("\t"))) >= 0; n++) {
        field[n] = text_slice(line, 0, (size_t)tab);
        line = text_slice(line, (size_t)tab + 1, line.len);
    }
    field[n++] = line;
    if (n >= 3 && read_verdict(field[0], &verdict))
        add_pair(b, n > 3 ? field[3] : kind, verdict, field[1], field[2]);
    else if (n == 3 && read_verdict(field[2], &verdict))
        add_pair(b, kind, verdict, field[0], field[1]);
}

static void read_file(struct bench *b, const char *path) {
    struct buf content;
    cord_error err = {0};
    buf_init(&content, "pairs", 64 << 20);
    must(file_read(path, "pairs of answers", 64 << 20, &content, &err) == CORD_OK, err.message);
    cord_text rest = buf_text(&content), name = text_of(path);
    ptrdiff_t slash = text_rfind(name, TEXT("/")), dot = text_rfind(name, TEXT("."));
    name = text_slice(name, (size_t)(slash + 1), dot > slash ? (size_t)dot : name.len);
    for (ptrdiff_t end; (end = text_find(rest, TEXT("\n"))) >= 0; rest = text_slice(rest, (size_t)end + 1, rest.len))
        read_line(b, text_slice(rest, 0, (size_t)end), name);
    buf_release(&content);
}

static const char *const made[] = {"made integers",  "made decimals",   "made fractions", "made percentages",
                                   "made surds",     "made tuples",     "made sets",      "made intervals",
                                   "made equations", "made polynomials"};

/* One pair of kind `which` of the list above, equal where `off` is 0, else different by so much. */
static void make_pair(struct bench *b, size_t which, struct rng *rng, int off) {
    int x = 2 + (int)(rng_next(rng) % 998), y = 2 + (int)(rng_next(rng) % 98), z = 2 + (int)(rng_next(rng) % 8),
        w = x + off;
    char *gold = NULL, *answer = NULL;
#define MAKE(...) arena_printf(&b->arena, __VA_ARGS__)
    switch (which) {
    case 0: gold = MAKE("%d%03d", x, y), answer = MAKE("$%d,%03d$", w, y); break;
    case 1: gold = MAKE("%d.%02d", x, y), answer = MAKE("%d.%02d0", w, y); break;
    case 2: gold = MAKE("\\frac{%d}{%d}", x, y), answer = MAKE("%d/%d", w * z, y * z); break;
    case 3: gold = MAKE("%d.%02d", x, y), answer = MAKE("%d%02d\\%%", w, y); break;
    case 4: gold = MAKE("%d\\sqrt{%d}", y, x), answer = MAKE("\\sqrt{%d}", w * y * y); break;
    case 5: gold = MAKE("(%d, %d.5)", x, y), answer = MAKE("\\left(%d,\\frac{%d}{2}\\right)", w, 2 * y + 1); break;
    case 6: gold = MAKE("\\{%d, -%d, \\frac{1}{%d}\\}", x, y, z), answer = MAKE("-%d, 1/%d, %d", y, z, w); break;
    case 7: gold = MAKE("(-%d, %d]", y, x), answer = MAKE("\\left(-%d.0,\\frac{%d}{2}\\right]", y, 2 * w); break;
    case 8: gold = MAKE("y = %dx + %d", z, x), answer = MAKE("y = %d + %dx", w, z); break;
    default: gold = MAKE("(x+%d)(x-%d)", x + 99, y), answer = MAKE("x^2 + %dx - %d", w + 99 - y, (x + 99) * y); break;
    }
#undef MAKE
    must(gold && answer, "out of memory");
    add_pair(b, text_of(made[which]), off ? CORD_DIFFERENT : CORD_EQUAL, text_of(gold), text_of(answer));
}

static void make_pairs(struct bench *b) {
    struct rng rng;
    rng_init(&rng, 1);
    for (size_t which = 0; which < sizeof made / sizeof *made; which++)
        for (int i = 0; i < MADE; i++) make_pair(b, which, &rng, i % 2);
}

/* ---- what is printed ----------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void print_rate(const struct kind *kind) {
    static double pass[PASSES];
    int n = 0, undecided = 0, other = 0;
    double start = seconds();
    for (double from = start, end; n < PASSES && (n < LEAST_PASSES || from - start < least_seconds); from = end) {
        undecided = other = 0;
        for (const struct pair *p = kind->first; p; p = p->next) {
            cord_verdict verdict = cord_verify(p->gold, p->answer, NULL);
            undecided += verdict == CORD_UNDECIDED;
            other += verdict != p->verdict;
        }
        end = seconds();
        pass[n++] = end - from;
    }
    qsort(pass, (size_t)n, sizeof *pass, by_size);
    printf("{\"kind\":\"%.*s\",\"pairs\":%d,\"rate\":%.1f,\"undecided\":%d,\"other\":%d}\n", (int)kind->name.len,
           kind->name.data, kind->n, kind->n / pass[n / 2], undecided, other);
    fflush(stdout);
}

static void print_pairs(const struct kind *kind) {
    for (const struct pair *p = kind->first; p; p = p->next)
        printf("%.*s\t%s\t%.*s\t%.*s\n", (int)kind->name.len, kind->name.data, cord_verdict_name(p->verdict),
               (int)p->gold.len, p->gold.data, (int)p->answer.len, p->answer.data);
}

int main(int argc, char **argv) {
    static struct bench b;
    bool pairs = argc > 1 && !strcmp(argv[1], "pairs");
    must(pairs || (argc > 1 && !strcmp(argv[1], "rates")), "usage: grader rates|pairs FILE.tsv...");
    arena_init(&b.arena);
    make_pairs(&b);
    for (int i = 2; i < argc; i++) read_file(&b, argv[i]);
    for (int i = 0; i < b.n; i++) {
        if (pairs)
            print_pairs(&b.kinds[i]);
        else
            print_rate(&b.kinds[i]);
    }
    arena_release(&b.arena);
    return 0;
}
