/* flaws.c - see flaws.h. */
#include "export/flaws.h"

#include "answer/mention.h"
#include "base/special.h"
#include "export/hashes.h"
#include "export/words.h"

#include <math.h>
#include <stdio.h>

const char *const flaw_names[] = {"gold-first", "repeats",       "script", "language", "unclosed",
                                  "weak-step",  "special-token", "cut",    NULL};

/* ---- the gold, too early ----------------------------------------------------------------------------------------- */

enum { FEWEST_STEPS = 3 }; /* in a trace of one or two steps, the first may well have the answer */

/* What counts as a mention: docs/compare.md. */
static bool gold_first(const struct example *e) {
    return e->n_steps >= FEWEST_STEPS && answer_in_step(e->gold, e->steps[0].bare) &&
           !answer_mention(e->gold, e->question, 0).data;
}

/* ---- repetition -------------------------------------------------------------------------------------------------- */

enum { GRAM = 10, FEWEST_REPEATED = 30, LARGEST_SHARE = 5 /* a fifth */ };

static cord_status repeats(cord_text text, bool *found, cord_error *err) {
    struct words words;
    struct hashes seen;
    size_t again = 0, grams = 0;
    CORD_TRY(words_init(&words, text, err));
    hashes_init(&seen);
    cord_status status = CORD_OK;
    for (size_t at = 0; status == CORD_OK && at + GRAM <= words.n; at++, grams++) {
        uint64_t gram = words_gram(&words, at, GRAM);
        again += hashes_get(&seen, gram) != NULL;
        status = hashes_put(&seen, gram, 0, err);
    }
    hashes_release(&seen);
    words_release(&words);
    *found = again >= FEWEST_REPEATED && LARGEST_SHARE * again >= grams;
    return status;
}

/* ---- scripts ------------------------------------------------------------------------------------------------------ */

enum script { LATIN, CYRILLIC, HEBREW, ARABIC, INDIC, THAI, HANGUL, KANA, HAN, SCRIPTS };

static const struct {
    uint32_t first, last;
    enum script script;
} ranges[] = {
    {'A', 'Z', LATIN},        {'a', 'z', LATIN},        {0xC0, 0x24F, LATIN},   {0x400, 0x52F, CYRILLIC},
    {0x590, 0x5FF, HEBREW},   {0x600, 0x6FF, ARABIC},   {0x900, 0xDFF, INDIC},  {0xE00, 0xE7F, THAI},
    {0x1100, 0x11FF, HANGUL}, {0xAC00, 0xD7A3, HANGUL}, {0x3040, 0x30FF, KANA}, {0x3400, 0x4DBF, HAN},
    {0x4E00, 0x9FFF, HAN},    {0x20000, 0x2FFFF, HAN},
};

static void count_scripts(cord_text text, size_t counts[SCRIPTS]) {
    memset(counts, 0, SCRIPTS * sizeof *counts);
    for (size_t at = 0; at < text.len;) {
        uint32_t c = utf8_next(text, &at);
        for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
            if (c >= ranges[i].first && c <= ranges[i].last) counts[ranges[i].script]++;
    }
}

/* Letters of a script that the question has none of, and that the trace does not begin with. Greek is mathematics, and
 * Latin stands in formulas everywhere. */
static bool script_changes(cord_text question, cord_text reasoning, cord_text reply) {
    enum { FEWEST_LETTERS = 4 };
    size_t asked[SCRIPTS], begun[SCRIPTS], said[SCRIPTS], replied[SCRIPTS];
    count_scripts(question, asked);
    count_scripts(text_slice(reasoning, 0, utf8_valid_prefix(text_slice(reasoning, 0, reasoning.len / 4))), begun);
    count_scripts(reasoning, said);
    count_scripts(reply, replied);
    for (int s = CYRILLIC; s < SCRIPTS; s++)
        if (!asked[s] && said[s] + replied[s] >= FEWEST_LETTERS && 8 * begun[s] < said[s] + replied[s]) return true;
    return false;
}

/* ---- languages ----------------------------------------------------------------------------------------------------- */

/* Small words that are of one of these languages alone. */
static const char *const small_words[][12] = {
    {"the", "of", "and", "is", "that", "we", "this", "with", "which", "are", "there", "have"},         /* English */
    {"der", "und", "ist", "nicht", "das", "wir", "auch", "eine", "sind", "mit", "wird", "dass"},       /* German */
    {"les", "est", "dans", "nous", "pour", "une", "avec", "donc", "sont", "cette", "qui", "aussi"},    /* French */
    {"los", "las", "una", "para", "por", "como", "entonces", "tenemos", "pero", "son", "esta", "hay"}, /* Spanish */
    {"che", "sono", "della", "quindi", "abbiamo", "perch\xC3\xA9", "anche", "questo", "il", "gli", "nel", "ogni"},
    {"uma", "n\xC3\xA3o", "ent\xC3\xA3o", "temos", "mais", "isso", "dos", "ao", "pelo", "ele", "muito", "seu"},
};
enum { LANGUAGES = sizeof small_words / sizeof *small_words, FEWEST_SMALL = 6 };

static void count_languages(cord_text text, size_t counts[LANGUAGES]) {
    uint64_t small[LANGUAGES][12];
    size_t at = 0;
    memset(counts, 0, LANGUAGES * sizeof *counts);
    for (int l = 0; l < LANGUAGES; l++)
        for (int i = 0; i < 12; i++) small[l][i] = word_hash(text_of(small_words[l][i]));
    for (cord_text word; (word = words_next(text, &at)).len;) {
        uint64_t hash = word_hash(word);
        for (int l = 0; l < LANGUAGES; l++)
            for (int i = 0; i < 12; i++) counts[l] += small[l][i] == hash;
    }
}

/* The language that a text is plainly in, or -1. */
static int language_of(cord_text text) {
    size_t counts[LANGUAGES], all = 0;
    int best = 0;
    count_languages(text, counts);
    for (int l = 0; l < LANGUAGES; l++) {
        all += counts[l];
        if (counts[l] > counts[best]) best = l;
    }
    return counts[best] >= FEWEST_SMALL && 3 * counts[best] > 2 * all ? best : -1;
}

/* Quarters of the trace, each in a language of its own or in none that can be told. */
static bool language_changes(cord_text question, cord_text reasoning) {
    int first = language_of(question);
    for (size_t i = 0; i < 4; i++) {
        int here = language_of(text_slice(reasoning, i * reasoning.len / 4, (i + 1) * reasoning.len / 4));
        if (here < 0) continue;
        if (first < 0) first = here;
        if (here != first) return true;
    }
    return false;
}

/* ---- tags ---------------------------------------------------------------------------------------------------------- */

static size_t occurrences(cord_text text, cord_text what) {
    size_t n = 0;
    for (ptrdiff_t at; (at = text_find(text, what)) >= 0; n++) text = text_slice(text, (size_t)at + what.len, text.len);
    return n;
}

static bool unclosed(cord_text reasoning, cord_text reply) {
    static const char *const thinking[] = {"<think>",    "</think>",    "<thinking>",         "</thinking>",
                                           "[THINK]",    "[/THINK]",    "<seed:think>",       "</seed:think>",
                                           "<mm:think>", "</mm:think>", "<|START_THINKING|>", "<|END_THINKING|>"};
    static const char *const tags[] = {"answer", "reasoning", "thought", "step", "solution", "code", "reflection"};
    const cord_text parts[] = {reasoning, reply};
    for (int p = 0; p < 2; p++) {
        for (size_t i = 0; i < sizeof thinking / sizeof *thinking; i++)
            if (text_find(parts[p], text_of(thinking[i])) >= 0) return true;
        if (occurrences(parts[p], TEXT("```")) % 2) return true;
        if (occurrences(parts[p], TEXT("\\begin{")) != occurrences(parts[p], TEXT("\\end{"))) return true;
        for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
            char open[32], close[32];
            int n_open = snprintf(open, sizeof open, "<%s>", tags[i]);
            int n_close = snprintf(close, sizeof close, "</%s>", tags[i]);
            if (occurrences(parts[p], (cord_text){open, (size_t)n_open}) !=
                occurrences(parts[p], (cord_text){close, (size_t)n_close}))
                return true;
        }
    }
    return false;
}

/* ---- steps --------------------------------------------------------------------------------------------------------- */

static bool weak_step(const struct example *e) {
    const double weak = log(0.01);
    if (e->is_steps || e->grade != GRADE_CORRECT) return false; /* steps alone have no answer */
    for (int i = 0; i < e->n_steps; i++)
        if (e->steps[i].after < weak) return true; /* NAN is not */
    return false;
}

/* ---- special tokens -------------------------------------------------------------------------------------------------- */

static bool has_special(cord_text text) {
    for (size_t at = 0; at < text.len; at++) {
        size_t n = special_length(text, at);
        if (n && special_is_known(text_slice(text, at, at + n))) return true;
    }
    return false;
}

/* ---- all ----------------------------------------------------------------------------------------------------------- */

cord_status flaws_of_texts(cord_text question, cord_text reasoning, cord_text reply, unsigned *found, cord_error *err) {
    bool again;
    CORD_TRY(repeats(reasoning, &again, err));
    *found = (unsigned)again << FLAW_REPEATS | (unsigned)script_changes(question, reasoning, reply) << FLAW_SCRIPT |
             (unsigned)language_changes(question, reasoning) << FLAW_LANGUAGE |
             (unsigned)unclosed(reasoning, reply) << FLAW_UNCLOSED;
    return CORD_OK;
}

cord_status flaws_of_example(const struct example *e, unsigned *found, cord_error *err) {
    CORD_TRY(flaws_of_texts(e->question, e->reasoning, e->reply, found, err));
    *found |= (unsigned)gold_first(e) << FLAW_GOLD_FIRST | (unsigned)weak_step(e) << FLAW_WEAK_STEP;
    bool special = has_special(e->question) || has_special(e->reasoning) || has_special(e->reply);
    *found |= (unsigned)special << FLAW_SPECIAL_TOKEN | (unsigned)e->cut << FLAW_CUT;
    return CORD_OK;
}
