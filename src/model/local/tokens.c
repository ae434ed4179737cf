/* tokens.c - texts to tokens and back, for one model's vocabulary.
 *
 * llama.cpp can parse special tokens in all of a text or in none of it; a prompt needs them parsed in the template's own
 * spans alone. So special tokens are found here, in trusted spans only; what lies between two of them is tokenised by
 * llama.cpp whole, across spans, so that an ordinary prompt gets exactly the tokens it would get anywhere else.
 * It must not know what the texts mean. */
#include "model/local/local.h"

#include <limits.h>
#include <stdlib.h>

/* ---- lists of tokens ----------------------------------------------------------------------------------------- */

void tokens_release(struct tokens *tokens) {
    free(tokens->id);
    free(tokens->end);
    *tokens = (struct tokens){0};
}

static bool tokens_reserve(struct tokens *tokens, int more) {
    int need = tokens->n + more;
    if (need <= tokens->cap) return true;
    int cap = tokens->cap ? tokens->cap : 256;
    while (cap < need) cap *= 2;
    llama_token *id = realloc(tokens->id, (size_t)cap * sizeof *id);
    if (id) tokens->id = id;
    int *end = realloc(tokens->end, (size_t)cap * sizeof *end);
    if (end) tokens->end = end;
    if (!id || !end) return false;
    tokens->cap = cap;
    return true;
}

bool tokens_append(struct tokens *tokens, llama_token token) {
    if (!tokens_reserve(tokens, 1)) return false;
    tokens->id[tokens->n++] = token;
    return true;
}

int tokens_common(const llama_token *a, int n, const llama_token *b, int m) {
    int most = n < m ? n : m, i = 0;
    while (i < most && a[i] == b[i]) i++;
    return i;
}

static int tokens_bytes(const struct tokens *tokens) { return tokens->n ? tokens->end[tokens->n - 1] : 0; }

/* ---- pieces -------------------------------------------------------------------------------------------------- */

void token_piece(const struct local_model *model, llama_token token, struct buf *out) {
    char piece[512];
    int n = llama_token_to_piece(model->vocab, token, piece, sizeof piece, 0, true);
    if (n >= 0) {
        buf_add(out, (cord_text){piece, (size_t)n});
        return;
    }
    char *large = malloc((size_t)-n);
    if (!large) {
        out->status = CORD_NO_MEMORY;
        return;
    }
    n = llama_token_to_piece(model->vocab, token, large, -n, 0, true);
    if (n > 0) buf_add(out, (cord_text){large, (size_t)n});
    free(large);
}

/* ---- tokenising ---------------------------------------------------------------------------------------------- */

/* The special token that `t` begins with: the longest one, or NULL. */
static const struct special *special_at(const struct local_model *model, cord_text t) {
    if (!model->special_lead[(unsigned char)*t.data]) return NULL;
    for (int i = 0; i < model->n_specials; i++)
        if (text_starts(t, model->specials[i].text)) return &model->specials[i];
    return NULL;
}

/* Tokens of `t`, which begins at byte `start` of its text, spell something else. That is the text's failure, not the model's: a
 * vocabulary may lack a few control characters, or read one character as another. */
static cord_status cannot_spell(const struct local_model *model, cord_text t, cord_text spelled, int start,
                                cord_error *err) {
    enum { BEFORE = 30 };
    const char *name = model->base.info.name;
    size_t at = 0;
    while (at + 1 < t.len && at < spelled.len && t.data[at] == spelled.data[at]) at++;
    while (at > 0 && ((unsigned char)t.data[at] & 0xC0) == 0x80) at--; /* to the character's first byte */
    size_t from = at, end = at;
    while (from > 0 && at - from < BEFORE && (unsigned char)t.data[from - 1] >= ' ') from--;
    while (from < at && ((unsigned char)t.data[from] & 0xC0) == 0x80) from++;
    return error_set(err, CORD_BAD_INPUT,
                     "the tokens of %s cannot spell U+%04X, which stands in a text at byte %zu, behind \"%.*s\"; take "
                     "it out of the text",
                     name, (unsigned)utf8_next(t, &end), (size_t)start + at, (int)(at - from), t.data + from);
}

/* Tokenises text without special tokens, and checks that the tokens spell it. */
static cord_status add_plain(const struct local_model *model, cord_text t, struct tokens *out, cord_error *err) {
    if (t.len == 0) return CORD_OK;
    if (t.len > INT_MAX / 2) return error_set(err, CORD_TOO_LONG, "a text of %zu bytes is too long to tokenise", t.len);
    int room = (int)t.len + 8;
    if (!tokens_reserve(out, room)) return error_memory(err);
    int n = llama_tokenize(model->vocab, t.data, (int)t.len, out->id + out->n, room, false, false);
    if (n < 0) return error_set(err, CORD_BAD_INPUT, "%s: its tokenizer refused a text", model->base.info.name);

    struct buf spelled;
    buf_init(&spelled, "the text of some tokens", t.len + 1024);
    int start = tokens_bytes(out);
    for (int i = 0; i < n; i++) {
        token_piece(model, out->id[out->n + i], &spelled);
        out->end[out->n + i] = start + (int)spelled.len;
    }
    cord_status status = spelled.status == CORD_NO_MEMORY ? error_memory(err) : CORD_OK;
    if (status == CORD_OK && !text_equal(buf_text(&spelled), t))
        status = cannot_spell(model, t, buf_text(&spelled), start, err);
    buf_release(&spelled);
    if (status == CORD_OK) out->n += n;
    return status;
}

/* Tokenises what lies between special tokens. Where its text happens to contain one that llama.cpp would parse in spite
 * of being told not to, it is split behind that one's first byte. */
static cord_status add_between(const struct local_model *model, struct buf *between, struct tokens *out,
                               cord_error *err) {
    CORD_TRY(buf_check(between, err));
    cord_text rest = buf_text(between);
    CORD_TRY(must_be_utf8(rest, (size_t)tokens_bytes(out), err)); /* llama.cpp's tokenizers throw, or spell another */
    for (size_t i = 0; i < rest.len; i++) {
        const struct special *special = special_at(model, text_slice(rest, i, rest.len));
        if (!special || !special->user_defined) continue;
        CORD_TRY(add_plain(model, text_slice(rest, 0, i + 1), out, err));
        rest = text_slice(rest, i + 1, rest.len);
        i = (size_t)-1;
    }
    CORD_TRY(add_plain(model, rest, out, err));
    buf_clear(between);
    return CORD_OK;
}

static cord_status add_special(const struct special *special, struct tokens *out, cord_error *err) {
    int end = tokens_bytes(out) + (int)special->text.len;
    if (!tokens_reserve(out, 1)) return error_memory(err);
    out->id[out->n] = special->id;
    out->end[out->n++] = end;
    return CORD_OK;
}

static cord_status add_spans(const struct local_model *model, const cord_span *spans, int n, struct buf *between,
                             struct tokens *out, cord_error *err) {
    for (int i = 0; i < n; i++) {
        cord_text t = spans[i].text;
        size_t plain = 0; /* start of what has not been taken yet */
        for (size_t at = 0; spans[i].trusted && at < t.len;) {
            const struct special *special = special_at(model, text_slice(t, at, t.len));
            if (!special) {
                at++;
                continue;
            }
            buf_add(between, text_slice(t, plain, at));
            CORD_TRY(add_between(model, between, out, err));
            CORD_TRY(add_special(special, out, err));
            plain = at += special->text.len;
        }
        if (plain < t.len) buf_add(between, text_slice(t, plain, t.len));
    }
    return add_between(model, between, out, err);
}

cord_status tokens_fit(const struct local_model *model, int n, int more, cord_error *err) {
    const char *name = model->base.info.name, *what = more > 0 ? " and what is to be added" : "";
    const char *key = model->context_key;
    if (n + more <= model->context) return CORD_OK;
    if (model->context >= model->base.info.trained) /* more would be refused */
        return error_set(
            err, CORD_TOO_LONG,
            "a text of %d tokens%s does not fit the context of %d that %s was trained with; leave the text "
            "out, or take a model that was trained with a longer one",
            n, what, model->context, name);
    return error_set(err, CORD_TOO_LONG,
                     "a text of %d tokens%s does not fit the context of %d that %s was given; %s%s%s", n, what,
                     model->context, name, key ? "raise " : "leave the text out", key ? key : "",
                     key ? ", or leave the text out" : "");
}

cord_status tokens_of(const struct local_model *model, const cord_span *spans, int n, struct tokens *out,
                      cord_error *err) {
    *out = (struct tokens){0};
    size_t bytes = 0;
    for (int i = 0; i < n; i++) bytes += spans[i].text.len;
    /* no text is tokenised that cannot fit: tokenizers take minutes and deep recursion for megabytes */
    size_t least = bytes / (size_t)model->longest_piece;
    if (least > (size_t)model->context)
        return error_set(err, CORD_TOO_LONG,
                         "a text of %zu bytes cannot fit the context of %d tokens that %s was given", bytes,
                         model->context, model->base.info.name);
    struct buf between;
    buf_init(&between, "a prompt", bytes + 1);
    cord_status status = add_spans(model, spans, n, &between, out, err);
    buf_release(&between);
    if (status != CORD_OK) tokens_release(out);
    return status;
}
