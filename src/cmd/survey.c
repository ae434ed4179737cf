/* survey.c - counts what a set's problems are. It must not know how it is shown. */
#include "cmd/survey.h"

#include <stdlib.h>

enum { EXACT = 256, STEPS = 64 }; /* lengths below EXACT have a bucket each, octaves above it STEPS */

const char *const survey_part_names[] = {"question", "full question", "gold", "target"};

/* ---- lengths ------------------------------------------------------------------------------------------------- */

static int octave_of(int64_t length) {
    int octave = 0;
    while (length >> (octave + 1)) octave++;
    return octave;
}

void lengths_add(struct lengths *lengths, int64_t length) {
    int64_t bucket = length;
    if (length >= EXACT) {
        int octave = octave_of(length); /* 8 and up */
        bucket = EXACT + (octave - 8) * STEPS + (length >> (octave - 6)) % STEPS;
    }
    if (bucket >= SURVEY_BUCKETS) bucket = SURVEY_BUCKETS - 1;
    lengths->buckets[bucket]++;
    lengths->n++;
    lengths->sum += length;
    if (length > lengths->longest) lengths->longest = length;
}

/* The shortest length that falls into a bucket. */
static int64_t bucket_length(int bucket) {
    if (bucket < EXACT) return bucket;
    int octave = 8 + (bucket - EXACT) / STEPS;
    return (int64_t)(STEPS + (bucket - EXACT) % STEPS) << (octave - 6);
}

int64_t lengths_at(const struct lengths *lengths, double part) {
    double wanted = part * (double)lengths->n;
    int64_t below = 0;
    for (int i = 0; i < SURVEY_BUCKETS; i++) {
        below += lengths->buckets[i];
        if (below > 0 && (double)below >= wanted) return bucket_length(i);
    }
    return lengths->longest;
}

/* ---- what is wrong --------------------------------------------------------------------------------------------- */

static cord_status complain(struct survey *s, struct complaints *list, const struct problem *p, const char *what,
                            cord_error *err) {
    list->count++;
    if (list->n == s->most) return CORD_OK;
    if (list->n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 16;
        struct complaint *grown = realloc(list->rows, (size_t)capacity * sizeof *grown);
        if (!grown) return error_memory(err);
        list->rows = grown;
        list->capacity = capacity;
    }
    struct complaint c = {p->line, arena_text(&s->arena, p->question.id), arena_printf(&s->arena, "%s", what)};
    if (!c.id.data || !c.what) return error_memory(err);
    list->rows[list->n++] = c;
    return CORD_OK;
}

/* The same question under another id. (Under the same one, or where ids are made of questions, the row is bad already.) */
static cord_status compare_question(struct survey *s, const struct problem *p, cord_error *err) {
    int64_t line;
    CORD_TRY(seen_note(&s->questions, p->question.text, p->line, &line, err));
    if (!line) return CORD_OK;
    s->same_questions++;
    const char *what =
        arena_printf(&s->arena, "the same question stands in %s %lld under another id", s->unit, (long long)line);
    return what ? complain(s, &s->repeated, p, what, err) : error_memory(err);
}

/* ---- golds ----------------------------------------------------------------------------------------------------- */

static struct gold_group *group_of(struct survey *s, const struct problem *p) {
    for (int i = 0; i < s->n_groups; i++) {
        struct gold_group *g = &s->groups[i];
        if (g->layout == p->layout && g->how == p->gold_how && text_equal(g->field, p->gold_field)) return g;
    }
    if (s->n_groups == SURVEY_GROUPS) return NULL;
    struct gold_group *g = &s->groups[s->n_groups];
    *g = (struct gold_group){.layout = p->layout, .how = p->gold_how, .field = arena_text(&s->arena, p->gold_field)};
    if (!g->field.data) return NULL;
    s->n_groups++;
    return g;
}

static cord_status note_gold(struct survey *s, const struct problem *p, cord_error *err) {
    struct gold_group *g = group_of(s, p);
    if (!g) {
        s->other_groups++;
        return CORD_OK;
    }
    g->n++;
    if (g->n_examples == SURVEY_EXAMPLES) return CORD_OK;
    cord_text cut = p->gold;
    if (cut.len > SURVEY_EXAMPLE_BYTES) cut.len = SURVEY_EXAMPLE_BYTES;
    cut.len = utf8_valid_prefix(cut);
    for (int i = 0; i < g->n_examples; i++)
        if (text_equal(g->examples[i], cut)) return CORD_OK;
    cord_text *example = &g->examples[g->n_examples++];
    *example = arena_text(&s->arena, cut);
    return example->data ? CORD_OK : error_memory(err);
}

/* ---- the survey ------------------------------------------------------------------------------------------------ */

void survey_init(struct survey *s, int most) {
    *s = (struct survey){.most = most};
    seen_init(&s->questions);
    arena_init(&s->arena);
}

void survey_release(struct survey *s) {
    free(s->unusable.rows);
    free(s->repeated.rows);
    seen_release(&s->questions);
    arena_release(&s->arena);
}

cord_status survey_add(struct survey *s, const struct problem *p, cord_error *err) {
    s->problems++;
    if (p->bad) {
        s->same_ids += text_starts(text_of(p->bad), TEXT("the same id stands"));
        s->same_questions += text_starts(text_of(p->bad), TEXT("the same question stands"));
        return complain(s, &s->unusable, p, p->bad, err);
    }
    s->usable++;
    s->own_ids += !p->made_id;
    s->contexts += p->has_context;
    s->other_targets += !text_equal(p->target, p->gold);
    if (!p->made_id) CORD_TRY(compare_question(s, p, err));
    return note_gold(s, p, err);
}
