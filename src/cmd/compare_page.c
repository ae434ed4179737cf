/* compare_page.c - `cord compare` for people: a table, sentences and a plot for the terminal, and the same as Markdown. It
 * must not compute anything. */
#include "cmd/compare.h"

#include <math.h>

enum { NAME_WIDTH = 24, CELL_WIDTH = 11, CELL_BYTES = 32 };

static void put_number(char cell[CELL_BYTES], double value, enum measure_kind kind) {
    static const int places[] = {[KIND_SHARE] = 4, [KIND_COUNT] = 2, [KIND_TOKENS] = 1, [KIND_SECONDS] = 2};
    if (isnan(value))
        snprintf(cell, CELL_BYTES, "-");
    else if (kind == KIND_FLOPS)
        snprintf(cell, CELL_BYTES, "%.3g", value);
    else
        snprintf(cell, CELL_BYTES, "%.*f", places[kind], value);
}

/* The ratio of what is spent in all; the rest of the ratios are in CSV and JSON. */
static bool shows_ratio(enum measure measure) {
    return measure == MEASURE_TRAJECTORIES || measure == MEASURE_TOKENS || measure == MEASURE_FLOPS ||
           measure == MEASURE_TIME;
}

static const char *compared_name(enum measure measure) { return measure == MEASURE_ACCURACY ? "accuracy" : "PP"; }

static int64_t of_part(const int64_t *counts, int teacher, int bin) { return counts[teacher * HIT_BINS + bin]; }

/* ---- the terminal -------------------------------------------------------------------------------------------- */

static void text_methods(struct compare *c, struct page *page) {
    const struct comparison *cmp = &c->comparison;
    for (int i = 0; i < cmp->n_methods; i++) {
        page_print(page, PAINT_BOLD, "%-3s ", c->letters[i]);
        page_raw(page, PAINT_NONE, text_of(cmp->methods[i].name));
        if (cmp->methods[i].n_seeds > 1) page_print(page, PAINT_DIM, ", %d seeds", cmp->methods[i].n_seeds);
        if (i == cmp->baseline && cmp->n_methods > 1) page_print(page, PAINT_DIM, ", the baseline");
        page_print(page, PAINT_NONE, "\n");
    }
    page_print(page, PAINT_NONE, "%d problem%s; means a problem", cmp->n_problems, cmp->n_problems == 1 ? "" : "s");
    if (c->equal.unit) page_print(page, PAINT_NONE, ", of what --equal %s leaves", c->equal.unit);
    page_print(page, PAINT_NONE, "\n\n");
}

/* Methods that stand side by side. */
struct columns {
    int from, to;
};

static void text_row(struct compare *c, struct page *page, struct columns columns, const char *name,
                     enum measure measure, bool ratio) {
    const struct comparison *cmp = &c->comparison;
    char cell[CELL_BYTES];
    page_print(page, ratio ? PAINT_DIM : PAINT_NONE, "%-*s", NAME_WIDTH, name);
    for (int i = columns.from; i < columns.to; i++) {
        double value = ratio ? comparison_ratio(cmp, i, measure) : cmp->methods[i].mean[measure];
        put_number(cell, value, ratio ? KIND_COUNT : measure_infos[measure].kind);
        page_print(page, ratio ? PAINT_DIM : PAINT_NONE, "%*s", CELL_WIDTH, cell);
    }
    page_print(page, PAINT_NONE, "\n");
}

/* Whether any method has it: a held-out scorer is often not there. */
static bool is_measured(const struct comparison *cmp, int m) {
    for (int i = 0; i < cmp->n_methods; i++)
        if (!isnan(cmp->methods[i].mean[m])) return true;
    return false;
}

static void text_columns(struct compare *c, struct page *page, struct columns columns) {
    page_print(page, PAINT_BOLD, "%-*s", NAME_WIDTH, "");
    for (int i = columns.from; i < columns.to; i++) page_print(page, PAINT_BOLD, "%*s", CELL_WIDTH, c->letters[i]);
    page_print(page, PAINT_NONE, "\n");
    for (int m = 0; m < MEASURES; m++) {
        if (!is_measured(&c->comparison, m)) continue;
        text_row(c, page, columns, measure_infos[m].name, (enum measure)m, false);
        if (shows_ratio((enum measure)m) && c->comparison.n_methods > 1)
            text_row(c, page, columns, "  over the baseline's", (enum measure)m, true);
    }
}

/* More methods than the terminal has room for stand below one another. */
static void text_table(struct compare *c, struct page *page) {
    int n = c->comparison.n_methods, room = (page->columns - NAME_WIDTH) / CELL_WIDTH;
    if (room < 1) room = 1;
    for (int from = 0; from < n; from += room) {
        if (from) page_print(page, PAINT_NONE, "\n");
        text_columns(c, page, (struct columns){from, from + room < n ? from + room : n});
    }
}

/* Which means are over fewer problems than the others. */
static bool is_partial(const struct comparison *cmp, int method, enum measure measure) {
    return !isnan(cmp->methods[method].mean[measure]) && cmp->methods[method].of[measure] < cmp->n_problems;
}

static void text_partial(struct compare *c, struct page *page) {
    const struct comparison *cmp = &c->comparison;
    for (int m = 0; m < MEASURES; m++) {
        bool any = false;
        for (int i = 0; i < cmp->n_methods; i++) any |= is_partial(cmp, i, (enum measure)m);
        if (!any) continue;
        page_print(page, PAINT_DIM, "%s: problems that have a value:", measure_infos[m].name);
        for (int i = 0; i < cmp->n_methods; i++)
            page_print(page, PAINT_DIM, " %s %d", c->letters[i], cmp->methods[i].of[m]);
        page_print(page, PAINT_DIM, "%s\n",
                   comparison_same_problems(cmp, (enum measure)m) ? "" : ", not the same ones");
    }
}

static cord_status text_budgets(struct compare *c, struct page *page, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    page_print(page, PAINT_BOLD, "\nBudget, a problem\n");
    for (int i = 0; i < cmp->n_methods; i++) {
        const char *spent = compare_budget(c, i);
        if (!spent) return error_memory(err);
        page_print(page, PAINT_NONE, "%-3s ", c->letters[i]);
        page_hanging(page, PAINT_NONE, text_of(spent), 4);
    }
    for (int i = 0; i < cmp->n_methods; i++) {
        const char *equal = i == cmp->baseline ? "" : compare_equal(c, i, false);
        if (!equal) return error_memory(err);
        page_text(page, PAINT_NONE, text_of(equal), 0, 0);
    }
    return CORD_OK;
}

static cord_status text_cut(struct compare *c, struct page *page, cord_error *err) {
    if (!c->equal.unit) return CORD_OK;
    page_print(page, PAINT_BOLD, "\nCut by --equal %s: to the least that any method spent on each problem\n",
               c->equal.unit);
    for (int i = 0; i < c->comparison.n_methods; i++) {
        const char *left = compare_cut_says(c, i);
        if (!left) return error_memory(err);
        page_print(page, PAINT_NONE, "%-3s ", c->letters[i]);
        page_hanging(page, PAINT_NONE, text_of(left), 4);
    }
    return CORD_OK;
}

static cord_status text_differences(struct compare *c, struct page *page, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    for (int i = 0; i < cmp->n_differences; i++) {
        const struct difference *d = &cmp->differences[i];
        const char *sentence = compare_sentence(c, d, false);
        if (!sentence) return error_memory(err);
        if (i == 0 || d->primary != d[-1].primary)
            page_print(page, PAINT_BOLD, "\n%s\n",
                       d->primary        ? "Primary comparison"
                       : cmp->no_primary ? "Comparisons"
                                         : "Other comparisons");
        page_print(page, PAINT_NONE, "%s against %s, %s: %d problem%s better, %d worse\n", c->letters[d->method],
                   c->letters[cmp->baseline], compared_name(d->measure), d->gained, d->gained == 1 ? "" : "s", d->lost);
        page_text(page, difference_is_established(d) ? PAINT_GOOD : PAINT_NONE, text_of(sentence), 2, 0);
    }
    return CORD_OK;
}

/* A share as a block of an eighth to eight eighths; nothing at all is a dot, and a part without a denominator a blank. */
static void text_block(struct page *page, int64_t count, int64_t all) {
    static const char *const blocks[] = {"\u00B7", "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    int eighths = all > 0 ? (int)ceil(8.0 * (double)count / (double)all) : 0;
    page_print(page, PAINT_NONE, "%s", all ? blocks[eighths < 8 ? eighths : 8] : " ");
}

static void text_hits(struct compare *c, struct page *page, int method) {
    const struct hits *hits = &c->comparison.methods[method].hits;
    struct hit_kind kinds[HIT_KINDS];
    compare_hit_kinds(hits, kinds);
    for (int k = 0; k < 2; k++) { /* what was proposed is in the other formats */
        long long all = (long long)hits_all(hits, kinds[k].counts, -1);
        page_print(page, PAINT_NONE, "%s, %s: %lld step%s\n", c->letters[method], kinds[k].name, all,
                   all == 1 ? "" : "s");
        for (int t = 0; t < hits->n_teachers; t++) {
            long long count = (long long)hits_of(kinds[k].counts, t);
            page_print(page, PAINT_NONE, "  ");
            page_cell(page, PAINT_NONE, text_of(c->first[method]->evidence->teachers[t]), 18);
            page_print(page, PAINT_NONE, "  |");
            for (int bin = 0; bin < HIT_BINS; bin++)
                text_block(page, of_part(kinds[k].counts, t, bin), hits_all(hits, kinds[k].counts, bin));
            if (all) page_print(page, PAINT_NONE, "|  %5.1f %%", 100.0 * (double)count / (double)all);
            page_print(page, PAINT_NONE, "%s  (%lld)\n", all ? "" : "|", count);
        }
    }
}

cord_status compare_text(struct compare *c, cord_error *err) {
    struct page page;
    cord_text notes = buf_text(&c->notes), line;
    page_init(&page, c->call->out);
    text_methods(c, &page);
    text_table(c, &page);
    text_partial(c, &page);
    cord_status status = text_budgets(c, &page, err);
    if (status == CORD_OK) status = text_cut(c, &page, err);
    compare_plot(c, &page);
    if (status == CORD_OK) status = text_differences(c, &page, err);
    page_print(&page, PAINT_BOLD, "\nWho wrote the steps (one where a trace came whole), over its ten parts\n");
    for (int i = 0; i < c->comparison.n_methods; i++) text_hits(c, &page, i);
    if (notes.len) page_print(&page, PAINT_BOLD, "\nTo be known\n");
    while (text_next_line(&notes, &line)) page_text(&page, PAINT_WARN, line, 2, 0);
    if (status == CORD_OK && page.failed) status = error_memory(err);
    page_release(&page);
    return status;
}

/* ---- Markdown ------------------------------------------------------------------------------------------------ */

/* What would end a cell or begin markup is escaped; a text stays on its line, and nothing in it is obeyed by a terminal. */
static void mark_text(FILE *out, cord_text text) {
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t c = utf8_next(text, &at);
        if (utf8_is_obeyed(c))
            fputc(' ', out);
        else if (c == 0xFFFD)
            fputs("\xEF\xBF\xBD", out);
        else
            fprintf(out, "%s%.*s", c < 0x80 && strchr("|\\`*_<>[]", (int)c) ? "\\" : "", (int)(at - from),
                    text.data + from);
    }
}

static void mark_rule(FILE *out, const char *first, int cells) {
    fprintf(out, "\n|%s", first);
    for (int i = 0; i < cells; i++) fprintf(out, "---:|");
    fprintf(out, "\n");
}

static void mark_table(struct compare *c, FILE *out) {
    const struct comparison *cmp = &c->comparison;
    char cell[CELL_BYTES];
    fprintf(out, "| mean a problem |");
    for (int i = 0; i < cmp->n_methods; i++) fprintf(out, " %s |", c->letters[i]);
    mark_rule(out, "---|", cmp->n_methods);
    for (int m = 0; m < MEASURES; m++) {
        if (!is_measured(cmp, m)) continue;
        fprintf(out, "| %s |", measure_infos[m].name);
        for (int i = 0; i < cmp->n_methods; i++) {
            put_number(cell, cmp->methods[i].mean[m], measure_infos[m].kind);
            fprintf(out, " %s", cell);
            if (shows_ratio((enum measure)m) && i != cmp->baseline) {
                put_number(cell, comparison_ratio(cmp, i, (enum measure)m), KIND_COUNT);
                fprintf(out, " (%s of %s)", cell, c->letters[cmp->baseline]);
            }
            fprintf(out, " |");
        }
        fprintf(out, "\n");
    }
}

static void mark_partial(struct compare *c, FILE *out) {
    const struct comparison *cmp = &c->comparison;
    for (int m = 0; m < MEASURES; m++) {
        bool any = false;
        for (int i = 0; i < cmp->n_methods; i++) any |= is_partial(cmp, i, (enum measure)m);
        if (!any) continue;
        fprintf(out, "\n%s: problems that have a value:", measure_infos[m].name);
        for (int i = 0; i < cmp->n_methods; i++) fprintf(out, " %s %d", c->letters[i], cmp->methods[i].of[m]);
        fprintf(out, "%s.\n", comparison_same_problems(cmp, (enum measure)m) ? "" : ", not the same ones");
    }
}

static cord_status mark_budgets(struct compare *c, FILE *out, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    fprintf(out, "\nBudget, a problem:\n\n");
    for (int i = 0; i < cmp->n_methods; i++) {
        const char *spent = compare_budget(c, i), *equal = i == cmp->baseline ? "" : compare_equal(c, i, false);
        if (!spent || !equal) return error_memory(err);
        fprintf(out, "- %s: %s.%s%s%s\n", c->letters[i], spent, *equal ? " " : "", equal, *equal ? "." : "");
    }
    return CORD_OK;
}

static cord_status mark_cut(struct compare *c, FILE *out, cord_error *err) {
    if (!c->equal.unit) return CORD_OK;
    fprintf(out, "\nCut by --equal %s: to the least that any method spent on each problem.\n\n", c->equal.unit);
    for (int i = 0; i < c->comparison.n_methods; i++) {
        const char *left = compare_cut_says(c, i);
        if (!left) return error_memory(err);
        fprintf(out, "- %s: %s.\n", c->letters[i], left);
    }
    return CORD_OK;
}

static cord_status mark_differences(struct compare *c, FILE *out, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    char cell[CELL_BYTES];
    if (!cmp->n_differences) return CORD_OK;
    fprintf(out, "\n| comparison | measure | difference | 95 %% interval | better : worse | p | adjusted | could have "
                 "shown |");
    mark_rule(out, "---|---|", 6);
    for (int i = 0; i < cmp->n_differences; i++) {
        const struct difference *d = &cmp->differences[i];
        put_number(cell, d->detectable, KIND_SHARE);
        fprintf(out, "| %s against %s%s | %s%s | ", c->letters[d->method], c->letters[cmp->baseline],
                d->primary ? " (primary)" : "", compared_name(d->measure), d->incomparable ? " (not comparable)" : "");
        fprintf(out, isnan(d->mean) ? "- | " : "%+.4f | ", d->mean);
        if (isnan(d->low)) /* too few differ */
            fprintf(out, "-");
        else
            fprintf(out, "%+.4f to %+.4f", d->low, d->high);
        fprintf(out, " | %d : %d | %.4g | %.4g | %s |\n", d->gained, d->lost, d->p, d->adjusted, cell);
    }
    fprintf(out, "\n");
    for (int i = 0; i < cmp->n_differences; i++) {
        const char *sentence = compare_sentence(c, &cmp->differences[i], false);
        if (!sentence) return error_memory(err);
        fprintf(out, "- %s\n", sentence);
    }
    return CORD_OK;
}

/* As in the terminal, in a block of code. */
static cord_status mark_plot(struct compare *c, FILE *out, cord_error *err) {
    struct page page;
    if (!compare_has_plot(c)) return CORD_OK;
    fprintf(out, "\n```");
    page_init(&page, out);
    page.colour = false;
    compare_plot(c, &page);
    fprintf(out, "```\n");
    cord_status status = page.failed ? error_memory(err) : CORD_OK;
    page_release(&page);
    return status;
}

static void mark_hits(struct compare *c, FILE *out) {
    fprintf(out, "\n| steps by | teacher |");
    for (int bin = 0; bin < HIT_BINS; bin++) fprintf(out, " %d to %d %% |", bin * 10, bin * 10 + 10);
    fprintf(out, " all | of |");
    mark_rule(out, "---|---|", HIT_BINS + 2);
    for (int i = 0; i < c->comparison.n_methods; i++) {
        const struct hits *hits = &c->comparison.methods[i].hits;
        struct hit_kind kinds[HIT_KINDS];
        compare_hit_kinds(hits, kinds);
        for (int k = 0; k < HIT_KINDS; k++)
            for (int t = 0; t < hits->n_teachers; t++) {
                fprintf(out, "| %s, %s | ", c->letters[i], kinds[k].name);
                mark_text(out, text_of(c->first[i]->evidence->teachers[t]));
                fprintf(out, " |");
                for (int bin = 0; bin < HIT_BINS; bin++) {
                    int64_t all = hits_all(hits, kinds[k].counts, bin);
                    if (all)
                        fprintf(out, " %.0f %% |", 100.0 * (double)of_part(kinds[k].counts, t, bin) / (double)all);
                    else
                        fprintf(out, " |");
                }
                int64_t count = hits_of(kinds[k].counts, t), all = hits_all(hits, kinds[k].counts, -1);
                fprintf(out, " %lld | %lld |\n", (long long)count, (long long)all);
            }
    }
}

cord_status compare_markdown(struct compare *c, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    FILE *out = c->call->out;
    cord_text notes = buf_text(&c->notes), line;
    for (int i = 0; i < cmp->n_methods; i++) {
        fprintf(out, "- **%s**: ", c->letters[i]);
        mark_text(out, text_of(cmp->methods[i].name));
        if (cmp->methods[i].n_seeds > 1) fprintf(out, ", %d seeds", cmp->methods[i].n_seeds);
        fprintf(out, "%s\n", i == cmp->baseline && cmp->n_methods > 1 ? ", the baseline" : "");
    }
    fprintf(out, "\n%d problem%s", cmp->n_problems, cmp->n_problems == 1 ? "" : "s");
    if (c->equal.unit) fprintf(out, ", of what --equal %s leaves", c->equal.unit);
    fprintf(out, ".\n\n");
    mark_table(c, out);
    mark_partial(c, out);
    CORD_TRY(mark_budgets(c, out, err));
    CORD_TRY(mark_cut(c, out, err));
    CORD_TRY(mark_plot(c, out, err));
    CORD_TRY(mark_differences(c, out, err));
    mark_hits(c, out);
    if (notes.len) fprintf(out, "\n");
    while (text_next_line(&notes, &line)) {
        fprintf(out, "- ");
        mark_text(out, line);
        fprintf(out, "\n");
    }
    return CORD_OK;
}
