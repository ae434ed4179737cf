/* last_number.c - the last number of a text that names its answer in no other way. It must not know what numbers are worth:
 * it only sees where one begins and ends.
 *
 * The text is read once from its beginning, and the last number that stands for itself is kept. */
#include "answer/find/extract.h"

/* ---- the parts of a number ----------------------------------------------------------------------------------- */

static const cord_text minus = TEXT("\xE2\x88\x92");
static const cord_text currencies[] = {TEXT("\\$"), TEXT("$"), TEXT("\xE2\x82\xAC"), TEXT("\xC2\xA3"),
                                       TEXT("\xC2\xA5")};

/* Digits in groups of three: "1,080", "1{,}080", "1,\!080"; the end of one more group, or `at`. */
static size_t behind_group(cord_text t, size_t at) {
    static const cord_text separators[] = {TEXT("{,}"), TEXT(",\\!"), TEXT("\\,"), TEXT(",")};
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++) {
        size_t digits = at + separators[i].len, n = 0;
        if (!answer_has(t, at, separators[i])) continue;
        while (n < 4 && answer_is_digit(answer_at(t, digits + n))) n++;
        if (n == 3) return digits + n;
    }
    return at;
}

static size_t behind_digits(cord_text t, size_t at) {
    while (answer_is_digit(answer_at(t, at))) at++;
    return at;
}

/* "1,080.50", ".5", "1e3": its end, or `at`. */
static size_t behind_decimal(cord_text t, size_t start) {
    size_t at = behind_digits(t, start), next;
    if (at - start <= 3 && at > start)
        while ((next = behind_group(t, at)) > at) at = next;
    if (answer_at(t, at) == '.' && answer_is_digit(answer_at(t, at + 1))) at = behind_digits(t, at + 1);
    if (at > start && answer_is_of("eE", answer_at(t, at))) {
        next = at + 1 + answer_is_of("+-", answer_at(t, at + 1));
        if (answer_is_digit(answer_at(t, next))) at = behind_digits(t, next);
    }
    return at;
}

/* "\frac{3}{4}", "\frac34" with digits only: its end, or `at`. */
static size_t behind_fraction(cord_text t, size_t start) {
    static const cord_text names[] = {TEXT("\\frac"), TEXT("\\dfrac"), TEXT("\\tfrac")};
    size_t at = start;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (answer_has(t, start, names[i])) at = start + names[i].len;
    for (int part = 0; part < 2; part++) {
        bool brace = answer_at(t, at) == '{';
        size_t digits = at + brace, sign = answer_at(t, digits) == '-' && brace;
        size_t end = brace ? behind_digits(t, digits + sign) : digits + answer_is_digit(answer_at(t, digits));
        if (at == start || end == digits + sign || (brace && answer_at(t, end) != '}')) return start;
        at = end + brace;
    }
    return at;
}

/* What joins digits to one thing that is not a sum: "3/4", "12:30", "1.2.3", "2^{10}", "1 1/2", "1.5 \times 10^3"; its end,
 * or `at`. */
static size_t behind_tail(cord_text t, size_t at) {
    static const cord_text times[] = {TEXT("\\times10^"),
                                      TEXT("\\times 10^"),
                                      TEXT("\\cdot10^"),
                                      TEXT("\\cdot 10^"),
                                      TEXT("\xC3\x97"
                                           "10^"),
                                      TEXT("\xC3\x97 10^")};
    char c = answer_at(t, at), next = answer_at(t, at + 1);
    if (answer_is_of("/:.", c) && answer_is_digit(next)) return behind_decimal(t, at + 1);
    if (answer_has(t, at, TEXT(" / ")) && answer_is_digit(answer_at(t, at + 3))) return behind_decimal(t, at + 3);
    size_t power = c == '^' ? at + 1 : at, blank = at + (c == ' ');
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (answer_has(t, blank, times[i])) power = blank + times[i].len;
    if (power > at) {
        size_t open = power + (answer_at(t, power) == '{');
        size_t digits = open + (answer_at(t, open) == '-'), end = behind_digits(t, digits);
        if (end == digits || (open > power && answer_at(t, end) != '}')) return at;
        return end + (open > power);
    }
    if (c == ' ' && answer_is_digit(next)) { /* a mixed number */
        size_t slash = behind_digits(t, at + 1), end = behind_digits(t, slash + 1);
        return answer_at(t, slash) == '/' && end > slash + 1 ? end : at;
    }
    size_t fraction = behind_fraction(t, blank);
    return fraction > blank ? fraction : at;
}

/* ---- what stands around it ----------------------------------------------------------------------------------- */

static size_t line_start(cord_text t, size_t at) {
    while (at > 0 && answer_is_of(" \t#*>-", t.data[at - 1])) at--;
    return at;
}

static bool is_line_start(cord_text t, size_t at) { return at == 0 || t.data[at - 1] == '\n'; }

/* "Step 2:", "2. Then …", "2) …" at the start of a line count, they answer nothing. */
static bool is_counter(cord_text t, size_t start, size_t end) {
    static const char *const things[] = {"step",    "part",    "case",     "question",
                                         "problem", "example", "equation", "method"};
    size_t mark = end;
    while (answer_is_of("*_", answer_at(t, mark))) mark++;
    bool marked = answer_is_of(".):", answer_at(t, mark));
    if (marked && answer_at(t, mark) != ':' && is_line_start(t, line_start(t, start))) {
        size_t next = mark + 1;
        while (answer_is_of(" \t*_", answer_at(t, next))) next++;
        if (next > mark + 1 && next < t.len && !answer_is_of("\r\n", t.data[next])) return true;
    }
    size_t word = answer_back_blanks(t, start);
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        size_t n = strlen(things[i]);
        if (word < n || !answer_word_at(t, word - n, things[i])) continue;
        if (is_line_start(t, line_start(t, word - n))) return true;
    }
    return false;
}

/* Where the number with digits at `start` begins with its sign and currency: "-$5", "$-5". */
static size_t before_digits(cord_text t, size_t start, size_t end) {
    bool sign = false, currency = false;
    size_t at = start;
    for (size_t from = start + 1; from != at;) {
        from = at;
        cord_text before = text_slice(t, 0, at);
        for (size_t i = 0; !currency && i < sizeof currencies / sizeof *currencies; i++)
            if (text_ends(before, currencies[i])) {
                /* "$5$", "$5\text{ cm}$" are formulas, whose marks are left outside */
                if (text_equal(currencies[i], TEXT("$")) && answer_is_of("$\\", answer_at(t, end))) return at;
                currency = true;
                at -= currencies[i].len;
                break;
            }
        if (sign || at != from) continue;
        size_t n = text_ends(before, minus) ? minus.len : text_ends(before, TEXT("-")) || text_ends(before, TEXT("+"));
        if (n == 0) continue;
        char c = at > n ? t.data[at - n - 1] : ' '; /* behind what has a value it is a difference */
        if (answer_is_word(c) || answer_is_of(")]}-", c)) continue;
        sign = true;
        at -= n;
    }
    return at;
}

/* Whether digits that begin at `start` are a part of a name or of a formula: "x2", "x_2", "x^{2}", "\sqrt{2}". */
static bool is_inside_before(cord_text t, size_t start) {
    if (start == 0) return false;
    char c = t.data[start - 1];
    if (answer_is_word(c) || answer_is_of("_^", c)) return true;
    if (c != '{' || start < 2) return false;
    if (answer_is_of("_^]}", t.data[start - 2])) return true;
    size_t name = start - 1;
    while (name > 0 && answer_is_letter(t.data[name - 1])) name--;
    cord_text command = text_slice(t, name, start - 1);
    return command.len && !text_equal(command, TEXT("text")) && !text_equal(command, TEXT("boxed")) &&
           !text_equal(command, TEXT("fbox"));
}

/* Whether what stands behind makes it a part of something else: "2x", "3rd", "2\pi", "2^x". A unit does not: "18cm". */
static bool is_inside_after(cord_text t, size_t end) {
    static const char *const ordinals[] = {"st", "nd", "rd", "th"};
    if (answer_is_of("^_!", answer_at(t, end))) return true;
    size_t letters = end + (answer_at(t, end) == '\\'), behind = letters;
    while (answer_is_letter(answer_at(t, behind)) && behind - letters < 3) behind++;
    if (letters > end)
        return behind > letters && !answer_has(t, letters, TEXT("tex")) && !answer_has(t, letters, TEXT("mat"));
    if (behind - letters == 2)
        for (size_t i = 0; i < sizeof ordinals / sizeof *ordinals; i++)
            if (answer_has(t, letters, text_of(ordinals[i]))) return true;
    return behind - letters == 1;
}

/* "50%", "50 \%", "50 percent", "18€": the sign belongs to the number. */
static size_t behind_sign(cord_text t, size_t at) {
    static const cord_text signs[] = {TEXT("%"),        TEXT("\\%"),     TEXT("\\$"), TEXT("\xE2\x82\xAC"),
                                      TEXT("\xC2\xA3"), TEXT("\xC2\xB0")};
    size_t next = at + (answer_at(t, at) == ' ');
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (answer_has(t, next, signs[i]) && (i < 2 || next == at)) return next + signs[i].len;
    return answer_word_at(t, next, "percent") ? next + strlen("percent") : at;
}

bool answer_last_number(cord_text t, cord_text *number) {
    bool found = false;
    for (size_t at = 0; at < t.len;) {
        size_t end = behind_fraction(t, at), next;
        if (end == at && (answer_is_digit(t.data[at]) || t.data[at] == '.')) end = behind_decimal(t, at);
        if (end == at) {
            at++;
            continue;
        }
        while ((next = behind_tail(t, end)) > end) end = next;
        size_t start = at;
        at = end;
        if (is_inside_before(t, start) || is_inside_after(t, end) || is_counter(t, start, end)) continue;
        start = before_digits(t, start, end);
        *number = text_slice(t, start, behind_sign(t, end));
        found = true;
    }
    return found;
}
