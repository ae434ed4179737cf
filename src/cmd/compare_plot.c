/* compare_plot.c - quality against cost, a letter a method, in characters: the curve on which a method's settings lie. It must
 * not compute anything but places. */
#include "cmd/compare.h"

#include <math.h>

enum { ROWS = 9, COLUMNS = 60, FEWEST = 3 /* of two the table says it all */ };

struct plot {
    const struct comparison *cmp;
    enum measure quality, cost;
    double least, most, costliest; /* quality from the lowest row to the highest; cost at the right edge */
    char cell[ROWS][COLUMNS + 1];
    bool beaten[ROWS][COLUMNS]; /* what stands there is a method that another beats */
};

static bool is_beaten(const struct plot *plot, int method) {
    return comparison_is_beaten(plot->cmp, method, plot->quality, plot->cost);
}

static void measure_axes(struct plot *plot) {
    plot->least = INFINITY;
    plot->most = -INFINITY;
    for (int i = 0; i < plot->cmp->n_methods; i++) {
        const double *mean = plot->cmp->methods[i].mean;
        plot->least = fmin(plot->least, mean[plot->quality]);
        plot->most = fmax(plot->most, mean[plot->quality]);
        plot->costliest = fmax(plot->costliest, mean[plot->cost]);
    }
}

static int row_of(const struct plot *plot, double quality) {
    double range = plot->most - plot->least;
    return range > 0 ? (int)lround((plot->most - quality) / range * (ROWS - 1)) : 0;
}

/* The letters of a method at its place; where that is taken, beside it. */
static void put_method(struct plot *plot, int method, const char *letters) {
    const double *mean = plot->cmp->methods[method].mean;
    int row = row_of(plot, mean[plot->quality]), n = (int)strlen(letters), last = COLUMNS - n;
    int wanted = plot->costliest > 0 ? (int)lround(mean[plot->cost] / plot->costliest * last) : 0;
    for (int i = 0; i < 2 * COLUMNS; i++) { /* to the right and to the left, ever farther */
        int at = wanted + (i % 2 ? -(i + 1) / 2 : i / 2);
        if (at < 0 || at > last || strspn(plot->cell[row] + at, " ") < (size_t)n) continue;
        memcpy(plot->cell[row] + at, letters, (size_t)n);
        for (int k = 0; k < n; k++) plot->beaten[row][at + k] = is_beaten(plot, method);
        return;
    }
}

static void print_row(const struct plot *plot, struct page *page, int row, bool labelled) {
    int shown = (int)strlen(plot->cell[row]);
    while (shown > 0 && plot->cell[row][shown - 1] == ' ') shown--;
    if (labelled)
        page_print(page, PAINT_NONE, "%8.4f |", row ? plot->least : plot->most);
    else
        page_print(page, PAINT_NONE, "%8s |", "");
    for (int at = 0; at < shown; at++)
        page_print(page, plot->beaten[row][at] ? PAINT_DIM : PAINT_BOLD, "%c", plot->cell[row][at]);
    page_print(page, PAINT_NONE, "\n");
}

static void print_plot(struct compare *c, struct page *page, enum measure quality, enum measure cost) {
    struct plot plot = {.cmp = &c->comparison, .quality = quality, .cost = cost};
    measure_axes(&plot);
    for (int row = 0; row < ROWS; row++) snprintf(plot.cell[row], sizeof plot.cell[row], "%*s", COLUMNS, "");
    for (int i = 0; i < plot.cmp->n_methods; i++) put_method(&plot, i, c->letters[i]);
    int last = row_of(&plot, plot.least);
    page_print(page, PAINT_NONE, "%s\n", measure_infos[quality].name);
    for (int row = 0; row <= last; row++) print_row(&plot, page, row, row == 0 || row == last);
    char most[32], line[COLUMNS + 1];
    snprintf(most, sizeof most, cost == MEASURE_FLOPS ? "%.3g" : "%.1f", plot.costliest);
    memset(line, '-', COLUMNS);
    line[COLUMNS] = '\0';
    page_print(page, PAINT_NONE, "%8s +%s\n%8s  0%*s\n", "", line, "", COLUMNS - 1, most);
    page_print(page, PAINT_NONE, "not beaten:");
    for (int i = 0; i < plot.cmp->n_methods; i++)
        if (!is_beaten(&plot, i)) page_print(page, PAINT_BOLD, " %s", c->letters[i]);
    page_print(page, PAINT_NONE, "\n");
}

enum measure compare_cost(const struct compare *c) {
    static const enum measure costs[] = {MEASURE_TOKENS, MEASURE_FLOPS, MEASURE_TIME}; /* as --against's words */
    const struct option_value *against = call_option(c->call, "against");
    if (against->given) return costs[against->choice];
    return comparison_has_means(&c->comparison, MEASURE_FLOPS) ? MEASURE_FLOPS : MEASURE_TOKENS;
}

bool compare_has_plot(const struct compare *c) {
    int n = c->comparison.n_methods;
    if (!c->comparison.n_problems) return false;
    if (call_option(c->call, "against")->given) return true;
    return n >= FEWEST && comparison_has_means(&c->comparison, compare_cost(c)) &&
           (comparison_has_means(&c->comparison, MEASURE_ACCURACY) || comparison_has_means(&c->comparison, MEASURE_PP));
}

void compare_plot(struct compare *c, struct page *page) {
    const struct comparison *cmp = &c->comparison;
    enum measure cost = compare_cost(c);
    if (!compare_has_plot(c)) return;
    bool accuracy = comparison_has_means(cmp, MEASURE_ACCURACY), pp = comparison_has_means(cmp, MEASURE_PP);
    page_print(page, PAINT_BOLD, "\nQuality against cost (%s)\n", measure_infos[cost].name);
    if (!comparison_has_means(cmp, cost)) {
        page_print(page, PAINT_NONE, "Not known of all methods.\n");
        return;
    }
    page_text(page, PAINT_NONE,
              TEXT("Means alone: the comparisons say what is established. A method is beaten where another reaches as "
                   "much for less, or more for as much."),
              0, 0);
    if (accuracy) print_plot(c, page, MEASURE_ACCURACY, cost);
    if (pp) print_plot(c, page, MEASURE_PP, cost);
    if (!accuracy || !pp)
        page_print(page, PAINT_NONE, "Not drawn, since not known of all methods, or not comparable: %s\n",
                   accuracy ? "PP"
                   : pp     ? "accuracy"
                            : "accuracy and PP");
}
