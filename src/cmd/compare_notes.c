/* compare_notes.c - what a reader of `cord compare` must know beside the numbers: whose figures are no fair match, and what of
 * a run its rows do not show. Differences that they are about are marked. It must not know statistics. */
#include "cmd/compare.h"
#include "recipe/recipe.h"

#include <math.h>

void compare_end_note(struct compare *c) {
    struct buf *notes = &c->notes;
    for (size_t i = c->noted; i < notes->len; i++)
        if (notes->data[i] == '\n') notes->data[i] = ' ';
    buf_addc(notes, '\n');
    c->noted = notes->len;
}

/* What a note says of a measure of a method, or of the baseline, its differences say, too. */
static void put_incomparable(struct compare *c, int method, enum measure measure, const char *why) {
    for (int i = 0; i < c->comparison.n_differences; i++) {
        struct difference *d = &c->comparison.differences[i];
        if (d->measure == measure && d->method == method) d->incomparable = why;
    }
}

/* ---- of methods ---------------------------------------------------------------------------------------------------- */

static bool differ(const char *own, const char *base) { return *own && *base && strcmp(own, base) != 0; }

/* PP is measured by who measures.scorer names, else by the run's own meta-prover, which S0 is always by; by two of them it says
 * nothing of the traces. Rows of older tables do not say who measured: it was the meta-prover. */
static void note_scorers(struct compare *c) {
    const struct evidence *base = c->first[c->comparison.baseline]->evidence;
    for (int i = 0; i < c->comparison.n_methods; i++) {
        const struct evidence *own = c->first[i]->evidence;
        bool s0 = differ(own->scorer, base->scorer);
        bool pp = *own->measurer && *base->measurer ? differ(own->measurer, base->measurer) : s0;
        const char *base_letter = c->letters[c->comparison.baseline];
        if (!pp && !s0) continue;
        bool known = *own->measurer && *base->measurer;
        if (pp)
            put_incomparable(c, i, MEASURE_PP,
                             known ? "they were not measured alike" : "they may not have been measured alike");
        if (pp && s0)
            buf_addf(
                &c->notes,
                "PP and S0 of %s may be measured otherwise than those of %s: by another meta-prover, or one spoken to "
                "in another style, or their recipes' models differ. Where a scorer or its style does, they cannot be "
                "compared as they stand.",
                c->letters[i], base_letter);
        else if (pp)
            buf_addf(&c->notes,
                     "PP of %s is measured otherwise than that of %s (measures.scorer, or meta_prover.reuse where the "
                     "score that chose is taken for PP): it cannot be compared as it stands.",
                     c->letters[i], base_letter);
        else
            buf_addf(&c->notes,
                     "S0 of %s may be measured otherwise than that of %s: by another meta-prover, or one spoken to in "
                     "another style, or their recipes' models differ, be it in name. Where the meta-prover or its "
                     "style does, it cannot be compared as it stands; PP, by the same scorer, can.",
                     c->letters[i], base_letter);
        compare_end_note(c);
    }
}

/* What one version searches, scores or grades otherwise than another is no difference between methods. */
static cord_status note_versions(struct compare *c, cord_error *err) {
    const char *all = "";
    for (int r = 0; r < c->n_runs; r++)
        for (int i = 0; i < c->matching.n; i++) {
            const char *version = compare_row(c, r, i)->version;
            CORD_TRY(evidence_add_versions(&all, text_of(version), &c->arena, err));
        }
    if (strstr(all, ", ")) {
        buf_addf(&c->notes, "Computed by several versions of cord, which may differ in more than the methods do: %s.",
                 all);
        compare_end_note(c);
    }
    return CORD_OK;
}

/* Where what --equal left is not equal, since it cannot be cut, or not so finely. */
static void note_unequal(struct compare *c) {
    int n = 0;
    for (int i = 0; i < c->comparison.n_methods && c->equal.unit; i++) {
        double ratio = compare_cut_ratio(c, i);
        if (isnan(ratio) || fabs(ratio - 1) <= BUDGET_EQUAL) continue;
        if (n++ == 0) buf_addf(&c->notes, "--equal %s did not make them equal: of the budget", c->equal.unit);
        buf_addf(&c->notes, "%s %s took %.2f", n > 1 ? "," : "", c->letters[i], ratio);
    }
    if (!n) return;
    buf_addf(&c->notes, ". What differs between them may come of that.");
    compare_end_note(c);
}

/* What the numbers of problems and seeds do to intervals and tests. */
static void note_amounts(struct compare *c) {
    const struct comparison *cmp = &c->comparison;
    bool alike = true;
    for (int i = 0; i < cmp->n_methods; i++) alike &= cmp->methods[i].n_seeds == cmp->methods[0].n_seeds;
    if (!alike) {
        buf_addf(&c->notes, "The methods have different numbers of seeds: means over more vary less, for which no test "
                            "here accounts. Compare the seeds that all have.");
        compare_end_note(c);
    }
    bool apart = false;
    for (int i = 0; i < cmp->n_differences; i++) {
        const struct difference *d = &cmp->differences[i];
        apart |= (d->low > 0 || d->high < 0) && d->p >= COMPARISON_LEVEL;
    }
    if (!apart) return;
    buf_addf(&c->notes, "Where an interval leaves out 0 and p is not below 0.05, go by p: of so few problems, or so "
                        "uneven ones, bootstrap intervals are too narrow.");
    compare_end_note(c);
}

/* Means over different problems may stand in another order than the differences, which are of the same ones. */
static void note_partial(struct compare *c) {
    static const enum measure measures[] = {MEASURE_PP, MEASURE_HELD_OUT};
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        if (comparison_same_problems(&c->comparison, measures[i])) continue;
        buf_addf(&c->notes, "%s: the means are not of the same problems, since not all have a value by each method. %s",
                 measure_infos[measures[i]].name,
                 measures[i] == MEASURE_PP ? "Go by the comparisons, which are of the problems that both have."
                                           : "They cannot be compared as they stand.");
        compare_end_note(c);
    }
}

static void note_sizes(struct compare *c) {
    bool unknown = false;
    for (int i = 0; i < c->comparison.n_methods; i++) unknown |= isnan(c->comparison.methods[i].mean[MEASURE_FLOPS]);
    if (!unknown) return;
    buf_addf(&c->notes, "FLOPs with a dash: how many parameters a model has is not known. Of a server's, say it in "
                        "models.*.parameters and go on with the run; of a table of rows, write it anew.");
    compare_end_note(c);
}

/* Where nothing competes, everything is kept. */
static void note_keeping(struct compare *c) {
    static const char *const without[] = {"curation", "rejection", "integration", "selection", SELECTION_CORRECT_FIRST};
    for (int i = 0; i < c->comparison.n_methods; i++)
        for (size_t k = 0; k < sizeof without / sizeof *without; k++)
            if (!strcmp(c->first[i]->evidence->strategy, without[k])) {
                buf_addf(&c->notes,
                         "%s is %s: nothing competes step by step, so that what is kept is all that was not dropped; "
                         "whom the criterion prefers shows on the final path.",
                         c->letters[i], without[k]);
                compare_end_note(c);
            }
}

static bool looks_at_golds(const struct compare *c, int method) {
    const char *strategy = c->first[method]->evidence->strategy;
    return !strcmp(strategy, "rejection") || !strcmp(strategy, SELECTION_CORRECT_FIRST);
}

/* What looks at golds to choose is no fair rival in accuracy. */
static void note_golds(struct compare *c) {
    bool base = looks_at_golds(c, c->comparison.baseline);
    for (int i = 0; i < c->comparison.n_methods; i++) {
        bool own = looks_at_golds(c, i);
        if (own != base) put_incomparable(c, i, MEASURE_ACCURACY, "one of them chooses by the gold");
        if (!own) continue;
        buf_addf(&c->notes,
                 "%s is %s, which puts correct traces first: its accuracy is the share of problems with any correct "
                 "trace, and cannot be compared with that of methods that choose without the gold.",
                 c->letters[i], c->first[i]->evidence->strategy);
        compare_end_note(c);
    }
}

static void note_held_out(struct compare *c) {
    for (int i = 0; i < c->comparison.n_methods; i++) {
        if (!c->first[i]->pooled) continue;
        buf_addf(&c->notes,
                 "measures.held_out of %s is no held-out scorer: it has the model of %s. Name one that neither writes "
                 "nor chooses.",
                 c->letters[i], c->first[i]->pooled);
        compare_end_note(c);
    }
}

/* ---- of runs, whose journals say more than rows do ------------------------------------------------------------------- */

/* The lines in one: "a; b". */
static void add_lines(struct buf *out, cord_text lines) {
    cord_text line;
    for (bool first = true; text_next_line(&lines, &line); first = false)
        buf_addf(out, "%s%.*s", first ? "" : "; ", (int)line.len, line.data);
}

/* A run counts whole under the recipe that it has now. */
static cord_status note_past(struct compare *c, const struct compared_run *run, cord_error *err) {
    static const char *const facts[] = {"changed", "mixed"},
                             *const what[] = {"was gone on with other settings than it began with",
                                              "was merged from runs that do not agree in everything"};
    for (int i = 0; i < 2; i++) {
        cord_text lines;
        CORD_TRY(journal_get_fact(run->journal, facts[i], &c->arena, &lines, err));
        if (!lines.len) continue;
        buf_addf(&c->notes, "%s %s, and its rows do not say which are by which: ", run->folder, what[i]);
        add_lines(&c->notes, lines);
        buf_addf(&c->notes, ".");
        compare_end_note(c);
    }
    return CORD_OK;
}

/* By what its server says that it is, or where no server has it by the hash of its file. */
static cord_status is_same_model(struct compare *c, const struct compared_run *base, const struct compared_run *run,
                                 cord_text model, bool *same, cord_error *err) {
    cord_text serves[2], hash[2];
    CORD_TRY(journal_get_model_fact(base->journal, model, "serves", &c->arena, &serves[0], err));
    CORD_TRY(journal_get_model_fact(run->journal, model, "serves", &c->arena, &serves[1], err));
    CORD_TRY(journal_get_model_fact(base->journal, model, "sha256", &c->arena, &hash[0], err));
    CORD_TRY(journal_get_model_fact(run->journal, model, "sha256", &c->arena, &hash[1], err));
    const cord_text *known = serves[0].len || serves[1].len ? serves : hash;
    *same =
        !known[0].len || !known[1].len || text_equal(known[0], known[1]); /* a file and a server may have the same */
    return CORD_OK;
}

/* A recipe names a model; which weights that was, journals know. */
static cord_status note_weights(struct compare *c, const struct compared_run *base, const struct compared_run *run,
                                cord_error *err) {
    struct model_fact *facts;
    int n;
    CORD_TRY(journal_list_model_facts(run->journal, "sha256", &c->arena, &facts, &n, err));
    for (int i = 0; i < n; i++) {
        bool same;
        cord_text model = facts[i].model;
        CORD_TRY(is_same_model(c, base, run, model, &same, err));
        if (same) continue;
        buf_addf(&c->notes, "The model %.*s of %s is another than that of %s, though both recipes call it so.",
                 (int)model.len, model.data, run->folder, base->folder);
        compare_end_note(c);
        if (run->measurer && text_equal(model, text_of(run->measurer)))
            put_incomparable(c, run->method, MEASURE_PP, "another model measured it, though both recipes call it so");
    }
    return CORD_OK;
}

/* By other rules the same answer may be wrong, and by another model the same trace likelier. */
static cord_status note_grading(struct compare *c, const struct compared_run *base, const struct compared_run *run,
                                cord_error *err) {
    cord_text lines, line;
    bool graded = false;
    if (!base->recipe.len || !run->recipe.len) return CORD_OK; /* nothing has begun there */
    CORD_TRY(recipe_differences(base->recipe, run->recipe, false, &c->arena, &lines, err));
    for (cord_text rest = lines; text_next_line(&rest, &line);)
        if (text_starts(line, TEXT("grading."))) {
            if (!graded)
                buf_addf(&c->notes, "Accuracy of %s cannot be compared with %s as it stands: ", run->folder,
                         base->folder);
            buf_addf(&c->notes, "%s%.*s", graded ? "; " : "", (int)line.len, line.data);
            graded = true;
        }
    if (graded) {
        buf_addf(&c->notes, ".");
        compare_end_note(c);
        put_incomparable(c, run->method, MEASURE_ACCURACY, "answers were graded by other rules");
    }
    for (cord_text rest = lines; text_next_line(&rest, &line);) /* a run that has none has no such figure */
        if (text_starts(line, TEXT("measures.held_out")) && text_find(line, TEXT("''")) < 0) {
            buf_addf(&c->notes, "PP by the held-out scorer of %s cannot be compared with %s as it stands: %.*s.",
                     run->folder, base->folder, (int)line.len, line.data);
            compare_end_note(c);
        }
    return CORD_OK;
}

static cord_status note_runs(struct compare *c, cord_error *err) {
    const struct compared_run *base = c->first[c->comparison.baseline];
    for (int r = 0; r < c->n_runs; r++) {
        const struct compared_run *run = &c->runs[r];
        if (!run->journal) continue;
        CORD_TRY(note_past(c, run, err));
        if (run == base || !base->journal) continue;
        CORD_TRY(note_weights(c, base, run, err));
        CORD_TRY(note_grading(c, base, run, err));
    }
    return CORD_OK;
}

cord_status compare_note(struct compare *c, cord_error *err) {
    CORD_TRY(note_versions(c, err));
    note_scorers(c);
    note_unequal(c);
    note_amounts(c);
    note_partial(c);
    note_sizes(c);
    note_keeping(c);
    note_golds(c);
    note_held_out(c);
    CORD_TRY(note_runs(c, err));
    return buf_check(&c->notes, err);
}
