/* spelled.c - texts in a server's tokens, see spelled.h. It must not know protocols. */
#include "model/http/spelled.h"

#include "base/special.h"

#include <stdlib.h>

void spelled_release(struct spelled *s) {
    buf_release(&s->text);
    free(s->cut);
    pieces_release(&s->pieces);
}

void spelled_shrink(struct spelled *s) {
    int n = s->pieces.n;
    buf_release(&s->text);
    pieces_release(&s->pieces);
    s->pieces.n = n;
}

/* ---- what looks like a special token -------------------------------------------------------------------------- */

static bool add_cut(struct spelled *s, size_t at) {
    if (s->n_cuts == s->room) {
        size_t room = s->room ? 2 * s->room : 8;
        size_t *cut = realloc(s->cut, room * sizeof *cut);
        if (!cut) return false;
        s->cut = cut;
        s->room = room;
    }
    s->cut[s->n_cuts++] = at;
    return true;
}

/* A tag at `at` of an untrusted text that begins at `start`: it is cut behind its first byte, or refused. */
static void guard(struct spelled *s, cord_text text, size_t start, size_t at) {
    size_t len = special_length(text, at);
    cord_text tag = text_slice(text, at, at + len);
    if (len && !s->remote->protocol->sends_text) {
        if (!add_cut(s, start + at + 1)) error_fill(&s->error, CORD_NO_MEMORY, "out of memory");
    } else if (len && special_is_known(tag) && s->error.code == CORD_OK) {
        error_fill(&s->error, CORD_BAD_INPUT,
                   "the text holds \"%.*s\", which %s may take for a special token, since prompts go there as text; "
                   "leave that out, or "
                   "use a server that takes token ids (llama-server, vllm, sglang)",
                   (int)tag.len, tag.data, s->remote->base.info.name);
    }
}

void spell(struct spelled *s, const cord_model *model, const cord_span *spans, int n, uint64_t group) {
    *s = (struct spelled){.remote = remote_of(model), .group = group, .twin = -1};
    buf_init(&s->text, "a prompt", 64 << 20);
    for (int i = 0; i < n; i++) {
        size_t start = s->text.len;
        buf_add(&s->text, spans[i].text);
        for (size_t at = 0; !spans[i].trusted && at < spans[i].text.len; at++) guard(s, spans[i].text, start, at);
    }
    if (s->error.code == CORD_OK) buf_check(&s->text, &s->error);
    s->pieces.text = buf_text(&s->text);
    if (s->error.code == CORD_OK) must_be_utf8(s->pieces.text, 0, &s->error); /* JSON would carry another text */
}

static cord_text part_of(const struct spelled *s, size_t part) {
    size_t from = part ? s->cut[part - 1] : 0, to = part < s->n_cuts ? s->cut[part] : s->text.len;
    return text_slice(buf_text(&s->text), from, to);
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

/* A part of a text whose tokens are wanted. */
struct part {
    struct spelled *of;
    size_t number;
    cord_text text;
    struct pieces pieces;
    struct question *question; /* NULL: they were known */
    int altered;               /* replies whose tokens spell another text */
};

/* A reply whose tokens spell another text may be damaged. The second one is no accident, where it is a text that tokenizers
 * do change: Unicode's normal form NFC, which Qwen's has, writes an accent behind its letter as one character with it. */
static void judge_altered(struct question *q, struct part *part) {
    bool ascii = true;
    for (size_t i = 0; i < part->text.len; i++) ascii &= (unsigned char)part->text.data[i] < 0x80;
    if (!part->pieces.altered || ascii || ++part->altered < 2) return;
    error_fill(
        &q->why, CORD_BAD_INPUT,
        "%s: the server's tokenizer changes this text (Unicode normalisation?), so that its tokens spell another "
        "one; write the problem's texts in the normal form NFC",
        q->remote->base.info.name);
}

static bool read_tokens(struct question *q, const json_t *reply) {
    struct part *part = q->into;
    const struct protocol *protocol = q->remote->protocol;
    pieces_release(&part->pieces);
    part->pieces.text = part->text;
    bool good = part->text.len == 0 || protocol->tokenize_read(reply, part->text, &part->pieces);
    if (!good && part->pieces.problem)
        error_fill(&q->why, CORD_BAD_MODEL, "%s: %s", q->remote->base.info.name, part->pieces.problem);
    else if (!good)
        judge_altered(q, part);
    q->cost = (cord_cost){.prompt_tokens = part->pieces.n, .new_tokens = 1};
    return good;
}

static bool scan_tokens(struct question *q, cord_text reply) {
    struct part *part = q->into;
    const struct protocol *protocol = q->remote->protocol;
    pieces_release(&part->pieces);
    return pieces_scan(&part->pieces, reply, protocol->tokenize_ids, protocol->tokenize_strings, part->text);
}

static bool read_ends(struct question *q, const json_t *reply) {
    struct part *part = q->into;
    bool good = part->text.len == 0 || q->remote->protocol->decode_read(reply, part->text, &part->pieces);
    if (!good) judge_altered(q, part);
    return good;
}

/* Samples of one prompt have the same text. */
static void find_twins(struct spelled *texts, int n) {
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i && texts[i].twin < 0; k++)
            if (texts[k].twin < 0 && texts[k].remote == texts[i].remote && texts[k].n_cuts == texts[i].n_cuts &&
                text_equal(buf_text(&texts[k].text), buf_text(&texts[i].text)) &&
                (!texts[i].n_cuts || !memcmp(texts[k].cut, texts[i].cut, texts[i].n_cuts * sizeof *texts[i].cut)))
                texts[i].twin = k;
}

/* Whether its tokens have to be asked for. */
static bool is_wanted(struct spelled *s, enum spelled_for purpose) {
    const struct protocol *protocol = s->remote->protocol;
    if (s->twin >= 0 || s->error.code != CORD_OK || (protocol->sends_text && purpose == SPELLED_TO_SEND)) return false;
    if (!protocol->tokenize_path)
        error_fill(
            &s->error, CORD_BAD_MODEL,
            "%s is spoken to by the protocol %s, which tells nothing of tokens: it can be a teacher, but neither "
            "score nor count tokens",
            s->remote->base.info.name, protocol->name);
    return s->error.code == CORD_OK;
}

static void ask_tokens(struct question *q, struct part *part) {
    const struct spelled *s = part->of;
    const struct protocol *protocol = s->remote->protocol;
    struct json_writer w = question_begin(q, s->remote, protocol->tokenize_path, s->group);
    protocol->tokenize_write(s->remote, part->text, &w);
    question_end(q, &w);
    if (protocol->sends_text) question_charge(q, 0, tokens_at_most(part->text), 1);
    q->read = read_tokens;
    q->scan = protocol->tokenize_ids ? scan_tokens : NULL;
    q->into = part;
}

static void ask_ends(struct question *q, struct part *part) {
    const struct remote *remote = part->of->remote;
    struct json_writer w = question_begin(q, remote, remote->protocol->decode_path, part->of->group);
    remote->protocol->decode_write(remote, &part->pieces, &w);
    question_end(q, &w);
    q->read = read_ends;
    q->into = part;
}

/* The second step, where the first one lists ids alone. */
static cord_status find_ends(const cord_engine *engine, struct part *parts, int n, int most_bad, cord_error *err) {
    struct question *questions = calloc((size_t)n + 1, sizeof *questions);
    struct part **of = calloc((size_t)n + 1, sizeof(struct part *));
    int asked = 0;
    cord_status status = questions && of ? CORD_OK : error_memory(err);
    for (int i = 0; i < n && status == CORD_OK; i++) {
        bool had = !parts[i].question || parts[i].question->call.error.code != CORD_OK; /* known, or lost */
        if (had || !parts[i].of->remote->protocol->decode_path) continue;
        ask_ends(&questions[asked], &parts[i]);
        questions[asked].call.most_bad = most_bad;
        of[asked++] = &parts[i];
    }
    if (status == CORD_OK && asked) status = questions_ask(engine, questions, asked, err);
    for (int k = 0; k < asked; k++) {
        of[k]->question->call.error = questions[k].call.error;
        question_release(&questions[k]);
    }
    free(questions);
    free(of);
    return status;
}

/* The parts of a text make it up. The last one is seldom seen again: the next round's is longer. */
static void take_tokens(const struct part *part, enum spelled_for purpose) {
    struct spelled *s = part->of;
    bool whole = purpose == SPELLED_TO_READ || !s->remote->protocol->decode_path; /* with the ends */
    if (s->error.code != CORD_OK) return;
    if (part->question && part->question->call.error.code != CORD_OK)
        s->error = part->question->call.error;
    else if (!pieces_append(&s->pieces, &part->pieces))
        error_fill(&s->error, CORD_NO_MEMORY, "out of memory");
    else if (part->question && whole && part->number < s->n_cuts)
        known_keep(s->remote->known, part->text, &part->pieces);
}

static void take_twins(struct spelled *texts, int n) {
    for (int i = 0; i < n; i++) {
        if (texts[i].twin < 0 || texts[i].error.code != CORD_OK) continue;
        const struct spelled *twin = &texts[texts[i].twin];
        texts[i].error = twin->error;
        if (!pieces_append(&texts[i].pieces, &twin->pieces))
            error_fill(&texts[i].error, CORD_NO_MEMORY, "out of memory");
    }
}

/* The parts of all texts whose tokens are wanted, and questions for those that are not known. */
struct wanted {
    struct part *parts;
    struct question *questions;
    int n, asked;
};

static void want(struct wanted *all, struct spelled *s, int most_bad) {
    for (size_t k = 0; k <= s->n_cuts; k++) {
        struct part *part = &all->parts[all->n++];
        *part = (struct part){.of = s, .number = k, .text = part_of(s, k)};
        if (!s->remote->protocol->sends_text && known_find(s->remote->known, part->text, &part->pieces)) continue;
        part->question = &all->questions[all->asked++];
        ask_tokens(part->question, part);
        part->question->call.most_bad = most_bad;
    }
}

cord_status spelled_tokenize(const cord_engine *engine, struct spelled *texts, int n, enum spelled_for purpose,
                             int most_bad, cord_error *err) {
    size_t room = 1;
    find_twins(texts, n);
    for (int i = 0; i < n; i++) room += texts[i].twin < 0 ? texts[i].n_cuts + 1 : 0;
    struct wanted all = {.parts = calloc(room, sizeof *all.parts), .questions = calloc(room, sizeof *all.questions)};
    cord_status status = all.parts && all.questions ? CORD_OK : error_memory(err);
    for (int i = 0; i < n && status == CORD_OK; i++)
        if (is_wanted(&texts[i], purpose)) want(&all, &texts[i], most_bad);
    if (status == CORD_OK && all.asked) status = questions_ask(engine, all.questions, all.asked, err);
    if (status == CORD_OK && purpose == SPELLED_TO_READ) status = find_ends(engine, all.parts, all.n, most_bad, err);
    for (int k = 0; k < all.n && status == CORD_OK; k++) take_tokens(&all.parts[k], purpose);
    if (status == CORD_OK) take_twins(texts, n);
    for (int k = 0; k < all.n; k++) pieces_release(&all.parts[k].pieces);
    for (int q = 0; q < all.asked; q++) question_release(&all.questions[q]);
    free(all.parts);
    free(all.questions);
    return status;
}
