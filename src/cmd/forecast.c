/* forecast.c - see forecast.h. */
#include "cmd/forecast.h"

#include "cmd/page.h"

#include <math.h>

/* 1,234,567 */
static const char *grouped(double value, char out[40]) {
    char digits[40];
    int n = snprintf(digits, sizeof digits, "%.0f", value), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static double written(const struct journal_totals *t) { return (double)(t->proposed_tokens + t->answer_tokens); }
static double scored(const struct journal_totals *t) {
    return (double)(t->score_prompt_tokens - t->score_cached_tokens + t->judged_tokens);
}

/* Tokens that models computed, by which what servers were asked for is divided among problems. */
static double tokens_of(const struct journal_totals *t) { return written(t) + scored(t); }

/* Of an amount: what a problem takes, by those that are done, and the whole run. What problems in the middle have had does not
 * come again. */
struct expected {
    double each, all;
};
static struct expected expect(const struct sample *s, double amount, double of_done, double of_open) {
    double each = of_done / s->counted, all = amount + each * s->left - of_open;
    return (struct expected){each, all > amount ? all : amount};
}

/* `checks` of the amount are of no problem. */
static struct expected expect_by_tokens(const struct sample *s, double amount, double checks) {
    double of_problems = amount - checks, all = tokens_of(&s->totals), share = all > 0 ? of_problems / all : 0;
    struct expected e =
        expect(s, of_problems, all > 0 ? share * tokens_of(&s->of_done) : of_problems, share * tokens_of(&s->of_open));
    return (struct expected){e.each, e.all + checks};
}

static void row(struct page *page, const char *what, double amount, struct expected expected, bool money) {
    char cells[3][40];
    const double values[] = {amount, expected.each, expected.all};
    page_print(page, PAINT_NONE, "  %-28s", what);
    for (int i = 0; i < 3; i++) {
        if (money)
            snprintf(cells[i], sizeof cells[i], "%.4f", values[i]);
        else if (i == 1 && values[i] < 1000)
            snprintf(cells[i], sizeof cells[i], "%.1f", values[i]);
        else
            grouped(values[i], cells[i]);
        page_print(page, i == 2 ? PAINT_BOLD : PAINT_NONE, " %16s", cells[i]);
    }
    page_print(page, PAINT_NONE, "\n");
}

static void row_by_tokens(struct page *page, const struct sample *s, const char *what, double amount, double checks) {
    row(page, what, amount, expect_by_tokens(s, amount, checks), false);
}

/* A bound that the whole run would go beyond. */
static void warn(struct page *page, const char *key, double bound, double all) {
    if (bound <= 0 || all <= bound) return;
    char most[40], wanted[40];
    bool money = bound != floor(bound) || all < 1000;
    if (money)
        snprintf(most, sizeof most, "%g", bound), snprintf(wanted, sizeof wanted, "%.2f", all);
    else
        grouped(bound, most), grouped(all, wanted);
    page_print(page, PAINT_WARN, "%s is %s, and the whole run would need about %s: it would stop before its end\n", key,
               most, wanted);
}

static void print_servers(struct page *page, const struct sample *s) {
    const struct spending *spent = &s->spending, *checks = &s->checks;
    row_by_tokens(page, s, "requests to servers", (double)spent->requests, (double)checks->requests);
    row_by_tokens(page, s, "  tokens of prompts", (double)spent->prompt_tokens, (double)checks->prompt_tokens);
    row_by_tokens(page, s, "  of these cached there", (double)spent->cached_tokens, (double)checks->cached_tokens);
    row_by_tokens(page, s, "  tokens written", (double)spent->new_tokens, (double)checks->new_tokens);
    if (spent->money > 0) row(page, "  money", spent->money, expect_by_tokens(s, spent->money, checks->money), true);
}

static double requests_of(const struct spending *s) { return (double)(s->requests + s->lost); }
static double all_tokens_of(const struct spending *s) { return (double)(s->prompt_tokens + s->new_tokens); }

static void print_warnings(struct page *page, const struct sample *s) {
    const struct spending *spent = &s->spending, *checks = &s->checks;
    warn(page, "budget.requests", (double)s->budget.requests,
         expect_by_tokens(s, requests_of(spent), requests_of(checks)).all);
    warn(page, "budget.tokens", (double)s->budget.tokens,
         expect_by_tokens(s, all_tokens_of(spent), all_tokens_of(checks)).all);
    warn(page, "budget.money", s->budget.money, expect_by_tokens(s, spent->money, checks->money).all);
}

static void print_time(struct page *page, const struct sample *s) {
    if (!s->done_now) return;
    /* servers and lanes take more at once, but nobody knows how much more: the sample's own pace is what is known */
    double seconds = s->seconds / s->done_now * s->left;
    bool hours = seconds >= 3600, minutes = seconds >= 60;
    page_print(page, PAINT_NONE,
               "The sample took %.0f s, %d problem%s at once; at that pace what is left takes %.1f %s", s->seconds,
               s->at_once, page_plural(s->at_once),
               hours     ? seconds / 3600
               : minutes ? seconds / 60
                         : seconds,
               hours     ? "h"
               : minutes ? "min"
                         : "s");
    if (s->wanted > s->at_once)
        page_print(page, PAINT_NONE, ", and less with the %d at once of the whole run", s->wanted);
    page_print(page, PAINT_NONE, ".\n");
}

void forecast_print(const struct sample *s, FILE *out) {
    struct page page;
    page_init(&page, out);
    if (!s->counted) {
        page_print(&page, PAINT_WARN, "no problem is done%s, so nothing can be said of the others\n", s->failed);
        page_release(&page);
        return;
    }
    page_print(&page, PAINT_BOLD, "%d of %d problems are done%s, %d are left\n", s->done, s->problems, s->failed,
               s->left);
    page_print(&page, PAINT_DIM, "  %-28s %16s %16s %16s\n", "", "these took", "a problem", "the whole run");
    row(&page, "tokens that teachers write", written(&s->totals),
        expect(s, written(&s->totals), written(&s->of_done), written(&s->of_open)), false);
    row(&page, "tokens to score", scored(&s->totals),
        expect(s, scored(&s->totals), scored(&s->of_done), scored(&s->of_open)), false);
    if (s->has_servers) print_servers(&page, s);
    print_time(&page, s);
    print_warnings(&page, s);
    page_print(&page, PAINT_NONE,
               "What is done is kept in %s: the same command without --dry-run goes on from there.\n", s->folder);
    page_release(&page);
}
