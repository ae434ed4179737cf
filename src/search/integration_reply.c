/* integration_reply.c - the texts of an integration: what the integrator is asked, and its JSON, mended where that is safe
 * (integration.h lists what is). It must not know rounds, beams or models. */
#include "search/integration.h"

#include "answer/find/extract.h"
#include "base/json.h"
#include "base/thinking.h"
#include "data/prompt.h"
#include "grade/grade.h"

#include <ctype.h>

enum {
    MOST_OBJECTS = 32,     /* beginnings of objects that are tried in one reply */
    MOST_STEPS = 4096,     /* of one reply */
    MOST_REPLY = 64 << 20, /* bytes of a reply, mended */
};

const char *const integration_categories[] = {"progressive reasoning", "verification", "multi-method validation",
                                              "error correction", NULL};

/* ---- asking ---------------------------------------------------------------------------------------------------- */

cord_text integration_system(void) {
    return TEXT("You merge several reasoning traces of one problem into a single one that is complete, correct and "
                "easy to follow.");
}

cord_text integration_form(void) {
    return TEXT(
        "Below are a problem and several traces of reasoning about it, each in numbered tags. Merge them into one "
        "trace: keep what is right and helps, in an order that leads to the answer; keep checks, second methods and "
        "corrections where they are worth it; leave out what is wrong or said twice.\n"
        "\n"
        "<question>\n"
        "{question}\n"
        "</question>\n"
        "\n"
        "{traces}\n"
        "\n"
        "Reply with one JSON object and nothing else, in this form:\n"
        "\n"
        "{\"steps\": [{\"text\": \"### Step 1. ...\", \"category\": \"progressive reasoning\"}, "
        "{\"text\": \"### Step 2. ...\", \"category\": \"verification\"}], "
        "\"answer\": \"... \\\\boxed{...}\"}\n"
        "\n"
        "Every step's text begins with its heading ### Step N. The category of a step is one of: progressive "
        "reasoning, verification, multi-method validation, error correction. The answer holds the final answer in "
        "\\boxed{}. Inside JSON strings a backslash is written twice, as \\\\frac, and a line break as \\n.");
}

const char *integration_form_complaint(cord_text form) {
    if (text_find(form, TEXT("{question}")) < 0) return "does not hold {question}";
    if (text_find(form, TEXT("{traces}")) < 0) return "does not hold {traces}";
    return NULL;
}

cord_status integration_ask(cord_text form, cord_text question, const cord_text *traces, int n, struct arena *arena,
                            cord_text *out, cord_error *err) {
    struct spans spans = {NULL, 0};
    for (int i = 0; i < n; i++) {
        const char *open = arena_printf(arena, "%s<trace_%d>\n", i ? "\n\n" : "", i + 1);
        const char *close = arena_printf(arena, "\n</trace_%d>", i + 1);
        if (!open || !close) return error_memory(err);
        const cord_span trace[] = {{text_of(open), true}, {text_trim(traces[i]), false}, {text_of(close), true}};
        spans = spans_append(spans, trace, 3, arena);
        if (!spans.span) return error_memory(err);
    }
    const struct placeholder places[] = {{"{question}", text_trim(question)}, {"{traces}", spans_text(spans, arena)}};
    if (!places[1].value.data) return error_memory(err);
    CORD_TRY(form_fill(form, places, 2, arena, &spans, err));
    *out = spans_text(spans, arena);
    return out->data ? CORD_OK : error_memory(err);
}

/* ---- mending --------------------------------------------------------------------------------------------------- */

static bool is_letter(char c) { return isalpha((unsigned char)c); }

/* Whether a line may begin at `at`: nothing stands before it in its string, or what ends a sentence, a line or an opening. */
static bool line_may_begin(cord_text t, size_t at) {
    if (!at || strchr(".:;!?\"[", t.data[at - 1])) return true;
    return at > 1 && t.data[at - 1] == 'n' && t.data[at - 2] == '\\';
}

/* Whether the escape of a line feed at `at` is the beginning of a name of LaTeX and not a line feed with a word behind it. Only
 * names whose rest is no English word; of those whose rest is a letter, which may be a variable, where no line begins. */
static bool is_latex(cord_text t, size_t at) {
    static const char *const names[] = {"nu",        "ne",        "ni",      "neq",        "neg",        "not",
                                        "notin",     "nabla",     "nmid",    "nleq",       "ngeq",       "ngtr",
                                        "nleqslant", "ngeqslant", "ncong",   "nsim",       "nprec",      "nsucc",
                                        "nsubseteq", "nsupseteq", "nearrow", "nwarrow",    "nleftarrow", "nrightarrow",
                                        "nvdash",    "nvDash",    "natural", "norm",       "nicefrac",   "notag",
                                        "nonumber",  "nolimits",  "newline", "nLeftarrow", "nRightarrow"};
    size_t from = at + 1, end = from;
    while (end < t.len && is_letter(t.data[end])) end++;
    if (end - from == 2 && line_may_begin(t, at)) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(text_slice(t, from, end), text_of(names[i]))) return true;
    return false;
}

static bool is_hex(cord_text t, size_t at) {
    for (size_t i = at; i < at + 4; i++)
        if (i >= t.len || !isxdigit((unsigned char)t.data[i])) return false;
    return true;
}

/* An escape at `at`, whose backslash is there. Returns its length. */
static size_t mend_escape(cord_text t, size_t at, struct buf *out) {
    char c = answer_at(t, at + 1), next = answer_at(t, at + 2);
    bool known = c && strchr("\"\\/bfnrt", c), own = strchr("bfrt", c) && is_letter(next);
    if (c == 'u') known = is_hex(t, at + 2);
    if (c == 'n') own = is_latex(t, at);
    if (known && !own) {
        buf_add(out, text_slice(t, at, at + 2));
        return 2;
    }
    buf_addf(out, "\\\\"); /* what it escapes is read next, as it stands */
    return 1;
}

/* A string, whose opening quote stands at `at`. Returns where it ends: behind its closing quote, or at the end. *open: it was
 * not closed. */
static size_t mend_string(cord_text t, size_t at, struct buf *out, bool *open) {
    buf_addc(out, '"');
    for (at++; at < t.len;) {
        unsigned char c = (unsigned char)t.data[at];
        if (c == '\\') {
            at += mend_escape(t, at, out);
        } else if (c < 0x20) {
            buf_addf(out, "\\u%04x", c);
            at++;
        } else {
            buf_addc(out, (char)c);
            at++;
            if (c == '"') return at;
        }
    }
    *open = true;
    return t.len;
}

/* One object, whose brace stands at `from`, as it should have been written. Returns where it ends; *why where it does not. */
static size_t mend_object(cord_text t, size_t from, bool cut, struct buf *out, const char **why) {
    char stack[64] = {0};
    int depth = 0;
    bool open = false;
    size_t at = from;
    while (at < t.len) {
        char c = t.data[at];
        if (c == '"') {
            at = mend_string(t, at, out, &open);
            continue;
        }
        at++;
        if (c == ',' && answer_is_of("}]", answer_at(t, answer_skip_blanks(t, at)))) continue;
        if (c == '{' || c == '[') {
            if (depth == (int)sizeof stack) break;
            stack[depth++] = c;
        }
        buf_addc(out, c);
        if (c != '}' && c != ']') continue;
        if (!depth || stack[--depth] != (c == '}' ? '{' : '[')) {
            *why = "a bracket of its JSON closes another kind of bracket";
            return at;
        }
        if (!depth) return at;
    }
    *why = cut ? "it was cut at its limit, integration.tokens" : "its JSON does not come to an end";
    if (depth != 1 || open || cut || at < t.len) return t.len;
    *why = NULL;
    buf_addc(out, '}');
    return t.len;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static bool same_letters(cord_text a, cord_text b) {
    for (size_t i = 0; i < a.len && a.len == b.len; i++) {
        char x = ascii_lower(a.data[i]), y = ascii_lower(b.data[i]);
        if (x == '_' || x == '-') x = ' ';
        if (y == '_' || y == '-') y = ' ';
        if (x != y) return false;
    }
    return a.len == b.len;
}

static const char *find_category(const json_t *value) {
    cord_text name = text_trim(json_text_of(value));
    for (int i = 0; name.len && integration_categories[i]; i++)
        if (same_letters(name, text_of(integration_categories[i]))) return integration_categories[i];
    return NULL;
}

/* How long the heading is that a line at `from` begins with, "### Step 3.": cord writes its own. */
static size_t heading_at(cord_text text, size_t from) {
    size_t at = from;
    while (answer_at(text, at) == '#') at++;
    if (at == from) return 0;
    at = answer_skip_blanks(text, at);
    if (!answer_word_at(text, at, "step")) return 0;
    at = answer_skip_blanks(text, at + 4);
    while (answer_is_digit(answer_at(text, at))) at++;
    if (answer_is_of(".:", answer_at(text, at))) at++;
    return at - from;
}

/* Takes the next step off a text, without its heading: a text may hold several, each with its own. */
static cord_text next_step(cord_text *text) {
    size_t from = heading_at(*text, 0), end = from;
    while (end < text->len && !(end && text->data[end - 1] == '\n' && heading_at(*text, end))) end++;
    cord_text step = text_trim(text_slice(*text, from, end));
    *text = text_slice(*text, end, text->len);
    return step;
}

static cord_status keep_text(const json_t *value, struct arena *arena, cord_text *out, cord_error *err) {
    *out = arena_text(arena, json_text_of(value));
    return out->data ? CORD_OK : error_memory(err);
}

/* An element of the list: a step, or several of one category. steps[*n] is where they go. */
static cord_status read_step(const json_t *value, int number, struct arena *arena, struct integrated_step *steps,
                             int *n, cord_error *err) {
    cord_text rest;
    const json_t *text = json_object_get(value, "text"), *category = json_object_get(value, "category");
    if (!json_is_object(value)) return error_set(err, CORD_BAD_INPUT, "its step %d is not an object", number);
    if (!json_is_string(text)) return error_set(err, CORD_BAD_INPUT, "its step %d has no \"text\"", number);
    const char *known = find_category(category);
    if (!known) return error_set(err, CORD_BAD_INPUT, "the category of its step %d is none of the four", number);
    CORD_TRY(keep_text(text, arena, &rest, err));
    rest = text_trim(rest);
    if (text_find(rest, TEXT("</think>")) >= 0)
        return error_set(err, CORD_BAD_INPUT, "its step %d holds </think>, which would end the reasoning there",
                         number);
    do {
        if (*n == MOST_STEPS) return error_set(err, CORD_BAD_INPUT, "it has more than %d steps", MOST_STEPS);
        steps[*n] = (struct integrated_step){.text = next_step(&rest), .category = known};
        if (!steps[(*n)++].text.len) return error_set(err, CORD_BAD_INPUT, "its step %d is empty", number);
    } while (rest.len);
    return CORD_OK;
}

/* A text, or a number as JSON has them. */
static cord_status read_answer(const json_t *answer, struct arena *arena, cord_text *out, cord_error *err) {
    if (json_is_string(answer)) return keep_text(answer, arena, out, err);
    if (!json_is_number(answer)) return error_set(err, CORD_BAD_INPUT, "its \"answer\" is neither a text nor a number");
    const char *number = json_is_integer(answer)
                             ? arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(answer))
                             : arena_printf(arena, "%.15g", json_real_value(answer));
    *out = text_of(number);
    return number ? CORD_OK : error_memory(err);
}

static cord_status read_object(const json_t *object, struct arena *arena, struct integrated *out, cord_error *err) {
    const json_t *steps = json_object_get(object, "steps"), *answer = json_object_get(object, "answer");
    size_t n = json_array_size(steps);
    cord_text box;
    if (!json_is_array(steps)) return error_set(err, CORD_BAD_INPUT, "its \"steps\" are not a list");
    if (!n) return error_set(err, CORD_BAD_INPUT, "it has no steps");
    if (!answer) return error_set(err, CORD_BAD_INPUT, "it has no \"answer\"");
    *out = (struct integrated){.steps = arena_alloc(arena, MOST_STEPS * sizeof *out->steps)};
    if (!out->steps) return error_memory(err);
    for (size_t i = 0; i < n; i++)
        CORD_TRY(read_step(json_array_get(steps, i), (int)i + 1, arena, out->steps, &out->n, err));
    CORD_TRY(read_answer(answer, arena, &out->answer, err));
    out->answer = text_trim(out->answer);
    while (text_starts(out->answer, TEXT("..."))) /* the form's own, which small models copy */
        out->answer = text_trim(text_slice(out->answer, 3, out->answer.len));
    CORD_TRY(answer_into_box(&out->answer, 0, arena, err));
    return answer_boxes(out->answer, &box)
               ? CORD_OK
               : error_set(err, CORD_BAD_INPUT, "its answer has no \\boxed{} with something in it");
}

/* Parses the object whose brace stands at *at, and moves *at behind it. NULL, with the reason, where it is none. */
static json_t *parse_object(cord_text reply, size_t *at, bool cut, char why[200]) {
    struct buf mended;
    json_error_t error;
    const char *no_end = NULL;
    buf_init(&mended, "an integrator's reply", MOST_REPLY);
    size_t from = *at;
    *at = mend_object(reply, from, cut, &mended, &no_end);
    json_t *object = NULL;
    if (no_end)
        snprintf(why, 200, "%s", no_end);
    else if (mended.status != CORD_OK)
        snprintf(why, 200, "it is too long");
    else if (!(object = json_loadb(mended.data, mended.len, JSON_REJECT_DUPLICATES, &error)))
        snprintf(why, 200, "its JSON is malformed: %.120s", error.text);
    if (!object) *at = from + 1; /* what it holds may be one */
    buf_release(&mended);
    return object;
}

/* The one object in the text that has steps. A brace that opens no name ("{1, 2}") is no object's. */
static cord_status find_object(cord_text reply, bool cut, json_t **out, cord_error *err) {
    char first[200] = "there is no JSON object in it", why[200];
    int tried = 0;
    *out = NULL;
    for (size_t at = 0; at < reply.len && tried < MOST_OBJECTS;) {
        if (reply.data[at] != '{' || answer_at(reply, answer_skip_blanks(reply, at + 1)) != '"') {
            at++;
            continue;
        }
        size_t from = at;
        json_t *object = parse_object(reply, &at, cut, why);
        if (!object && !tried) memcpy(first, why, sizeof first);
        if (object && !json_object_get(object, "steps")) {
            if (!tried) snprintf(first, sizeof first, "its JSON object has no \"steps\"");
            json_decref(object);
            object = NULL;
            at = from + 1; /* the right one may be inside */
        }
        tried++;
        if (!object) continue;
        if (*out) {
            bool again = json_equal(*out, object);
            json_decref(object);
            if (again) continue;
            json_decref(*out);
            *out = NULL;
            return error_set(err, CORD_BAD_INPUT, "there are two JSON objects with steps in it, and they differ");
        }
        *out = object;
    }
    return *out ? CORD_OK : error_set(err, CORD_BAD_INPUT, "%s", first);
}

cord_status integration_read(cord_text reply, bool cut, bool thinking, struct arena *arena, struct integrated *out,
                             cord_error *err) {
    cord_text trimmed = text_trim(reply); /* an object by itself may hold "</think>" in its texts */
    bool bare = !thinking && text_starts(trimmed, TEXT("{")) && text_ends(trimmed, TEXT("}"));
    cord_text said = bare ? reply : thinking_behind(reply);
    bool inside = thinking ? said.len == reply.len : !bare && text_find(said, TEXT("<think>")) >= 0;
    if (inside) return error_set(err, CORD_BAD_INPUT, "it did not come to an end of its thinking");
    reply = said;
    if (utf8_valid_prefix(reply) < reply.len) return error_set(err, CORD_BAD_INPUT, "it is not valid UTF-8");
    json_t *object;
    CORD_TRY(find_object(reply, cut, &object, err));
    cord_status status = read_object(object, arena, out, err);
    json_decref(object);
    return status;
}
