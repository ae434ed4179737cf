/* phrase.c - the answer behind words that announce it: "the final answer is …", "Answer: …", a heading "Answer", "#### …",
 * "the correct option is B"; and where its sentence ends. It must not know boxes (an answer may hold one) or what answers
 * mean. */
#include "answer/find/extract.h"

/* ---- words --------------------------------------------------------------------------------------------------- */

/* Words between "is" and the answer that say nothing about it. */
static const char *const fillers[] = {
    "approximately", "approx.", "about", "roughly", "exactly", "simply", "therefore", "thus", "then", "hence",   "just",
    "indeed",        "also",    "now",   "clearly", "equal",   "to",     "given",     "by",   "as",   "follows", NULL};

/* "The answer is correct", "Tell me if the answer is of use": a remark about an answer, which counts only where no
 * other phrase is there. */
static const char *const remarks[] = {"correct",   "incorrect", "not",      "reasonable", "consistent",
                                      "valid",     "in",        "verified", "unique",     "still",
                                      "supported", "confirmed", "clear",    "plausible",  NULL};

/* Behind a comma these begin what the answer rests on. */
static const char *const reasons[] = {"because", "since", "which", "so", NULL};

/* A period behind these ends no sentence. */
static const char *const abbreviations[] = {"mr", "mrs", "ms", "dr", "st", "vs", "approx", "no", NULL};

/* The length of the word of the list that stands at `at`, or 0. */
static size_t listed_at(cord_text t, size_t at, const char *const *words) {
    for (; *words; words++)
        if (answer_word_at(t, at, *words)) return strlen(*words);
    return 0;
}

static size_t skip_of(cord_text t, size_t at, const char *set) {
    while (answer_is_of(set, answer_at(t, at))) at++;
    return at;
}

/* ---- phrases ------------------------------------------------------------------------------------------------- */

/* The end of the bold, italic or code mark at `at`: of one character, once to three times. */
static size_t behind_emphasis(cord_text t, size_t at) {
    size_t end = at;
    while (end < t.len && end - at < 3 && answer_is_of("*_`", t.data[end]) && t.data[end] == t.data[at]) end++;
    return end;
}

/* From behind "is" or ":" to the answer's first byte: blanks, the end of a bold phrase, words that say nothing. */
static size_t skip_to_answer(cord_text t, size_t at) {
    for (size_t from;;) {
        from = at;
        at = answer_skip_blanks(t, at);
        size_t mark = behind_emphasis(t, at), n = listed_at(t, at, fillers);
        if (mark > at && (mark == t.len || answer_is_blank(t.data[mark]) || t.data[mark] == ':')) at = mark;
        if (n > 0) at = skip_of(t, at + n, ",");
        if (answer_at(t, at) == ':') at++;
        if (at == from) return at;
    }
}

/* "to the question", "for part 2", "(in dollars)" behind "answer": its end, or `at`. Short, and of one sentence. */
static size_t behind_insertion(cord_text t, size_t at) {
    enum { LONGEST = 80 };
    bool bracket = answer_at(t, at) == '(';
    if (!bracket && !answer_word_at(t, at, "to") && !answer_word_at(t, at, "for")) return at;
    for (size_t end = at; end < t.len && end - at < LONGEST && !answer_is_of(".:;!?\r\n", t.data[end]); end++) {
        if (bracket && t.data[end] == ')') return skip_of(t, end + 1, " *_");
        if (!bracket && (answer_word_at(t, end, "is") || answer_word_at(t, end, "are"))) return end;
    }
    return at;
}

/* Whether the line up to `at` says no more than "## The Final " does. */
static bool opens_line(cord_text t, size_t at) {
    static const char *const words[] = {"the", "my", "final", "correct", NULL};
    enum { LONGEST = 40 };
    size_t start = at;
    while (start > 0 && at - start < LONGEST && t.data[start - 1] != '\n') start--;
    if (start > 0 && t.data[start - 1] != '\n') return false;
    for (size_t i = start; i < at;) {
        size_t n = listed_at(t, i, words);
        if (n == 0 && !answer_is_of(" \t#*_>", t.data[i])) return false;
        i += n ? n : 1;
    }
    return true;
}

/* Whether nothing but marks stands from `at` to the end of the line. */
static bool closes_line(cord_text t, size_t at) {
    at = skip_of(t, at, " \t\r#*_");
    return at == t.len || t.data[at] == '\n';
}

/* "answer is", "Answers:", "**Answer**: ", a heading "Final Answer": the offset of what follows the phrase with the word at
 * `at`, or 0. */
static size_t behind_phrase(cord_text t, size_t at) {
    size_t end;
    if (answer_word_at(t, at, "answer"))
        end = at + strlen("answer");
    else if (answer_word_at(t, at, "answers"))
        end = at + strlen("answers");
    else
        return 0;
    if (closes_line(t, end) && opens_line(t, at)) return skip_to_answer(t, skip_of(t, end, " \t\r#*_"));
    end = behind_insertion(t, skip_of(t, end, " *_"));
    if (answer_word_at(t, end, "is")) return skip_to_answer(t, end + strlen("is"));
    if (answer_word_at(t, end, "are")) return skip_to_answer(t, end + strlen("are"));
    if (answer_word_at(t, end, "equals")) return skip_to_answer(t, end + strlen("equals"));
    return answer_is_of(":=", answer_at(t, end)) ? skip_to_answer(t, end + 1) : 0;
}

/* The offset where the letters begin that end before `at` and blanks. */
static size_t word_before(cord_text t, size_t at) {
    enum { LONGEST = 20 };
    size_t end = at = answer_back_blanks(t, at);
    while (at > 0 && end - at < LONGEST && answer_is_letter(t.data[at - 1])) at--;
    return at;
}

/* Whether a choice's letter stands at `at`, by itself: "(B)", "\text{B}", "**B.** Paris". */
static bool is_choice(cord_text t, size_t at) {
    size_t letter = skip_of(t, at, "$*_`({[");
    if (answer_has(t, letter, TEXT("\\text{"))) letter += strlen("\\text{");
    char c = answer_at(t, letter), next = answer_at(t, letter + 1);
    size_t behind = answer_skip_blanks(t, letter + 1);
    return c >= 'A' && c <= 'J' &&
           (next == '\0' || answer_is_of("$*_`)}].,:;\r\n", next) || answer_word_at(t, behind, "because") ||
            answer_word_at(t, behind, "since"));
}

/* The same as behind_phrase of "the correct option is (B)", where a choice's letter follows. */
static size_t behind_choice(cord_text t, size_t at) {
    static const char *const nouns[] = {"option", "choice", "alternative", NULL};
    static const char *const which[] = {"correct", "right", "best", NULL};
    size_t end = at + listed_at(t, at, nouns);
    if (end == at || listed_at(t, word_before(t, at), which) == 0) return 0;
    end = skip_of(t, end, " *_");
    if (answer_word_at(t, end, "is"))
        end = skip_to_answer(t, end + strlen("is"));
    else if (answer_at(t, end) == ':')
        end = skip_to_answer(t, end + 1);
    else
        return 0;
    return is_choice(t, end) ? end : 0;
}

/* ---- the end of an answer ------------------------------------------------------------------------------------ */

static const struct {
    cord_text open, close;
    bool one_line;
} formulas[] = {
    {TEXT("$$"), TEXT("$$"), false},           {TEXT("$"), TEXT("$"), true},
    {TEXT("\\("), TEXT("\\)"), false},         {TEXT("\\["), TEXT("\\]"), false},
    {TEXT("\\begin{"), TEXT("\\end{"), false},
};
enum { FORMULAS = sizeof formulas / sizeof *formulas };

/* Walks over an answer. Where a formula of many lines is once found open to the end, no other of its kind is looked for. */
struct walk {
    cord_text text;
    bool open[FORMULAS];
};

/* The offset behind the closing mark of a formula that begins at `at`, or -1. Of two "$" as pandoc has it: no blank inside
 * of either, no digit behind the second; so "$18. It was $5" is no formula. */
static ptrdiff_t closing_mark(cord_text t, size_t at, size_t kind) {
    cord_text close = formulas[kind].close;
    size_t from = at + formulas[kind].open.len;
    if (formulas[kind].one_line && answer_is_blank(answer_at(t, from))) return -1;
    for (size_t i = from; i < t.len && !(formulas[kind].one_line && t.data[i] == '\n'); i++) {
        bool closes = answer_has(t, i, close);
        if (closes && formulas[kind].one_line &&
            (i == from || answer_is_blank(t.data[i - 1]) || answer_is_digit(answer_at(t, i + 1))))
            return -1;
        if (closes) return (ptrdiff_t)(i + close.len);
        if (t.data[i] == '\\') i++;
    }
    return -1;
}

/* The end of the formula that begins at `at`, or `at`. */
static size_t behind_formula(struct walk *w, size_t at) {
    for (size_t kind = 0; kind < FORMULAS; kind++) {
        if (w->open[kind] || !answer_has(w->text, at, formulas[kind].open)) continue;
        ptrdiff_t end = closing_mark(w->text, at, kind);
        if (end >= 0) return (size_t)end;
        w->open[kind] = !formulas[kind].one_line;
    }
    return at;
}

/* Whether the period at `at` belongs to the answer: "p.m.", "U.S.", "Dr. Who". */
static bool is_abbreviation(cord_text t, size_t start, size_t at) {
    size_t word = at;
    while (word > start && answer_is_letter(t.data[word - 1])) word--;
    if (at - word == 1 && word > start + 1 && t.data[word - 1] == '.' && answer_is_letter(t.data[word - 2]))
        return true;
    return listed_at(text_slice(t, 0, at), word, abbreviations) == at - word && at > word;
}

/* Whether the sentence that begins at `start` ends at `at`: with the mark there, or because a reason follows. */
static bool ends_sentence(cord_text t, size_t start, size_t at) {
    char c = t.data[at];
    size_t next = at + 1;
    if (!answer_is_of(".?!,", c))
        return answer_word_at(t, at, "because") || answer_has(t, at, TEXT("\xE3\x80\x82")); /* 。 */
    while (answer_is_of("*_\"')", answer_at(t, next))) next++;                              /* "It is so.)" */
    bool gap = next < t.len && answer_is_blank(t.data[next]);
    if (c == '.') return gap && at > start && !is_abbreviation(t, start, at);
    if (c == '?') return gap;
    if (c == '!') { /* "5! + 1" goes on */
        char behind = answer_at(t, answer_skip_blanks(t, next));
        return gap && behind >= 'A' && behind <= 'Z';
    }
    return listed_at(t, answer_skip_blanks(t, next), reasons) > 0;
}

/* Whether the run of stars that ends at `end` closes one that was opened in the answer. */
static bool closes_stars(cord_text answer, size_t run) {
    size_t stars = 0;
    for (size_t i = 0; i + run < answer.len; i++) stars += answer.data[i] == '*';
    return stars % (2 * run) == run;
}

/* Takes away the mark that closes what was opened before the answer: "**Answer: 18**". */
static cord_text strip_stars(cord_text answer) {
    size_t run = 0;
    while (run < answer.len && answer.data[answer.len - 1 - run] == '*') run++;
    if (run == 0 || closes_stars(answer, run)) return answer;
    answer.len -= run;
    return text_trim_end(answer);
}

/* "**73**" and "`73`" are 73; "**73** dollars" stays whole, and "73** is it" is 73. */
static cord_text strip_emphasis(cord_text answer) {
    size_t run = behind_emphasis(answer, 0);
    if (run == 0) {
        for (size_t i = 1; i + 1 < answer.len; i++)
            if (answer_has(answer, i, TEXT("**")) && !answer_is_blank(answer.data[i - 1])) {
                bool closes = i + 2 == answer.len || answer_is_of(" .,", answer.data[i + 2]);
                return closes ? text_slice(answer, 0, i) : answer;
            }
        return strip_stars(answer);
    }
    ptrdiff_t close = text_find(text_slice(answer, run, answer.len), text_slice(answer, 0, run));
    if (close < 0) return strip_stars(text_slice(answer, run, answer.len));
    size_t inside_end = run + (size_t)close, rest = skip_of(answer, inside_end + run, ".,:!");
    return close > 0 && rest == answer.len ? text_slice(answer, run, inside_end) : answer;
}

/* Without the period or the like that ends the sentence. "5!" keeps its mark, which may be a factorial's. */
static cord_text strip_period(cord_text answer) {
    if (answer.len == 0) return answer;
    cord_text before = text_slice(answer, 0, answer.len - 1);
    char last = answer.data[before.len], c = before.len ? before.data[before.len - 1] : ' ';
    bool period = last == '.' && c != '.' && !is_abbreviation(answer, 0, before.len);
    bool letter = answer_is_letter(c) && (before.len < 2 || !answer_is_letter(before.data[before.len - 2]));
    bool exclamation = last == '!' && !answer_is_digit(c) && !answer_is_of(")}", c) && !letter;
    return period || exclamation ? text_trim_end(before) : answer;
}

/* The answer from `at` to the end of its line or sentence: "18. I hope this helps." is 18, "3.5" is whole. */
static cord_text cut_answer(cord_text t, size_t at) {
    struct walk w = {.text = t};
    size_t end = at;
    while (end < t.len) {
        size_t behind = behind_formula(&w, end);
        if (behind == end && (t.data[end] == '\n' || ends_sentence(t, at, end))) break;
        if (behind == end) behind += 1 + (t.data[end] == '\\' && end + 1 < t.len && t.data[end + 1] != '\n');
        end = behind;
    }
    if (answer_at(t, end) == '!') end++;
    cord_text answer = text_trim(text_slice(t, at, end));
    return text_trim(strip_period(strip_emphasis(strip_period(answer))));
}

/* A box with nothing in it but the place of an answer, whether closed or not, is where an answer should have stood. */
static bool is_empty_box(cord_text t) {
    bool box = false;
    for (size_t i = 0; i < t.len;) {
        size_t n = answer_has(t, i, TEXT("\\boxed")) ? strlen("\\boxed") : 0;
        if (answer_has(t, i, TEXT("\\fbox"))) n = strlen("\\fbox");
        box |= n > 0;
        if (n == 0 && t.data[i] == '\\' && answer_is_of("()[]", answer_at(t, i + 1))) n = 2;
        if (n == 0 && answer_is_of(" \t\r\n{}.$*", t.data[i])) n = 1;
        if (n == 0 && box) n = answer_behind_place(t, i) - i;
        if (n == 0) return false;
        i += n;
    }
    return box;
}

/* Whether there is anything in it but marks. */
static bool is_something(cord_text t) {
    for (size_t i = 0; i < t.len; i++)
        if (!answer_is_of(" \t\r\n.$*_:#", t.data[i])) return true;
    return false;
}

/* ---- the last of them ---------------------------------------------------------------------------------------- */

/* "if the answer is …", "whether your answer is …": said of an answer that stands elsewhere. */
static bool is_doubted(cord_text t, size_t at) {
    static const char *const whose[] = {"the", "my", "your", "this", "our", "final", NULL};
    static const char *const doubts[] = {"if", "whether", NULL};
    size_t word = word_before(t, at);
    while (word < at && listed_at(t, word, whose) > 0) word = word_before(t, at = word);
    return listed_at(t, word, doubts) > 0;
}

/* The offset of what follows the last phrase that something follows, or 0. */
static size_t find_phrase(cord_text t) {
    size_t remark = 0;
    for (size_t at = t.len; at-- > 0;) {
        size_t behind = answer_is_of("aA", t.data[at]) ? behind_phrase(t, at) : 0;
        if (behind == 0 && answer_is_of("aAcCoO", t.data[at])) behind = behind_choice(t, at);
        if (behind == 0) continue;
        bool is_remark = listed_at(t, behind, remarks) > 0 || is_doubted(t, at);
        if ((is_remark && remark > 0) || !is_something(cut_answer(t, behind))) continue;
        if (!is_remark) return behind;
        remark = behind;
    }
    return remark;
}

/* "#### Note", "#### 3. Check": "####" opens headings, too. */
static bool is_heading(cord_text t, size_t at) {
    cord_text answer = cut_answer(t, at);
    size_t end = (size_t)(answer.data - t.data) + answer.len;
    return answer_is_letter(answer_at(answer, skip_of(answer, 0, "*_"))) || !closes_line(t, skip_of(t, end, ".*_"));
}

/* The offset of what follows the last "####" at the start of a line, as in GSM8K, or 0. A heading counts only where none
 * before it is an answer. */
static size_t find_hashes(cord_text t) {
    enum { MOST_HEADINGS = 16 }; /* that are looked into: each may be as long as the text */
    size_t heading = 0, headings = 0;
    for (cord_text rest = t; headings < MOST_HEADINGS;) {
        ptrdiff_t at = text_rfind(rest, TEXT("####"));
        if (at < 0) break;
        rest = text_slice(t, 0, (size_t)at);
        if (at > 0 && t.data[at - 1] != '\n') continue;
        size_t behind = skip_of(t, (size_t)at + 4, " \t");
        if (behind == t.len || answer_is_of("\r\n#", t.data[behind]) || !is_something(cut_answer(t, behind))) continue;
        if (!is_heading(t, behind)) return behind;
        if (heading == 0) heading = behind;
        headings++;
    }
    return heading;
}

cord_found answer_phrase(cord_text t, cord_text *answer) {
    size_t phrase = find_phrase(t), hashes = find_hashes(t);
    /* the later one counts; but a heading only where there is no phrase to choose instead */
    bool is_phrase = phrase > hashes || (phrase > 0 && is_heading(t, hashes));
    if (!is_phrase && hashes == 0) return CORD_FOUND_NOTHING;
    cord_text found = cut_answer(t, is_phrase ? phrase : hashes);
    if (is_empty_box(found)) return CORD_FOUND_NOTHING;
    *answer = found;
    return is_phrase ? CORD_FOUND_PHRASE : CORD_FOUND_HASHES;
}
