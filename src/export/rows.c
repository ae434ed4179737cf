/* rows.c - see rows.h. */
#include "export/rows.h"

#include "data/row_texts.h"
#include "data/source.h"
#include "export/formats.h"

#include <math.h>

enum { MOST_ROW = 512 << 20 };

/* ---- layouts ------------------------------------------------------------------------------------------------------ */

bool rows_read_turns(const json_t *list, cord_text *prompt, cord_text *response) {
    size_t i;
    const json_t *turn;
    if (!json_is_array(list)) return false;
    json_array_foreach(list, i, turn) {
        cord_text text;
        enum speaker who = row_turn(turn, &text);
        if (who == SPEAKER_USER && text.data) *prompt = text;
        if (who == SPEAKER_ASSISTANT && text.data) *response = text;
    }
    return prompt->data || response->data;
}

/* A text, a list of turns, or one turn. */
static bool read_part(const json_t *value, cord_text *text) {
    cord_text prompt = {0}, response = {0};
    if (json_is_string(value)) {
        *text = json_text_of(value);
        return true;
    }
    if (json_is_object(value) && json_is_string(json_object_get(value, "value"))) {
        *text = json_text_of(json_object_get(value, "value"));
        return true;
    }
    if (!rows_read_turns(value, &prompt, &response)) return false;
    *text = response.data ? response : prompt;
    return true;
}

/* What was written, without the tags behind its steps. */
static void add_untagged(struct buf *out, cord_text text) {
    for (ptrdiff_t at; (at = text_find(text, TEXT(STEP_TAG))) >= 0;) {
        buf_add(out, text_slice(text, 0, (size_t)at));
        text = text_slice(text, (size_t)at + strlen(STEP_TAG), text.len);
    }
    buf_add(out, text);
}

/* A response that a row has in parts: the steps of a list, or those before a pair of steps and one of the pair; or with tags
 * between its steps. */
static bool join_parts(const json_t *row, struct buf *joined) {
    const json_t *before = json_object_get(row, "initial_reason_steps"), *chosen = json_object_get(row, "chosen"), *one;
    size_t i;
    buf_clear(joined);
    json_array_foreach(json_object_get(row, "completions"), i, one) {
        if (i) buf_addf(joined, "\n\n");
        buf_add(joined, json_text_of(one));
    }
    if (json_is_string(before) && json_is_string(chosen)) {
        buf_add(joined, json_text_of(before));
        buf_add(joined, json_text_of(chosen));
    }
    const json_t *tagged = json_object_get(row, "input");
    if (json_is_string(tagged) && json_is_string(json_object_get(row, "label")))
        add_untagged(joined, json_text_of(tagged));
    return joined->len > 0;
}

/* The pairs of members in which our layouts have prompt and response. */
static bool read_row(const json_t *row, struct buf *joined, cord_text *prompt, cord_text *response) {
    static const char *const pairs[][2] = {
        {"prompt", "completion"}, {"prompt", "chosen"}, {"instruction", "output"}, {"conversations", "chosen"}};
    *prompt = *response = (cord_text){0};
    if (join_parts(row, joined)) {
        *response = buf_text(joined);
        *prompt = TEXT("");
        return read_part(json_object_get(row, "prompt"), prompt) || json_object_get(row, "label");
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (read_part(json_object_get(row, pairs[i][0]), prompt) &&
            read_part(json_object_get(row, pairs[i][1]), response))
            return true;
    if (rows_read_turns(json_object_get(row, "messages"), prompt, response)) return true;
    if (rows_read_turns(json_object_get(row, "conversations"), prompt, response)) return true;
    *prompt = TEXT("");
    const json_t *text = json_object_get(row, "text");
    if (!text) text = json_object_get(row, "input");
    if (json_is_string(text)) {
        *response = json_text_of(text);
        return true;
    }
    const json_t *list = json_object_get(row, "segments");
    if (json_is_array(list) && json_array_size(list) == 2) {
        *prompt = json_text_of(json_object_get(json_array_get(list, 0), "text"));
        *response = json_text_of(json_object_get(json_array_get(list, 1), "text"));
        return response->data != NULL;
    }
    return false;
}

/* ---- provenance --------------------------------------------------------------------------------------------------- */

static void add_teachers(const json_t *steps, struct figures *f, struct arena *arena) {
    size_t i;
    const json_t *step;
    json_array_foreach(steps, i, step) {
        const json_t *pieces = json_object_get(step, "pieces");
        if (json_array_size(pieces) > 0) { /* of a step that was cut, each for itself */
            add_teachers(pieces, f, arena);
            continue;
        }
        const char *name = json_string_value(json_object_get(step, "teacher"));
        int at = 0;
        if (!name) continue;
        while (at < f->n_teachers && strcmp(f->teachers[at].name, name) != 0) at++;
        if (at == f->n_teachers) name = arena_text(arena, text_of(name)).data;
        if (name) figures_add_teacher(f, name, 1);
    }
}

static void add_provenance(const json_t *from, bool graded, struct figures *f, struct arena *arena) {
    const json_t *score = json_object_get(from, "score"), *s0 = json_object_get(from, "s0"),
                 *steps = json_object_get(from, "steps");
    const char *grade = json_string_value(json_object_get(from, "grade"));
    double s = json_is_number(score) ? json_number_value(score) : (double)NAN;
    double s_0 = json_is_number(s0) ? json_number_value(s0) : (double)NAN;
    for (int g = 0; graded && grade && g < 4; g++) f->grades[g] += strcmp(grade, grade_name((enum grade)g)) == 0;
    spread_add(&f->score, s);
    spread_add(&f->rows_s0, s_0);
    spread_add(&f->lift, s - s_0);
    if (!isnan(s)) f->score_bins[s >= 1 ? SCORE_BINS - 1 : s > 0 ? (int)(s * SCORE_BINS) : 0]++;
    spread_add(&f->steps, (double)json_array_size(steps));
    add_teachers(steps, f, arena);
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

/* What stands inside the first think tags, or all; of steps, what the first opens. */
static void part_response(cord_text response, cord_text *reasoning, cord_text *reply) {
    ptrdiff_t open = text_find(response, TEXT("<think>")), close = text_rfind(response, TEXT("</think>"));
    *reasoning = response;
    *reply = TEXT("");
    if (close < 0 && open == 0) *reasoning = text_slice(response, 7, response.len);
    if (close < 0) return;
    size_t from = open >= 0 && open < close ? (size_t)open + 7 : 0;
    *reasoning = text_slice(response, from, (size_t)close);
    *reply = text_slice(response, (size_t)close + 8, response.len);
}

struct reading {
    cord_status (*count_tokens)(void *ctx, cord_text text, int *n, cord_error *err);
    void *tokenizer;
    struct figures *figures;
    struct arena *arena;
    struct buf *joined; /* of one row */
};

static cord_status add_row(const struct reading *r, const struct json_row *row, cord_error *err) {
    cord_text prompt, response, reasoning, reply;
    unsigned flaws;
    bool read = read_row(row->object, r->joined, &prompt, &response);
    CORD_TRY(buf_check(r->joined, err));
    if (!read) {
        char names[200];
        json_row_names(row, names, sizeof names);
        return error_set(err, CORD_BAD_INPUT, "this is no row in a layout that cord writes: it has %s", names);
    }
    part_response(response, &reasoning, &reply);
    CORD_TRY(flaws_of_texts(prompt, reasoning, reply, &flaws, err));
    figures_add_texts(r->figures, prompt, response, flaws);
    if (r->count_tokens) {
        int a, b;
        CORD_TRY(r->count_tokens(r->tokenizer, prompt, &a, err));
        CORD_TRY(r->count_tokens(r->tokenizer, response, &b, err));
        spread_add(&r->figures->tokens, a + b);
    }
    const json_t *from = json_object_get(row->object, "provenance");
    bool graded = !json_object_get(row->object, "initial_reason_steps"); /* steps have no grade */
    if (json_is_object(from)) add_provenance(from, graded, r->figures, r->arena);
    return CORD_OK;
}

static cord_status read_rows(struct source *source, const struct reading *r, cord_error *err) {
    for (;;) {
        bool more;
        cord_text text;
        cord_error why;
        struct json_row row;
        CORD_TRY(source_next(source, &more, &text, &why, err));
        if (!more) return CORD_OK;
        cord_status status = why.code == CORD_OK ? json_row_parse(&row, text, &why) : why.code;
        if (status == CORD_OK) {
            status = add_row(r, &row, &why);
            json_row_release(&row);
        }
        if (status == CORD_OK) continue;
        source_where(source, &why);
        if (err) *err = why;
        return status;
    }
}

cord_status rows_read(const char *path, const char *library,
                      cord_status (*count_tokens)(void *ctx, cord_text text, int *n, cord_error *err), void *tokenizer,
                      struct figures *figures, struct arena *arena, cord_error *err) {
    struct buf joined;
    const struct reading r = {count_tokens, tokenizer, figures, arena, &joined};
    struct source source;
    CORD_TRY(source_open(&source, path, library, err));
    buf_init(&joined, "a row", MOST_ROW);
    cord_status status = read_rows(&source, &r, err);
    buf_release(&joined);
    source_close(&source);
    return status;
}
