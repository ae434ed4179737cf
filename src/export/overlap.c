/* overlap.c - see overlap.h. */
#include "export/overlap.h"

#include "data/row_texts.h"
#include "data/source.h"
#include "export/rows.h"
#include "export/words.h"

#include <strings.h>

#define LINES_OF_A_FILE ((int64_t)1 << 40) /* a value is file * this + line */

void overlap_init(struct overlap *o, size_t n) {
    *o = (struct overlap){.n = n};
    hashes_init(&o->grams);
}

void overlap_release(struct overlap *o) {
    hashes_release(&o->grams);
    *o = (struct overlap){0};
}

static cord_status add_text(struct overlap *o, cord_text text, int64_t value, cord_error *err) {
    struct words words;
    CORD_TRY(words_init(&words, text, err));
    size_t n = words.n < o->n ? words.n : o->n;
    cord_status status = CORD_OK;
    if (words.n < OVERLAP_FEWEST && words.n < o->n) {
        o->too_short++;
        n = 0;
    }
    if (n > 0) {
        o->questions++;
        if (n < o->n) o->short_lengths[n] = true;
        for (size_t at = 0; status == CORD_OK && at + n <= words.n; at++)
            status = hashes_put(&o->grams, words_gram(&words, at, n), value, err);
    }
    words_release(&words);
    return status;
}

/* The text of a question's member: a string, or the last user's message of a list. */
static bool text_in(const json_t *value, cord_text *text) {
    cord_text asked = {0}, said = {0};
    if (json_is_string(value))
        asked = json_text_of(value);
    else
        rows_read_turns(value, &asked, &said);
    if (asked.data) *text = asked;
    return asked.data != NULL;
}

/* Sets write their names with capitals or without. */
static bool find_question(const struct json_row *row, cord_text *text) {
    static const char *const names[] = {"question", "problem", "prompt",   "instruction",
                                        "query",    "text",    "messages", "conversations"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < row->n; k++)
            if (row->members[k].key.len == strlen(names[i]) &&
                strncasecmp(row->members[k].key.data, names[i], strlen(names[i])) == 0 &&
                text_in(row->members[k].value, text))
                return true;
    return false;
}

/* What is packed otherwise than cord knows, or in another encoding, would match nothing and seem to be clean. */
static cord_status add_plain(struct overlap *o, cord_text text, int64_t value, cord_error *err) {
    bool nul = text.len && memchr(text.data, '\0', text.len);
    if (utf8_valid_prefix(text) == text.len && !nul) return add_text(o, text, value, err);
    return error_set(
        err, CORD_BAD_INPUT,
        "this is no text in UTF-8: give JSONL, JSON, CSV or Parquet (gzip and zstd are unpacked), or plain "
        "lines; iconv converts other encodings");
}

static cord_status add_row(struct overlap *o, cord_text line, int64_t value, cord_error *err) {
    if (text_trim(line).data[0] != '{') return add_plain(o, line, value, err);
    struct json_row row;
    CORD_TRY(json_row_parse(&row, line, err));
    cord_text question;
    cord_status status;
    if (find_question(&row, &question)) {
        status = row_check_text("question", question, err);
        if (status == CORD_OK) status = add_text(o, question, value, err);
    } else {
        char names[200];
        json_row_names(&row, names, sizeof names);
        status = error_set(err, CORD_BAD_INPUT,
                           "no question in this row of an evaluation set: it has %s; name the field 'question'", names);
    }
    json_row_release(&row);
    return status;
}

static cord_status add_rows(struct overlap *o, struct source *source, cord_error *err) {
    for (;;) {
        bool more;
        cord_text row;
        cord_error why;
        CORD_TRY(source_next(source, &more, &row, &why, err));
        if (!more) return CORD_OK;
        int64_t value = (int64_t)(o->n_files - 1) * LINES_OF_A_FILE + source->number;
        cord_status status = why.code == CORD_OK ? add_row(o, row, value, &why) : why.code;
        if (status == CORD_OK) continue;
        source_where(source, &why);
        if (err) *err = why;
        return status;
    }
}

/* What holds no question would match nothing, too. */
static cord_status refuse_empty(const char *path, cord_error *err) {
    error_where(err, "%s", path);
    return error_set(err, CORD_BAD_INPUT,
                     "there is no question in this evaluation set; name a file that has some, or leave it out");
}

cord_status overlap_add(struct overlap *o, const char *path, const char *library, cord_error *err) {
    struct source source;
    if (o->n_files == OVERLAP_MOST_FILES)
        return error_set(err, CORD_BAD_USAGE, "more than %d files to exclude; put them into one", OVERLAP_MOST_FILES);
    CORD_TRY(source_open(&source, path, library, err));
    o->files[o->n_files++] = path;
    int64_t before = o->questions + o->too_short;
    cord_status status = add_rows(o, &source, err);
    source_close(&source);
    if (status == CORD_OK && o->questions + o->too_short == before) return refuse_empty(path, err);
    return status;
}

/* Looks for runs of `n` words; the first one that is known is the match. */
static bool find_grams(const struct overlap *o, const struct words *words, cord_text text, size_t n,
                       struct overlap_match *match) {
    for (size_t at = 0; at + n <= words->n; at++) {
        const int64_t *value = hashes_get(&o->grams, words_gram(words, at, n));
        if (!value) continue;
        *match = (struct overlap_match){o->files[*value / LINES_OF_A_FILE], *value % LINES_OF_A_FILE,
                                        text_slice(text, words->begin[at], words->end[at + n - 1])};
        return true;
    }
    return false;
}

cord_status overlap_find(const struct overlap *o, cord_text text, bool *found, struct overlap_match *match,
                         cord_error *err) {
    struct words words;
    CORD_TRY(words_init(&words, text, err));
    *found = find_grams(o, &words, text, o->n, match);
    for (size_t n = 1; !*found && n < o->n; n++) *found = o->short_lengths[n] && find_grams(o, &words, text, n, match);
    words_release(&words);
    return CORD_OK;
}
