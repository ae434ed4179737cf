/* compare_data.c - `cord compare` for programs: CSV with one row a number, and one object of JSON. It must not compute
 * anything. */
#include "cmd/compare.h"

#include "base/json.h"

#include <math.h>

enum { MOST_OUTPUT = 1 << 28 };

static const char *test_name(const struct difference *d) { return d->pairs ? "mcnemar" : "signs"; }

/* ---- CSV ----------------------------------------------------------------------------------------------------- */

/* One row. What does not apply to its kind is left empty: texts NULL, numbers NAN, counts -1. */
struct csv_row {
    const char *kind, *method, *baseline, *measure, *teacher, *test;
    int part;     /* of a trace's progress, from 0; -1 none */
    int problems; /* of a difference: those on which both have a value */
    double value;
    int64_t count, of; /* what a share was made from; of a difference: problems better, and worse */
    double low, high, p, adjusted, detectable;
    const struct difference *difference; /* of which the last columns are; NULL: none */
    const char *says;
};
static struct csv_row csv_row(const char *kind, const char *method) {
    double none = (double)NAN;
    return (struct csv_row){.kind = kind,
                            .method = method,
                            .part = -1,
                            .problems = -1,
                            .value = none,
                            .count = -1,
                            .of = -1,
                            .low = none,
                            .high = none,
                            .p = none,
                            .adjusted = none,
                            .detectable = none};
}

/* RFC 4180: in quotes where it has to be. */
static void csv_text(struct buf *out, const char *text) {
    if (!text) return;
    if (!strpbrk(text, ",\"\r\n")) {
        buf_addf(out, "%s", text);
        return;
    }
    buf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"') buf_addc(out, '"');
        buf_addc(out, *text);
    }
    buf_addc(out, '"');
}

static void csv_number(struct buf *out, double value) {
    if (!isnan(value)) buf_addf(out, "%.10g", value);
}

static void csv_put(struct buf *out, const struct csv_row *row) {
    const char *const texts[] = {row->kind, row->method, row->baseline, row->measure, row->teacher};
    const double numbers[] = {row->low, row->high, row->p, row->adjusted, row->detectable};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        csv_text(out, texts[i]);
        buf_addc(out, ',');
    }
    if (row->part >= 0) buf_addf(out, "%d", row->part);
    buf_addc(out, ',');
    csv_number(out, row->value);
    buf_addc(out, ',');
    if (row->count >= 0) buf_addf(out, "%lld", (long long)row->count);
    buf_addc(out, ',');
    if (row->of >= 0) buf_addf(out, "%lld", (long long)row->of);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buf_addc(out, ',');
        csv_number(out, numbers[i]);
    }
    buf_addc(out, ',');
    csv_text(out, row->test);
    buf_addc(out, ',');
    if (row->problems >= 0) buf_addf(out, "%d", row->problems);
    const struct difference *d = row->difference;
    if (d && d->signs.random)
        buf_addf(out, ",%d,%lld,", d->signs.random, (long long)d->signs.far);
    else
        buf_addf(out, d && !d->pairs ? ",0,," : ",,,");
    if (d) buf_addf(out, "%s", d->incomparable ? "incomparable" : difference_is_established(d) ? "yes" : "no");
    buf_addc(out, ',');
    csv_text(out, row->says);
    buf_addc(out, '\n');
}

static void csv_seeds(struct compare *c, struct buf *out, int method) {
    struct csv_row row = csv_row("seeds", c->comparison.methods[method].name);
    row.value = c->comparison.methods[method].n_seeds;
    csv_put(out, &row);
}

static void csv_measures(struct compare *c, struct buf *out, int method) {
    const struct comparison *cmp = &c->comparison;
    const char *name = cmp->methods[method].name, *base = cmp->methods[cmp->baseline].name;
    for (int m = 0; m < MEASURES; m++) {
        struct csv_row row = csv_row("mean", name);
        row.measure = measure_infos[m].key;
        row.value = cmp->methods[method].mean[m];
        row.of = cmp->methods[method].of[m];
        csv_put(out, &row);
    }
    for (int m = 0; m < MEASURES && method != cmp->baseline; m++) {
        struct csv_row row = csv_row("ratio", name);
        if (!measure_is_cost((enum measure)m)) continue;
        row.baseline = base;
        row.measure = measure_infos[m].key;
        row.value = comparison_ratio(cmp, method, (enum measure)m);
        csv_put(out, &row);
    }
}

static const char *const verdicts[] = {
    [BUDGET_SAME] = "equal", [BUDGET_DIFFERS] = "unequal", [BUDGET_UNKNOWN] = "unknown"};

static void csv_budget(struct compare *c, struct buf *out, int method) {
    const struct comparison *cmp = &c->comparison;
    for (int i = 0; i < BUDGET_UNITS && method != cmp->baseline; i++) {
        struct csv_row row = csv_row("budget", cmp->methods[method].name);
        enum measure measure = budget_units[i].measure;
        row.baseline = cmp->methods[cmp->baseline].name;
        row.measure = measure_infos[measure].key;
        row.value = comparison_ratio(cmp, method, measure);
        row.test = verdicts[comparison_budget(cmp, method, measure)];
        csv_put(out, &row);
    }
}

static void csv_cut(struct compare *c, struct buf *out, int method) {
    struct csv_row row = csv_row("equal", c->comparison.methods[method].name);
    if (!c->equal.unit) return;
    row.measure = measure_infos[c->equal.measure].key;
    row.value = compare_cut_ratio(c, method);
    row.test = compare_cut_verdict(c, method);
    row.problems = c->equal.methods[method].cut;
    csv_put(out, &row);
}

static cord_status csv_differences(struct compare *c, struct buf *out, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    for (int i = 0; i < cmp->n_differences; i++) {
        const struct difference *d = &cmp->differences[i];
        const char *sentence = compare_sentence(c, d, true);
        if (!sentence) return error_memory(err);
        csv_put(out, &(struct csv_row){.kind = d->primary ? "primary difference" : "difference",
                                       .method = cmp->methods[d->method].name,
                                       .baseline = cmp->methods[cmp->baseline].name,
                                       .measure = measure_infos[d->measure].key,
                                       .part = -1,
                                       .problems = d->n,
                                       .value = d->mean,
                                       .count = d->gained,
                                       .of = d->lost,
                                       .low = d->low,
                                       .high = d->high,
                                       .p = d->p,
                                       .adjusted = d->adjusted,
                                       .detectable = d->detectable,
                                       .test = test_name(d),
                                       .difference = d,
                                       .says = sentence});
    }
    return CORD_OK;
}

static void csv_hits(struct compare *c, struct buf *out, int method) {
    const struct hits *hits = &c->comparison.methods[method].hits;
    struct hit_kind kinds[HIT_KINDS];
    compare_hit_kinds(hits, kinds);
    for (int k = 0; k < HIT_KINDS; k++)
        for (int t = 0; t < hits->n_teachers; t++)
            for (int bin = 0; bin < HIT_BINS; bin++) {
                struct csv_row row = csv_row(kinds[k].key, c->comparison.methods[method].name);
                row.teacher = c->first[method]->evidence->teachers[t];
                row.part = bin;
                row.count = kinds[k].counts[t * HIT_BINS + bin];
                row.of = hits_all(hits, kinds[k].counts, bin);
                if (row.of) row.value = (double)row.count / (double)row.of;
                csv_put(out, &row);
            }
}

cord_status compare_csv(struct compare *c, cord_error *err) {
    struct page page;
    struct buf out;
    buf_init(&out, "a comparison as CSV", MOST_OUTPUT);
    buf_addf(&out, "kind,method,baseline,measure,teacher,part,value,count,of,low,high,p,p_adjusted,detectable,test,"
                   "problems,random_signs,as_far,established,says\n");
    for (int i = 0; i < c->comparison.n_methods; i++) csv_seeds(c, &out, i);
    for (int i = 0; i < c->comparison.n_methods; i++) csv_measures(c, &out, i);
    for (int i = 0; i < c->comparison.n_methods; i++) csv_budget(c, &out, i);
    for (int i = 0; i < c->comparison.n_methods; i++) csv_cut(c, &out, i);
    cord_status status = csv_differences(c, &out, err);
    for (int i = 0; i < c->comparison.n_methods; i++) csv_hits(c, &out, i);
    page_init(&page, c->call->err); /* a table has no place for notes */
    page_raw(&page, PAINT_NONE, buf_text(&c->notes));
    page_release(&page);
    if (status == CORD_OK) return call_put(c->call, &out, err);
    buf_release(&out);
    return status;
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static void json_counts(struct json_writer *w, const char *key, const struct hits *hits, const int64_t *counts,
                        int teacher) {
    json_open(w, key, '[');
    for (int bin = 0; bin < HIT_BINS; bin++)
        json_int(w, NULL, teacher < 0 ? hits_all(hits, counts, bin) : counts[teacher * HIT_BINS + bin]);
    json_close(w, ']');
}

static void json_hits(struct compare *c, struct json_writer *w, int method) {
    const struct hits *hits = &c->comparison.methods[method].hits;
    struct hit_kind kinds[HIT_KINDS];
    compare_hit_kinds(hits, kinds);
    json_open(w, "hits", '{');
    for (int k = 0; k < HIT_KINDS; k++) {
        json_open(w, kinds[k].key, '{');
        json_counts(w, "of", hits, kinds[k].counts, -1);
        json_open(w, "by", '{');
        for (int t = 0; t < hits->n_teachers; t++)
            json_counts(w, c->first[method]->evidence->teachers[t], hits, kinds[k].counts, t);
        json_close(w, '}');
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void json_method(struct compare *c, struct json_writer *w, int method) {
    const struct comparison *cmp = &c->comparison;
    json_open(w, NULL, '{');
    json_text(w, "name", text_of(cmp->methods[method].name));
    json_open(w, "runs", '[');
    for (int i = 0; i < c->n_runs; i++)
        if (c->runs[i].method == method) json_text(w, NULL, text_of(c->runs[i].folder));
    json_close(w, ']');
    json_open(w, "seeds", '['); /* of the runs */
    for (int i = 0; i < c->n_runs; i++)
        if (c->runs[i].method == method) json_text(w, NULL, text_of(c->runs[i].evidence->seed));
    json_close(w, ']');
    json_text(w, "strategy", text_of(c->first[method]->evidence->strategy));
    json_text(w, "criterion", text_of(c->first[method]->evidence->criterion));
    json_open(w, "means", '{');
    for (int m = 0; m < MEASURES; m++) json_double(w, measure_infos[m].key, cmp->methods[method].mean[m]);
    json_close(w, '}');
    json_open(w, "of", '{'); /* problems that have a value */
    for (int m = 0; m < MEASURES; m++) json_int(w, measure_infos[m].key, cmp->methods[method].of[m]);
    json_close(w, '}');
    json_open(w, "ratios", '{');
    for (int m = 0; m < MEASURES; m++)
        if (measure_is_cost((enum measure)m))
            json_double(w, measure_infos[m].key, comparison_ratio(cmp, method, (enum measure)m));
    json_close(w, '}');
    json_hits(c, w, method);
    json_close(w, '}');
}

static cord_status json_budgets(struct compare *c, struct json_writer *w, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    json_open(w, "budgets", '[');
    for (int i = 0; i < cmp->n_methods; i++) {
        if (i == cmp->baseline) continue;
        const char *sentence = compare_equal(c, i, true);
        if (!sentence) return error_memory(err);
        json_open(w, NULL, '{');
        json_text(w, "method", text_of(cmp->methods[i].name));
        json_text(w, "baseline", text_of(cmp->methods[cmp->baseline].name));
        for (int k = 0; k < BUDGET_UNITS; k++)
            json_text(w, measure_infos[budget_units[k].measure].key,
                      text_of(verdicts[comparison_budget(cmp, i, budget_units[k].measure)]));
        json_text(w, "says", text_of(sentence));
        json_close(w, '}');
    }
    json_close(w, ']');
    return CORD_OK;
}

static cord_status json_cut(struct compare *c, struct json_writer *w, cord_error *err) {
    if (!c->equal.unit) return CORD_OK;
    json_open(w, "equal", '{');
    json_text(w, "unit", text_of(c->equal.unit));
    json_double(w, "budget", c->equal.budget);
    json_open(w, "methods", '[');
    for (int i = 0; i < c->comparison.n_methods; i++) {
        const char *sentence = compare_cut_says(c, i);
        if (!sentence) return error_memory(err);
        json_open(w, NULL, '{');
        json_text(w, "method", text_of(c->comparison.methods[i].name));
        json_text(w, "verdict", text_of(compare_cut_verdict(c, i)));
        json_int(w, "cut", c->equal.methods[i].cut);
        json_double(w, "trajectories", c->comparison.methods[i].mean[MEASURE_TRAJECTORIES]);
        json_double(w, "trajectories_before", c->equal.methods[i].trajectories);
        json_double(w, "ratio", compare_cut_ratio(c, i));
        json_text(w, "says", text_of(sentence));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
    return CORD_OK;
}

/* One curve for each quality whose means, and costs, are known of all: a point a method. */
static void json_curves(struct compare *c, struct json_writer *w) {
    const struct comparison *cmp = &c->comparison;
    enum measure cost = compare_cost(c);
    json_open(w, "curves", '[');
    for (int q = 0; q < 2; q++) {
        enum measure quality = compared_measures[q];
        if (!comparison_has_means(cmp, quality) || !comparison_has_means(cmp, cost)) continue;
        json_open(w, NULL, '{');
        json_text(w, "quality", text_of(measure_infos[quality].key));
        json_text(w, "cost", text_of(measure_infos[cost].key));
        json_open(w, "points", '[');
        for (int i = 0; i < cmp->n_methods; i++) {
            json_open(w, NULL, '{');
            json_text(w, "method", text_of(cmp->methods[i].name));
            json_double(w, "cost", cmp->methods[i].mean[cost]);
            json_double(w, "quality", cmp->methods[i].mean[quality]);
            json_bool(w, "beaten", comparison_is_beaten(cmp, i, quality, cost));
            json_close(w, '}');
        }
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
}

static cord_status json_difference(struct compare *c, struct json_writer *w, const struct difference *d,
                                   cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    const char *sentence = compare_sentence(c, d, true);
    if (!sentence) return error_memory(err);
    json_open(w, NULL, '{');
    json_text(w, "method", text_of(cmp->methods[d->method].name));
    json_text(w, "baseline", text_of(cmp->methods[cmp->baseline].name));
    json_text(w, "measure", text_of(measure_infos[d->measure].key));
    json_bool(w, "primary", d->primary);
    json_double(w, "difference", d->mean);
    json_double(w, "deviation", d->deviation);
    json_double(w, "low", d->low);
    json_double(w, "high", d->high);
    json_int(w, "problems", d->n);
    json_int(w, "better", d->gained);
    json_int(w, "worse", d->lost);
    json_text(w, "test", text_of(test_name(d)));
    json_double(w, "p", d->p);
    if (!d->pairs) json_int(w, "random_signs", d->signs.random); /* 0: all ways were counted */
    if (d->signs.random) json_int(w, "as_far", d->signs.far);
    json_double(w, "p_adjusted", d->adjusted);
    json_double(w, "detectable", d->detectable);
    json_bool(w, "comparable", !d->incomparable);
    json_bool(w, "established", difference_is_established(d));
    json_text(w, "says", text_of(sentence));
    json_close(w, '}');
    return CORD_OK;
}

static void json_notes(struct compare *c, struct json_writer *w) {
    cord_text notes = buf_text(&c->notes), line;
    json_open(w, "notes", '[');
    while (text_next_line(&notes, &line)) json_text(w, NULL, line);
    json_close(w, ']');
}

static cord_status json_all(struct compare *c, struct json_writer *w, cord_error *err) {
    const struct comparison *cmp = &c->comparison;
    json_open(w, NULL, '{');
    json_int(w, "problems", cmp->n_problems);
    json_text(w, "baseline", text_of(cmp->methods[cmp->baseline].name));
    json_double(w, "level", COMPARISON_LEVEL);
    json_double(w, "power", COMPARISON_POWER);
    json_int(w, "samples", c->how.samples);
    json_int(w, "seed", (int64_t)c->how.seed);
    json_open(w, "methods", '[');
    for (int i = 0; i < cmp->n_methods; i++) json_method(c, w, i);
    json_close(w, ']');
    CORD_TRY(json_budgets(c, w, err));
    CORD_TRY(json_cut(c, w, err));
    json_curves(c, w);
    json_open(w, "differences", '[');
    for (int i = 0; i < cmp->n_differences; i++) CORD_TRY(json_difference(c, w, &cmp->differences[i], err));
    json_close(w, ']');
    json_notes(c, w);
    json_close(w, '}');
    buf_addc(w->out, '\n');
    return CORD_OK;
}

cord_status compare_json(struct compare *c, cord_error *err) {
    struct buf out;
    buf_init(&out, "a comparison as JSON", MOST_OUTPUT);
    struct json_writer w = {.out = &out};
    cord_status status = json_all(c, &w, err);
    if (status == CORD_OK) return call_put(c->call, &out, err);
    buf_release(&out);
    return status;
}
