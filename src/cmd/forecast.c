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

static void row(struct page *page, const struct sample *s, const char *what, double amount, bool money) {
    char cells[3][40];
    double each = s->counted ? amount / s->counted : 0, all = amount + each * s->left;
    const double values[] = {amount, each, all};
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

/* A bound that the whole run would go beyond. */
static void warn(struct page *page, const struct sample *s, const char *key, double bound, double amount) {
    double all = s->counted ? amount + amount / s->counted * s->left : amount;
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
    const struct spending *spent = &s->spending;
    row(page, s, "requests to servers", (double)spent->requests, false);
    row(page, s, "  tokens of prompts", (double)spent->prompt_tokens, false);
    row(page, s, "  of these cached there", (double)spent->cached_tokens, false);
    row(page, s, "  tokens written", (double)spent->new_tokens, false);
    if (spent->money > 0) row(page, s, "  money", spent->money, true);
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
    row(&page, s, "tokens that teachers write", (double)(s->totals.proposed_tokens + s->totals.answer_tokens), false);
    row(&page, s, "tokens to score", (double)(s->totals.score_prompt_tokens - s->totals.score_cached_tokens), false);
    if (s->has_servers) print_servers(&page, s);
    print_time(&page, s);
    const struct spending *spent = &s->spending;
    warn(&page, s, "budget.requests", (double)s->budget.requests, (double)(spent->requests + spent->lost));
    warn(&page, s, "budget.tokens", (double)s->budget.tokens, (double)(spent->prompt_tokens + spent->new_tokens));
    warn(&page, s, "budget.money", s->budget.money, spent->money);
    page_print(&page, PAINT_NONE,
               "What is done is kept in %s: the same command without --dry-run goes on from there.\n", s->folder);
    page_release(&page);
}
