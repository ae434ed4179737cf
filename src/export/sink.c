/* sink.c - the last part of a row's way: its texts are rendered, what reads texts is asked, it is written and counted. */
#include "export/exporter.h"

#include "base/thinking.h"
#include "export/words.h"
#include "search/criterion.h"

#include <math.h>
#include <stdlib.h>

/* ---- texts --------------------------------------------------------------------------------------------------------- */

/* The search's prompt ends where reasoning begins, so that the response does not open the thinking again. It was the
 * meta-prover's; how the student ends a turn, its template says. */
static cord_status render_search(struct exporter *e, struct training_row *row, cord_text response, cord_error *err) {
    cord_text open = e->options->style.think_open, opened = thinking_opened(e->search_prompt);
    if (opened.len && !text_equal(opened, text_trim(open)))
        return error_set(
            err, CORD_BAD_USAGE,
            "the search's prompt opens the thinking with %.*s, which nothing would close: --think-tags has "
            "to name the same",
            (int)opened.len, opened.data);
    if (text_starts(response, open)) response = text_slice(response, open.len, response.len);
    row->rendered_prompt = e->search_prompt.data ? e->search_prompt : TEXT("");
    row->rendered_response = response;
    return e->options->turn ? turn_finish(e->options->turn, response, &e->walk.arena, &row->rendered_response, err)
                            : CORD_OK;
}

static cord_status render(struct exporter *e, struct training_row *row, cord_error *err) {
    const struct export_options *o = e->options;
    bool steps = o->format->kind == ROW_STEP_PAIR;
    cord_text response = steps ? row->prefix : row->example->response;
    row->prompt = e->problem.question;
    if (o->search_prompt) {
        CORD_TRY(render_search(e, row, response, err));
    } else if (o->turn && o->format->texts != TEXTS_PLAIN) {
        CORD_TRY(turn_render(o->turn, row->prompt, response, o->style.think_open, &e->walk.arena, &row->rendered_prompt,
                             &row->rendered_response, err));
    }
    if (o->turn && !row->rendered_prompt.data && o->format->kind != ROW_STEPS)
        CORD_TRY(turn_closed(o->turn, row->prompt, response, &e->walk.arena, &row->closed, err));
    /* what both steps have before them is no whole turn */
    if (steps && row->rendered_prompt.data) {
        size_t end = o->turn ? o->turn->end.len : 0;
        row->prefix = text_slice(row->rendered_response, 0, row->rendered_response.len - end);
    }
    return CORD_OK;
}

/* A trainer hands a text to the tokenizer, which puts its BOS before it: there would be two. */
static void leave_out_bos(const struct export_options *o, struct training_row *row) {
    cord_text bos = o->added_bos, prompt = row->rendered_prompt;
    if (bos.len && o->format->texts != TEXTS_TOKENS && text_starts(prompt, bos))
        row->rendered_prompt = text_slice(prompt, bos.len, prompt.len);
}

/* Whether a tag of thinking stands before a reasoning that is not the row's own. */
static bool has_second_thought(cord_text before, cord_text own) {
    before = text_trim_end(before);
    own = text_trim(own);
    if (text_ends(before, own)) before = text_slice(before, 0, before.len - own.len);
    return thinking_tag(before).len > 0;
}

/* What a trainer would make of the row by itself. Of rendered rows nothing can be lost: they hold what they hold. */
static void look_for_traps(struct exporter *e, const struct training_row *row) {
    int most = e->options->trainer_tokens;
    cord_text reasoning = row->example->reasoning;
    if (row->closed.data && reasoning.len) {
        ptrdiff_t at = text_find(row->closed, reasoning);
        e->figures->lost_reasoning += at < 0;
        e->figures->second_thoughts +=
            at >= 0 && has_second_thought(text_slice(row->closed, 0, (size_t)at), e->options->style.think_open);
    }
    e->figures->over_length += most && row->example->tokens > most;
}

/* ---- filters that read ----------------------------------------------------------------------------------------------- */

static cord_status write_line(struct exporter *e, FILE *file, const char *what, cord_error *err) {
    buf_addc(&e->line, '\n');
    CORD_TRY(buf_check(&e->line, err));
    return fwrite(e->line.data, 1, e->line.len, file) == e->line.len ? CORD_OK : error_errno(err, "write", what);
}

static void open_list_row(struct exporter *e, struct json_writer *w) {
    *w = (struct json_writer){.out = &e->line};
    buf_clear(&e->line);
    json_open(w, NULL, '{');
    json_text(w, "run", text_of(e->source->name));
    json_text(w, "id", e->problem.id);
}

/* Special tokens of the student's own, whatever they look like: where they are none, a text has other tokens. */
static cord_status find_special(const struct export_options *o, cord_text text, unsigned *found, cord_error *err) {
    int all, plain;
    if (!o->count_plain || (!memchr(text.data, '<', text.len) && !memchr(text.data, '[', text.len))) return CORD_OK;
    CORD_TRY(o->count_tokens(o->tokenizer, text, &all, err));
    CORD_TRY(o->count_plain(o->tokenizer, text, &plain, err));
    *found |= (unsigned)(all != plain) << FLAW_SPECIAL_TOKEN;
    return CORD_OK;
}

static cord_status find_flaws(struct exporter *e, const struct example *example, unsigned *found, cord_error *err) {
    const cord_text texts[] = {example->question, example->reasoning, example->reply};
    CORD_TRY(flaws_of_example(example, found, err));
    for (int i = 0; i < 3; i++)
        if (texts[i].len) CORD_TRY(find_special(e->options, texts[i], found, err));
    if (!*found || !e->options->list) return CORD_OK;
    struct json_writer w;
    open_list_row(e, &w);
    json_int(&w, "rank", example->rank);
    json_open(&w, "found", '[');
    for (int i = 0; i < FLAWS; i++)
        if (*found >> i & 1) json_text(&w, NULL, text_of(flaw_names[i]));
    json_close(&w, ']');
    json_bool(&w, "dropped", (*found & e->options->drop) != 0);
    json_close(&w, '}');
    return write_line(e, e->options->list, "the flaws", err);
}

static cord_status excluded(struct exporter *e, const struct training_row *row, bool *found, cord_error *err) {
    const struct overlap *overlap = e->options->exclude;
    struct overlap_match match;
    *found = false;
    if (!overlap) return CORD_OK;
    const cord_text texts[] = {e->problem.question, row->prefix, row->example->response,
                               row->rejected ? row->rejected->response : TEXT("")};
    static const char *const fields[] = {"question", "steps", "response", "rejected"};
    int at = 0;
    for (; at < 4; at++) {
        if (!texts[at].len) continue;
        CORD_TRY(overlap_find(overlap, texts[at], found, &match, err));
        if (*found) break;
    }
    if (!*found || !e->options->matches) return CORD_OK;
    struct json_writer w;
    open_list_row(e, &w);
    json_text(&w, "in", text_of(fields[at]));
    json_text(&w, "file", text_of(match.file));
    json_int(&w, "line", match.line);
    json_text(&w, "words", match.words);
    json_close(&w, '}');
    return write_line(e, e->options->matches, "what overlaps", err);
}

/* What a trainer sees behind the prompt; where it renders, with the prompt: of a pair, of one of the two. */
static cord_status find_response(struct exporter *e, const struct training_row *row, bool rejected, cord_text *response,
                                 cord_error *err) {
    const struct example_step whole[] = {{.text = row->prefix}, {.text = rejected ? row->worse : row->chosen}};
    bool steps = e->options->format->kind == ROW_STEP_PAIR;
    *response = rejected ? row->rejected->response : row->example->response;
    if (row->closed.data) return turn_closed(e->options->turn, row->prompt, *response, &e->walk.arena, response, err);
    if (!row->rendered_prompt.data) return CORD_OK;
    if (steps) return example_join(whole, 2, &e->walk.arena, response, err);
    *response = row->rendered_response;
    return CORD_OK;
}

/* Of a pair, the longer one counts. */
static cord_status count(struct exporter *e, const struct training_row *row, cord_error *err, int *tokens) {
    const struct export_options *o = e->options;
    int most = 0;
    *tokens = 0;
    if (!o->count_tokens) return CORD_OK;
    for (int i = 0; i < (row->rejected ? 2 : 1); i++) {
        cord_text response;
        int n;
        CORD_TRY(find_response(e, row, i == 1, &response, err));
        CORD_TRY(o->count_tokens(o->tokenizer, response, &n, err));
        if (n > most) most = n;
    }
    cord_text prompt = row->rendered_prompt.data ? row->rendered_prompt : row->prompt;
    if (!row->closed.data) CORD_TRY(o->count_tokens(o->tokenizer, prompt, tokens, err));
    *tokens += most;
    return CORD_OK;
}

static cord_status is_duplicate(struct exporter *e, const struct training_row *row, bool *found, cord_error *err) {
    *found = false;
    if (!e->options->dedupe) return CORD_OK;
    uint64_t hash = seed_mix(signs_hash(row->prompt), signs_hash(row->example->response));
    if (row->rejected) hash = seed_mix(hash, signs_hash(row->rejected->response));
    int64_t earlier;
    CORD_TRY(seen_note(&e->seen, (cord_text){(const char *)&hash, sizeof hash}, 1, &earlier, err));
    *found = earlier != 0;
    return CORD_OK;
}

static cord_status filter(struct exporter *e, const struct training_row *row, struct example *example, bool *removed,
                          unsigned *flaws, cord_error *err) {
    bool found;
    *removed = true;
    CORD_TRY(find_flaws(e, example, flaws, err));
    if (*flaws & e->options->drop) {
        exporter_remove(e, FILTER_FLAW);
        return CORD_OK;
    }
    CORD_TRY(excluded(e, row, &found, err));
    if (found) {
        exporter_remove(e, FILTER_EXCLUDED);
        return CORD_OK;
    }
    CORD_TRY(count(e, row, err, &example->tokens));
    if (e->options->max_tokens && example->tokens > e->options->max_tokens) {
        exporter_remove(e, FILTER_TOKENS);
        return CORD_OK;
    }
    CORD_TRY(is_duplicate(e, row, &found, err));
    if (found) exporter_remove(e, FILTER_DUPLICATE);
    *removed = found;
    return CORD_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

int export_split_of(const struct export_split *splits, int n, cord_text id) {
    char hex[65];
    sha256_text(id, hex);
    hex[13] = '\0'; /* 52 bits: a double has them all */
    double at = (double)strtoull(hex, NULL, 16) / (double)(1ULL << 52), sum = 0;
    for (int i = 0; i < n - 1; i++) {
        sum += splits[i].share;
        if (at < sum) return i;
    }
    return n - 1;
}

static void write_writer(struct json_writer *w, const struct export_source *source, int teacher, int round) {
    bool known = teacher >= 0 && teacher < source->n_teachers;
    json_text(w, "teacher", text_of(known ? source->teachers[teacher] : ""));
    json_int(w, "round", round);
}

/* The teacher of a step is who ended it. All rows have all columns, so that loaders need not guess them. */
static void write_step(struct json_writer *w, const struct export_source *source, const struct example_step *step) {
    json_open(w, NULL, '{');
    write_writer(w, source, step->teacher, step->round);
    json_double(w, "score", exp(step->after));
    json_open(w, "pieces", '[');
    for (int i = 0; i < step->n_pieces; i++) {
        json_open(w, NULL, '{');
        write_writer(w, source, step->pieces[i].teacher, step->pieces[i].round);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

/* Of steps nobody says a grade, nor an end. */
static void write_outcome(struct json_writer *w, const struct example *example) {
    if (example->is_steps) {
        json_nil(w, "grade");
        json_nil(w, "finish");
    } else {
        json_text(w, "grade", text_of(grade_name(example->grade)));
        json_text(w, "finish", text_of(finish_name(example->finish)));
    }
    json_double(w, "score", exp(example->log_s));
}

static void write_provenance(struct json_writer *w, const struct training_row *row, const struct example *example) {
    const struct export_source *source = example->source;
    json_text(w, "id", example->id);
    json_text(w, "gold", example->gold);
    json_open(w, "provenance", '{');
    json_text(w, "run", text_of(source->name));
    json_int(w, "rank", example->rank);
    json_int(w, "rounds", example->rounds);
    write_outcome(w, example);
    json_double(w, "s0", exp(example->log_s0));
    json_text(w, "criterion", text_of(criterion_named(text_of(source->criterion))->name));
    json_open(w, "steps", '[');
    for (int i = 0; i < example->n_steps; i++) write_step(w, source, &example->steps[i]);
    json_close(w, ']');
    if (row->rejected) {
        json_open(w, "rejected", '{');
        write_outcome(w, row->rejected);
        json_close(w, '}');
    }
    json_close(w, '}');
}

cord_status sink_row(struct exporter *e, struct training_row *row, struct example *example, cord_error *err) {
    bool removed;
    unsigned flaws = 0;
    CORD_TRY(render(e, row, err));
    CORD_TRY(filter(e, row, example, &removed, &flaws, err));
    if (removed) return CORD_OK;
    look_for_traps(e, row);
    struct export_split *split =
        &e->options->splits[export_split_of(e->options->splits, e->options->n_splits, e->problem.id)];
    row->split = split->name;
    row->number = split->rows++;
    figures_add(e->figures, example, row->prompt, flaws);
    if (!split->file) return CORD_OK;
    leave_out_bos(e->options, row); /* counted it was, since it is trained on */
    struct json_writer w = {.out = &e->line};
    buf_clear(&e->line);
    json_open(&w, NULL, '{');
    e->options->format->write(&w, row);
    if (e->options->provenance) write_provenance(&w, row, example);
    json_close(&w, '}');
    return write_line(e, split->file, "the training rows", err);
}
