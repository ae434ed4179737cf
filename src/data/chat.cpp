/* chat.cpp - implements chat.h on llama.cpp's Jinja engine. The project's only C++ file: it may know C++ and that
 * engine, nothing else does, and no exception leaves it.
 *
 * Trust. The engine marks where a string came from, and most of what templates do to strings keeps the mark. Some does
 * not: split, join, tojson and a replace on mixed text give pieces that count as the template's own. So the mark is not
 * relied on alone. Every prompt is rendered a second time with a neutral word in place of the user's text; if what
 * counts as the template's own is not the same both times, the user's text has got into it, and the prompt is refused.
 * The system text is marked as input too, but stays as it is in the second rendering: it is the recipe author's, and
 * some templates take orders from it ("/no_think").
 *
 * Two habits of the engine would make a prompt that Jinja2 does not make, and are mended here: what is not defined counts
 * as an empty text where Jinja2 raises, and trimming knows ASCII's blanks only. */

#include <algorithm>
#include <cctype>
#include <clocale>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern "C" { // base.h is a C header and does not say so itself
#include "base/base.h"
}
#include "data/chat.h"

#include "jinja/lexer.h"
#include "jinja/parser.h"
#include "jinja/runtime.h"
#include "jinja/value.h"

/* The engine's parser and runtime recurse, so that an absurd template could exhaust the stack; these limits keep it far
 * from that. (Macros that call themselves without end, and endless loops, remain the model file's own fault.) Of the 70
 * real templates that llama.cpp tests with, the largest have 16,738 bytes, 268 statements, and 57 tokens in a tag. */
#define SOURCE_LIMIT     1000000
#define STATEMENTS_LIMIT 2000
#define TAG_LIMIT        500

struct chat_template {
    std::string source, file; /* file: where it is from; empty: a model's own */
    jinja::program program;
};

namespace {

using parts = std::vector<jinja::string_part>;

struct message {
    std::string role, content;
};

struct settings {
    std::string bos, eos;
    std::tm date;
    bool closed; /* no turn is opened for an answer */
};

std::string string_of(cord_text t) { return t.len ? std::string(t.data, t.len) : std::string(); }

/* ---- errors -------------------------------------------------------------------------------------------------- */

/* Line of the template that an error of the lexer or the parser is about, or 0. Their message ends in two lines: an
 * excerpt of the source between "...", with line breaks drawn as arrows, and a caret under the place. */
size_t line_of_excerpt(const std::string &source, const std::string &what) {
    size_t caret = what.rfind('\n'), excerpt = caret == std::string::npos ? caret : what.find('\n');
    if (excerpt == std::string::npos || excerpt + 7 > caret) return 0;
    std::string shown = what.substr(excerpt + 4, caret - excerpt - 7);
    for (size_t at; (at = shown.find("\u21b5")) != std::string::npos;) shown.replace(at, 3, "\n");
    size_t start = source.find(shown), offset = what.size() - caret - 2; /* of the caret in its line */
    if (start == std::string::npos || offset < 3) return 0;
    size_t line = 1;
    for (size_t i = 0; i < start + offset - 3 && i < source.size(); i++) line += source[i] == '\n';
    return line;
}

/* Sets `err` to what the engine said, on one line, with the line of the template where it is known. */
cord_status report(const std::string &source, const std::string &file, const std::exception &e, const char *doing,
                   cord_error *err) {
    std::string what = e.what();
    size_t line = 0;
    size_t at = what.find(" at line "), error = what.rfind("\nError: ");
    if (error != std::string::npos) { /* an error while rendering */
        if (at != std::string::npos) line = std::strtoul(what.c_str() + at + 9, nullptr, 10);
        what.erase(0, error + 8);
    } else { /* one while parsing */
        line = line_of_excerpt(source, what);
        what.erase(std::min(what.find('\n'), what.size()));
    }
    for (char &c : what) c = std::iscntrl(static_cast<unsigned char>(c)) ? ' ' : c;
    if (err && !file.empty()) {
        std::string place = line ? file + ":" + std::to_string(line) : file;
        std::snprintf(err->where, sizeof err->where, "%s", place.c_str());
        return error_set(err, CORD_BAD_MODEL, "cannot %s this chat template: %.400s; mend it, or name another", doing,
                         what.c_str());
    }
    if (line)
        error_where(err, "chat template, line %zu", line);
    else
        error_where(err, "chat template");
    return error_set(err, CORD_BAD_MODEL,
                     "cannot %s the model's chat template: %.400s; another prompt can be given in full (prompt.full)",
                     doing, what.c_str());
}

/* Runs `body` and turns whatever it throws into a status. */
cord_status guarded(const std::string &source, const std::string &file, const char *doing, cord_error *err,
                    const std::function<cord_status()> &body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return error_memory(err);
    } catch (const std::exception &e) {
        return report(source, file, e, doing, err);
    } catch (...) {
        return error_set(err, CORD_INTERNAL, "the template engine failed to %s the model's chat template", doing);
    }
}

void check_limits(const std::vector<jinja::token> &tokens) {
    using jinja::token;
    size_t statements = 0, in_tag = 0;
    for (const token &t : tokens) {
        statements += t.t == token::open_statement;
        in_tag = t.t == token::open_statement || t.t == token::open_expression ? 0 : in_tag + 1;
        if (statements > STATEMENTS_LIMIT || in_tag > TAG_LIMIT) throw std::length_error("it is too long to be one");
    }
}

/* ---- what is not defined ------------------------------------------------------------------------------------- */

/* An expression whose value must be defined, as Jinja2 demands it of what is added, looked into, or written as JSON. For
 * the engine it would be an empty text, and a template that needs a variable which only its own makers give would lose
 * half of what it says. */
struct demanded : jinja::expression {
    jinja::statement_ptr inner;
    bool none_too; /* none is refused as well */

    demanded(jinja::statement_ptr &&what, bool none) : inner(std::move(what)), none_too(none) { pos = inner->pos; }
    jinja::value execute_impl(jinja::context &context) const override {
        jinja::value value = inner->execute(context);
        auto undefined = jinja::cast_val<jinja::value_undefined>(value);
        if (undefined) throw std::runtime_error("it needs '" + undefined->hint + "', which is not defined here");
        if (none_too && value->is_none()) throw std::runtime_error("it adds none to something");
        return value;
    }
};

void demand(jinja::statement_ptr &expression, bool none_too) {
    expression = std::make_unique<demanded>(std::move(expression), none_too);
}

/* Demands in a whole program what Jinja2 demands (but for what stands inside [] and {}, which the visitor passes over).
 * The visitor shows what it visits as const; it is ours. */
void demand_defined(jinja::program &program) {
    jinja::context context;
    context.visitor = [&](bool, const jinja::statement *visited, const std::vector<jinja::visitor_pair> &children) {
        for (const auto &part : children)
            for (const jinja::statement *child : part.second)
                if (child) child->visit(context);
        auto statement = const_cast<jinja::statement *>(visited);
        if (auto member = dynamic_cast<jinja::member_expression *>(statement)) {
            demand(member->object, false);
        } else if (auto sum = dynamic_cast<jinja::binary_expression *>(statement)) {
            if (sum->op.value != "+") return;
            demand(sum->left, true);
            demand(sum->right, true);
        } else if (auto filtered = dynamic_cast<jinja::filter_expression *>(statement)) {
            auto filter = jinja::cast_stmt<jinja::identifier>(filtered->filter);
            if (filter && filter->val == "tojson") demand(filtered->operand, false);
        }
    };
    for (const auto &statement : program.body) statement->visit(context);
}

/* ---- one rendering ------------------------------------------------------------------------------------------- */

/* strftime_now() as of a given day. The engine's own reads the clock, the time zone, and a shared buffer. */
jinja::value strftime_on(const jinja::func_args &args, const std::tm &date) {
    args.ensure_vals<jinja::value_string>();
    std::string format = args.get_pos(0)->as_string().str();
    if (format.empty()) return jinja::mk_val<jinja::value_string>(std::string());
    locale_t c = newlocale(LC_ALL_MASK, "C", static_cast<locale_t>(0));
    if (!c) throw std::bad_alloc();
    char text[256];
    size_t n = strftime_l(text, sizeof text, format.c_str(), &date, c);
    freelocale(c);
    if (!n) throw std::runtime_error("strftime_now: the date does not fit");
    return jinja::mk_val<jinja::value_string>(std::string(text, n));
}

/* Renders once. Roles and the special tokens' texts are the template's business and count as its own. */
parts render(const chat_template &tmpl, const std::vector<message> &messages, const settings &with) {
    auto text = [](const std::string &s) { return jinja::mk_val<jinja::value_string>(s); };
    auto list = jinja::mk_val<jinja::value_array>();
    for (const message &m : messages) {
        auto content = text(m.content);
        content->mark_input();
        auto entry = jinja::mk_val<jinja::value_object>();
        entry->insert("role", text(m.role));
        entry->insert("content", content);
        list->push_back(entry);
    }
    jinja::context context(tmpl.source);
    std::tm date = with.date;
    context.set_val("messages", list);
    context.set_val("add_generation_prompt", jinja::mk_val<jinja::value_bool>(!with.closed));
    context.set_val("enable_thinking", jinja::mk_val<jinja::value_bool>(true));
    context.set_val("bos_token", text(with.bos));
    context.set_val("eos_token", text(with.eos));
    context.set_val("tools", jinja::mk_val<jinja::value_none>()); /* as transformers does */
    context.set_val("documents", jinja::mk_val<jinja::value_none>());
    context.set_val("strftime_now",
                    jinja::mk_val<jinja::value_func>(
                        "strftime_now", [date](const jinja::func_args &args) { return strftime_on(args, date); }));
    return jinja::runtime::gather_string_parts(jinja::runtime(context).execute(tmpl.program))->val_str.parts;
}

std::string joined(const parts &rendered, bool trusted_only) {
    std::string all;
    for (const auto &part : rendered)
        if (!trusted_only || !part.is_input) all += part.val;
    return all;
}

/* Whether the template has a place for a system text: found by trying, since some templates raise and some drop it. */
bool takes_system(const chat_template &tmpl, const settings &with) {
    try {
        parts rendered = render(tmpl, {{"system", "cordprobe"}, {"user", "question"}}, with);
        return joined(rendered, false).find("cordprobe") != std::string::npos;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

/* Puts the system texts before the first user text. */
std::vector<message> folded(const std::vector<message> &messages) {
    std::string system;
    std::vector<message> rest;
    for (const message &m : messages) {
        if (m.role == "system")
            system += m.content + "\n\n";
        else
            rest.push_back(m);
    }
    for (message &m : rest) {
        if (m.role != "user") continue;
        m.content.insert(0, system);
        return rest;
    }
    throw std::runtime_error("it takes no system text, and there is no user's text to put it before");
}

/* ---- blanks ------------------------------------------------------------------------------------------------- */

/* What Python's strip() takes off. */
bool is_blank(uint32_t c) {
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Cuts the blanks off a message's text at those ends where the template trims it; found by trying. Done only where the
 * text has some that the engine would leave. */
void trim_as_template(const chat_template &tmpl, std::vector<message> &messages, size_t which, const settings &with) {
    std::string &content = messages[which].content;
    cord_text text = {content.data(), content.size()};
    size_t from = text.len, to = 0; /* of what is not blank */
    bool foreign = false;
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        uint32_t c = utf8_next(text, &at);
        if (is_blank(c)) {
            foreign |= c > 0x7f || (c >= 0x1c && c <= 0x1f);
            continue;
        }
        from = std::min(from, start);
        to = at;
    }
    if (!foreign || from >= to) return;
    std::vector<message> probe = messages;
    probe[which].content = "\fcordprobe\f";
    std::string seen = joined(render(tmpl, probe, with), false);
    if (seen.find("cordprobe\f") == std::string::npos) content.erase(to);
    if (seen.find("\fcordprobe") == std::string::npos) content.erase(0, from);
}

/* ---- what is asked, what is given ---------------------------------------------------------------------------- */

cord_status read_date(const char *text, std::tm &date, cord_error *err) {
    static const char shape[] = "dddd-dd-dd";
    bool ok = std::strlen(text) == sizeof shape - 1;
    for (size_t i = 0; ok && shape[i]; i++)
        ok = shape[i] == 'd' ? std::isdigit(static_cast<unsigned char>(text[i])) != 0 : text[i] == shape[i];
    date = std::tm();
    if (ok) {
        date.tm_year = std::atoi(text) - 1900;
        date.tm_mon = std::atoi(text + 5) - 1;
        date.tm_mday = std::atoi(text + 8);
        std::tm asked = date;
        ok = timegm(&date) != -1; /* sets the day of the week, and moves a 31 February to March */
        ok = ok && asked.tm_mon == date.tm_mon && asked.tm_mday == date.tm_mday;
    }
    if (ok) return CORD_OK;
    return error_set(err, CORD_BAD_RECIPE, "the prompt's date is '%.40s'; write a day as YYYY-MM-DD", text);
}

/* What of the options no exception can come from; the rest is `listed`'s. */
cord_status read_settings(const struct chat_options *options, bool closed, settings &with, cord_error *err) {
    with.closed = closed;
    return read_date(options->date ? options->date : "2025-01-01", with.date, err);
}

std::vector<message> listed(const cord_message *messages, int n, const struct chat_options *options, settings &with) {
    with.bos = string_of(options->bos);
    with.eos = string_of(options->eos);
    std::vector<message> list;
    for (int i = 0; i < n; i++) list.push_back({messages[i].role, string_of(messages[i].content)});
    return list;
}

cord_status copy_out(const parts &rendered, struct arena *arena, cord_span **spans, int *n_spans, cord_error *err) {
    parts merged; /* the engine's own merging is hindered by empty parts */
    for (const auto &part : rendered) {
        if (part.val.empty()) continue;
        if (!merged.empty() && merged.back().is_input == part.is_input)
            merged.back().val += part.val;
        else
            merged.push_back(part);
    }
    auto out = static_cast<cord_span *>(arena_alloc(arena, (merged.size() + 1) * sizeof(cord_span)));
    if (!out) return error_memory(err);
    int n = 0;
    for (const auto &part : merged) {
        cord_text text = arena_text(arena, cord_text{part.val.data(), part.val.size()});
        if (!text.data) return error_memory(err);
        out[n++] = cord_span{text, !part.is_input};
    }
    *spans = out;
    *n_spans = n;
    return CORD_OK;
}

cord_status render_checked(const chat_template &tmpl, std::vector<message> messages, const settings &with,
                           struct arena *arena, cord_span **spans, int *n_spans, cord_error *err) {
    bool has_system = false;
    for (const message &m : messages) has_system |= m.role == "system";
    if (has_system && !takes_system(tmpl, with)) messages = folded(messages);
    for (size_t i = 0; i < messages.size(); i++) trim_as_template(tmpl, messages, i, with);

    parts rendered = render(tmpl, messages, with);
    for (message &m : messages)
        if (m.role != "system") m.content = "question";
    if (joined(rendered, true) != joined(render(tmpl, messages, with), true)) {
        error_where(err, "chat template");
        return error_set(
            err, CORD_BAD_MODEL,
            "the model's chat template works the question's text into its own, so that special tokens in a "
            "question could not be told from the template's; give the prompt in full (prompt.full)");
    }
    return copy_out(rendered, arena, spans, n_spans, err);
}

} // namespace

/* ---- chat.h -------------------------------------------------------------------------------------------------- */

cord_status chat_template_new(cord_text source, struct chat_template **out, cord_error *err) {
    std::string text, file = err ? err->where : ""; /* outside, because reports look into them */
    return guarded(text, file, "read", err, [&] {
        if (source.len > SOURCE_LIMIT) throw std::length_error("it is longer than a million bytes");
        text = string_of(source);
        jinja::lexer_result lexed = jinja::lexer().tokenize(text);
        check_limits(lexed.tokens);
        jinja::program program = jinja::parse_from_tokens(lexed);
        demand_defined(program);
        *out = new chat_template{text, file, std::move(program)};
        return CORD_OK;
    });
}

void chat_template_free(struct chat_template *tmpl) { delete tmpl; }

cord_status chat_render(const struct chat_template *tmpl, const cord_message *messages, int n,
                        const struct chat_options *options, struct arena *arena, cord_span **spans, int *n_spans,
                        cord_error *err) {
    settings with;
    CORD_TRY(read_settings(options, false, with, err));
    return guarded(tmpl->source, tmpl->file, "render", err, [&] {
        return render_checked(*tmpl, listed(messages, n, options, with), with, arena, spans, n_spans, err);
    });
}

cord_status chat_render_closed(const struct chat_template *tmpl, const cord_message *messages, int n,
                               const struct chat_options *options, struct arena *arena, cord_text *text,
                               cord_error *err) {
    settings with;
    CORD_TRY(read_settings(options, true, with, err));
    return guarded(tmpl->source, tmpl->file, "render", err, [&] {
        std::vector<message> list = listed(messages, n, options, with);
        for (size_t i = 0; i < list.size(); i++) trim_as_template(*tmpl, list, i, with);
        std::string all = joined(render(*tmpl, list, with), false);
        *text = arena_text(arena, cord_text{all.data(), all.size()});
        return text->data ? CORD_OK : error_memory(err);
    });
}
