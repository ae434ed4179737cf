/* figures.c - see figures.h. */
#include "export/figures.h"

#include "export/words.h"

#include <math.h>
#include <stdio.h>

const char *const filter_names[] = {
    [FILTER_NOT_CORRECT] = "without a correct trajectory",
    [FILTER_NO_ANSWER] = "without an answer",
    [FILTER_SCORE] = "below the score",
    [FILTER_LIFT] = "below the lift",
    [FILTER_NO_PAIR] = "without two of different scores (by more than the noise)",
    [FILTER_REVERSED] = "preferring another to a correct one",
    [FILTER_CUT] = "pairs of steps of which one was cut",
    [FILTER_UNSCORED] = "with steps that were not scored",
    [FILTER_FLAW] = "dropped for a flaw",
    [FILTER_EXCLUDED] = "overlapping an evaluation set",
    [FILTER_TOKENS] = "over the tokens",
    [FILTER_DUPLICATE] = "duplicates",
    NULL,
};

void spread_add(struct spread *s, double value) {
    if (isnan(value)) return;
    if (!s->n || value < s->min) s->min = value;
    if (!s->n || value > s->max) s->max = value;
    s->n++;
    s->sum += value;
}

double spread_mean(const struct spread *s) { return s->n ? s->sum / (double)s->n : (double)NAN; }

void figures_remove(struct figures *f, enum filter why, double log_s0) {
    f->removed_n[why]++;
    spread_add(&f->removed[why], exp(log_s0));
}

static void add_length(struct figures *f, size_t words) {
    int bin = 0;
    while (bin + 1 < LENGTH_BINS && words >> (bin + 1)) bin++;
    f->length_bins[bin]++;
    spread_add(&f->words, (double)words);
}

void figures_add_texts(struct figures *f, cord_text prompt, cord_text response, unsigned flaws) {
    f->rows++;
    add_length(f, words_count(prompt) + words_count(response));
    for (int i = 0; i < FLAWS; i++) f->flaws[i] += flaws >> i & 1;
}

void figures_add_teacher(struct figures *f, const char *name, int64_t steps) {
    int i = 0;
    while (i < f->n_teachers && strcmp(f->teachers[i].name, name) != 0) i++;
    if (i == f->n_teachers && i == FIGURES_TEACHERS) {
        i--;
        f->teachers[i].name = "others";
    } else if (i == f->n_teachers) {
        f->teachers[f->n_teachers++].name = name;
    }
    f->teachers[i].steps += steps;
}

void figures_add(struct figures *f, const struct example *e, cord_text prompt, unsigned flaws) {
    double score = exp(e->log_s), s0 = exp(e->log_s0);
    figures_add_texts(f, prompt, e->response, flaws);
    if (!e->is_steps) f->grades[e->grade]++;
    spread_add(&f->score, score);
    spread_add(&f->lift, score - s0);
    spread_add(&f->rows_s0, s0);
    spread_add(&f->steps, e->n_steps);
    if (e->tokens) spread_add(&f->tokens, e->tokens);
    if (!isnan(score)) f->score_bins[score >= 1 ? SCORE_BINS - 1 : (int)(score * SCORE_BINS)]++;
    for (int i = 0; i < e->n_steps; i++)
        for (int k = 0; k < e->steps[i].n_pieces; k++) {
            int teacher = e->steps[i].pieces[k].teacher;
            bool known = teacher >= 0 && teacher < e->source->n_teachers;
            figures_add_teacher(f, known ? e->source->teachers[teacher] : "nobody", 1);
        }
}

/* ---- plots ------------------------------------------------------------------------------------------------------- */

enum { BAR = 40, NAME_SHOWN = 20 };

static void bar(struct buf *out, const char *label, int64_t n, int64_t most) {
    int width = most ? (int)((n * BAR + most / 2) / most) : 0;
    if (n && !width) width = 1;
    buf_addf(out, "%-12s %8lld ", label, (long long)n);
    for (int i = 0; i < width; i++) buf_addc(out, '#');
    while (out->len && out->data[out->len - 1] == ' ') buf_truncate(out, out->len - 1);
    buf_addc(out, '\n');
}

static int64_t largest(const int64_t *bins, int n) {
    int64_t most = 0;
    for (int i = 0; i < n; i++)
        if (bins[i] > most) most = bins[i];
    return most;
}

void figures_plot_scores(const struct figures *f, struct buf *out) {
    int64_t most = largest(f->score_bins, SCORE_BINS);
    char label[32];
    for (int i = 0; i < SCORE_BINS; i++) {
        snprintf(label, sizeof label, "%.1f to %.1f", i / 10.0, (i + 1) / 10.0);
        bar(out, label, f->score_bins[i], most);
    }
}

void figures_plot_lengths(const struct figures *f, struct buf *out) {
    int64_t most = largest(f->length_bins, LENGTH_BINS);
    int first = 0, last = LENGTH_BINS - 1;
    char label[32];
    while (first < last && !f->length_bins[first]) first++;
    while (last > first && !f->length_bins[last]) last--;
    for (int i = first; i <= last && most; i++) {
        snprintf(label, sizeof label, "%lld to %lld", i ? 1LL << i : 0LL, (1LL << (i + 1)) - 1);
        bar(out, label, f->length_bins[i], most);
    }
}

void figures_plot_teachers(const struct figures *f, struct buf *out) {
    int64_t most = 0, all = 0;
    char label[64];
    for (int i = 0; i < f->n_teachers; i++) {
        all += f->teachers[i].steps;
        if (f->teachers[i].steps > most) most = f->teachers[i].steps;
    }
    for (int i = 0; i < f->n_teachers; i++) {
        cord_text name = text_of(f->teachers[i].name);
        if (name.len > NAME_SHOWN) name = text_slice(name, 0, utf8_valid_prefix(text_slice(name, 0, NAME_SHOWN)));
        snprintf(label, sizeof label, "%.*s %2.0f%%", (int)name.len, name.data,
                 100.0 * (double)f->teachers[i].steps / (double)all);
        utf8_make_printable(label);
        bar(out, label, f->teachers[i].steps, most);
    }
}
