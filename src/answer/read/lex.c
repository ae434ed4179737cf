/* lex.c - from text to tokens, in one pass. It must not know what the tokens mean together. */
#include "answer/read/lex.h"

#include "answer/find/extract.h"
#include "answer/tree/tree.h"

struct lexer {
    cord_text t;
    size_t at;
    struct token *tokens;
    size_t n;
    bool spaced;
    int depth;               /* of open braces */
    bool silent[TREE_DEPTH]; /* braces that only belong to a command such as \text: they leave no tokens */
    bool box[TREE_DEPTH];    /* whether they are a \\boxed's */
    bool prose[TREE_DEPTH];  /* whether what is inside is prose */
    size_t box_end;          /* tokens there were when a box was last closed; 0: none was */
    bool bold;               /* "**" was opened */
    bool dollar_closes;      /* the next $ closes mathematics */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static bool is_prose(const struct lexer *lx) {
    return lx->depth > 0 && lx->depth <= TREE_DEPTH && lx->prose[lx->depth - 1];
}

static void add(struct lexer *lx, enum token_kind kind, cord_text text) {
    lx->tokens[lx->n++] = (struct token){.kind = kind, .text = text, .spaced = lx->spaced, .prose = is_prose(lx)};
    lx->spaced = false;
}

static char peek(const struct lexer *lx, size_t ahead) {
    return lx->at + ahead < lx->t.len ? lx->t.data[lx->at + ahead] : '\0';
}

/* ---- braces -------------------------------------------------------------------------------------------------- */

static void open_brace(struct lexer *lx, bool silent, bool prose) {
    if (lx->depth < TREE_DEPTH) {
        lx->box[lx->depth] = false;
        lx->silent[lx->depth] = silent;
        lx->prose[lx->depth] = prose;
    }
    lx->depth++;
}

static void close_brace(struct lexer *lx) {
    if (lx->depth == 0) {
        add(lx, TOKEN_SIGN, TEXT("}"));
        return;
    }
    bool silent = lx->depth <= TREE_DEPTH && lx->silent[lx->depth - 1];
    if (!silent) add(lx, TOKEN_SIGN, TEXT("}"));
    lx->depth--;
    if (lx->depth < TREE_DEPTH && lx->box[lx->depth]) lx->box_end = lx->n;
}

static void skip_blanks(struct lexer *lx) {
    while (lx->at < lx->t.len && is_blank(lx->t.data[lx->at])) lx->at++;
}

/* ---- commands ------------------------------------------------------------------------------------------------ */

/* Blanks of all widths. */
static const char *const blanks[] = {
    "\\,",  "\\;",  "\\:", "\\ ", "\\quad", "\\qquad", "\\thinspace", "\\enspace", "\\nobreakspace",
    "\\\n", "\\\t", NULL};
/* What is blank with all it takes. */
static const char *const hidden[] = {"\\phantom", "\\hphantom", "\\vphantom", "\\hspace", "\\mspace", NULL};
/* What only presents. */
static const char *const nothing[] = {"\\left",      "\\right",   "\\big",        "\\Big",
                                      "\\bigl",      "\\bigr",    "\\Bigl",       "\\Bigr",
                                      "\\bigg",      "\\Bigg",    "\\biggl",      "\\biggr",
                                      "\\Biggl",     "\\Biggr",   "\\middle",     "\\displaystyle",
                                      "\\textstyle", "\\limits",  "\\nolimits",   "\\(",
                                      "\\)",         "\\[",       "\\]",          "\\!",
                                      "\\mathit",    "\\mathsf",  "\\mathtt",     "\\underline",
                                      "\\rm",        "\\bf",      "\\it",         "\\mathstrut",
                                      "\\hfill",     "\\mathord", "\\ensuremath", "\\negthinspace",
                                      "\\/",         "\\strut",   "\\emph",       NULL};
/* What holds prose. */
static const char *const prose[] = {
    "\\text",         "\\mbox", "\\textbf",     "\\textit", "\\textrm",        "\\textsf", "\\texttt", "\\mathrm",
    "\\operatorname", "\\hbox", "\\textnormal", "\\textup", "\\operatorname*", "\\textsc", "\\mathop", NULL};
/* What makes another letter of the one that follows. */
static const char *const dresses[] = {
    "\\mathbf",   "\\boldsymbol", "\\bm",       "\\vec",     "\\hat",     "\\bar",
    "\\tilde",    "\\mathcal",    "\\mathfrak", "\\mathscr", "\\widehat", "\\overrightarrow",
    "\\overline", "\\dot",        "\\mathbb",   "\\pmb",     NULL};
/* Other names of the same thing. */
static const struct {
    const char *from, *to;
} synonyms[] = {
    {"\\dfrac", "\\frac"},
    {"\\tfrac", "\\frac"},
    {"\\cfrac", "\\frac"},
    {"\\dbinom", "\\binom"},
    {"\\tbinom", "\\binom"},
    {"\\leq", "\\le"},
    {"\\geq", "\\ge"},
    {"\\leqslant", "\\le"},
    {"\\geqslant", "\\ge"},
    {"\\neq", "\\ne"},
    {"\\lt", "<"},
    {"\\gt", ">"},
    {"\\lbrace", "\\{"},
    {"\\rbrace", "\\}"},
    {"\\lbrack", "["},
    {"\\rbrack", "]"},
    {"\\lparen", "("},
    {"\\rparen", ")"},
    {"\\vert", "|"},
    {"\\lvert", "|"},
    {"\\rvert", "|"},
    {"\\ast", "*"},
    {"\\colon", ":"},
    {"\\varnothing", "\\emptyset"},
    {"\\O", "\\emptyset"},
    {"\\smallsetminus", "\\setminus"},
    {"\\backslash", "\\setminus"},
    {"\\degree", "\\circ"},
    {"\\prime", "'"},
    {"\\isin", "\\in"},
    {"\\approxeq", "\\approx"},
    {"\\varphi", "\\phi"},
    {"\\varepsilon", "\\epsilon"},
    {"\\vartheta", "\\theta"},
    {"\\dots", "\\ldots"},
    {"\\cdots", "\\ldots"},
    {"\\dotsc", "\\ldots"},
    {"\\land", "\\wedge"},
    {"\\lor", "\\vee"},
    {"\\R", "\\mathbb{R}"},
    {"\\%", "%"},
    {"\\&", "&"},
    {"\\#", "#"},
    {"\\_", "_"},
    {"\\textdollar", "\\$"},
    {"\\mid", "|"},
    {"\\newline", "\\\\"},
    {"\\cr", "\\\\"},
    {"\\infin", "\\infty"},
    {"\\lang", "\\langle"},
    {"\\rang", "\\rangle"},
};

/* `\mathbf{x}` is x, but a bold i, j, k or e is a vector, and what has an arrow or a bar is another thing altogether. */
static bool dress(struct lexer *lx, cord_text command, size_t start) {
    size_t at = lx->at;
    while (at < lx->t.len && is_blank(lx->t.data[at])) at++;
    bool braced = at < lx->t.len && lx->t.data[at] == '{';
    size_t letter = at + braced;
    while (braced && letter < lx->t.len && is_blank(lx->t.data[letter])) letter++;
    if (letter >= lx->t.len || !is_letter(lx->t.data[letter])) return false;
    size_t end = letter + 1;
    while (braced && end < lx->t.len && is_blank(lx->t.data[end])) end++;
    if (braced && (end >= lx->t.len || lx->t.data[end++] != '}')) return false;
    cord_text name = text_slice(lx->t, letter, letter + 1);
    bool bold = text_equal(command, TEXT("\\mathbf")) || text_equal(command, TEXT("\\boldsymbol")) ||
                text_equal(command, TEXT("\\bm")) || text_equal(command, TEXT("\\pmb"));
    lx->at = end;
    if (bold && !strchr("ijke", *name.data))
        add(lx, TOKEN_LETTERS, name);
    else if (text_equal(command, TEXT("\\mathbb")))
        add(lx, TOKEN_COMMAND, *name.data == 'R' ? TEXT("\\mathbb{R}") : text_slice(lx->t, start, end));
    else
        add(lx, TOKEN_SYMBOL, text_slice(lx->t, start, end));
    return true;
}

static void environment(struct lexer *lx, enum token_kind kind) {
    skip_blanks(lx);
    size_t start = lx->at + 1;
    while (lx->at < lx->t.len && lx->t.data[lx->at] != '}') lx->at++;
    cord_text name = start <= lx->at ? text_slice(lx->t, start, lx->at) : TEXT("");
    if (lx->at < lx->t.len) lx->at++;
    add(lx, kind, text_trim(name));
}

/* A box's braces leave no tokens; two boxes side by side are two answers. */
static void box(struct lexer *lx) {
    if (lx->n > 0 && lx->box_end == lx->n) add(lx, TOKEN_SIGN, TEXT(","));
    skip_blanks(lx);
    if (peek(lx, 0) != '{') return;
    lx->at++;
    open_brace(lx, true, false);
    if (lx->depth <= TREE_DEPTH) lx->box[lx->depth - 1] = true;
}

/* \textcolor{red}{5} is 5. */
static void color(struct lexer *lx) {
    skip_blanks(lx);
    if (peek(lx, 0) != '{') return;
    while (lx->at < lx->t.len && lx->t.data[lx->at] != '}') lx->at++;
    lx->at += lx->at < lx->t.len;
    skip_blanks(lx);
    if (peek(lx, 0) != '{') return;
    lx->at++;
    open_brace(lx, true, is_prose(lx));
}

/* \phantom{0}, \hspace*{1em}: blank. One that is never closed stays. */
static void hide(struct lexer *lx) {
    size_t start = lx->at;
    lx->spaced = true;
    if (peek(lx, 0) == '*') lx->at++;
    skip_blanks(lx);
    ptrdiff_t close = peek(lx, 0) == '{' ? answer_closing_brace(lx->t, lx->at) : -1;
    lx->at = close < 0 ? start : (size_t)close + 1;
}

static cord_text command_name(struct lexer *lx) {
    size_t start = lx->at++;
    if (is_letter(peek(lx, 0)))
        while (is_letter(peek(lx, 0))) lx->at++;
    else if (lx->at < lx->t.len)
        lx->at++;
    return text_slice(lx->t, start, lx->at);
}

static void command(struct lexer *lx) {
    size_t start = lx->at;
    cord_text name = command_name(lx);
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (!text_equal(name, text_of(synonyms[i].from))) continue;
        name = text_of(synonyms[i].to);
        break;
    }
    if (text_place(name, blanks) >= 0) {
        lx->spaced = true;
    } else if (text_place(name, hidden) >= 0) {
        hide(lx);
    } else if (text_equal(name, TEXT("\\boxed")) || text_equal(name, TEXT("\\fbox"))) {
        box(lx);
    } else if (text_equal(name, TEXT("\\textcolor")) || text_equal(name, TEXT("\\color"))) {
        color(lx);
    } else if (text_place(name, nothing) >= 0) {
        if (name.len > 3 && peek(lx, 0) == '.' && (text_ends(name, TEXT("left")) || text_ends(name, TEXT("right"))))
            lx->at++; /* \right. */
    } else if (text_equal(name, TEXT("\\not")) && peek(lx, 0) == '=') {
        lx->at++;
        add(lx, TOKEN_COMMAND, TEXT("\\ne"));
    } else if (text_place(name, prose) >= 0) {
        if (peek(lx, 0) == '*') lx->at++;
        skip_blanks(lx);
        if (peek(lx, 0) == '{') {
            lx->at++;
            open_brace(lx, true, true);
        }
    } else if (text_equal(name, TEXT("\\begin"))) {
        environment(lx, TOKEN_BEGIN);
    } else if (text_equal(name, TEXT("\\end"))) {
        environment(lx, TOKEN_CLOSE);
    } else if (text_place(name, dresses) < 0 || !dress(lx, name, start)) {
        bool bold = text_equal(name, TEXT("\\mathbf")) || text_equal(name, TEXT("\\boldsymbol"));
        if (!bold) add(lx, name.data[0] == '\\' ? TOKEN_COMMAND : TOKEN_SIGN, name);
    }
}

/* ---- signs --------------------------------------------------------------------------------------------------- */

/* Unicode's symbols, as LaTeX or ASCII has them; what starts with a blank is one. */
static const struct {
    uint32_t c;
    const char *as;
} symbols[] = {
    {0x2212, "-"},        {0x2013, "-"},          {0x2010, "-"},        {0x2011, "-"},           {0xFE63, "-"},
    {0xD7, "\\times"},    {0xB7, "\\cdot"},       {0x22C5, "\\cdot"},   {0x2219, "\\cdot"},      {0x2217, "*"},
    {0xF7, "\\div"},      {0x2215, "/"},          {0x2044, "/"},        {0x221A, "\\surd"},      {0x221B, "\\cbrt"},
    {0x221E, "\\infty"},  {0x2264, "\\le"},       {0x2265, "\\ge"},     {0x2A7D, "\\le"},        {0x2A7E, "\\ge"},
    {0x2260, "\\ne"},     {0x2208, "\\in"},       {0x222A, "\\cup"},    {0x2229, "\\cap"},       {0x2205, "\\emptyset"},
    {0xD8, "\\emptyset"}, {0x2216, "\\setminus"}, {0xB0, "\\circ"},     {0x2218, "\\circ"},      {0x2032, "'"},
    {0x2019, "'"},        {0x2018, "'"},          {0x201C, "\""},       {0x201D, "\""},          {0xB1, "\\pm"},
    {0x2213, "\\mp"},     {0x2026, "\\ldots"},    {0x2248, "\\approx"}, {0x211D, "\\mathbb{R}"}, {0x27E8, "\\langle"},
    {0x27E9, "\\rangle"}, {0x2329, "\\langle"},   {0x232A, "\\rangle"}, {0x230A, "\\lfloor"},    {0x230B, "\\rfloor"},
    {0x2308, "\\lceil"},  {0x2309, "\\rceil"},    {0x2223, "|"},        {0x2228, "\\vee"},       {0x2227, "\\wedge"},
    {0x20AC, "\\euro"},   {0xA3, "\\pounds"},     {0xA5, "\\yen"},      {0x20B9, "\\rupee"},     {0xA2, "\\cent"},
    {0xFF08, "("},        {0xFF09, ")"},          {0xFF0C, ","},        {0xFF1D, "="},           {0xFF05, "%"},
    {0x2033, "\\dprime"}, {0x212F, "e"},          {0x2148, "i"},        {0x393, "\\Gamma"},      {0x394, "\\Delta"},
    {0x398, "\\Theta"},   {0x39B, "\\Lambda"},    {0x3A0, "\\Pi"},      {0x3A3, "\\Sigma"},      {0x3A6, "\\Phi"},
    {0x3A8, "\\Psi"},     {0x3A9, "\\Omega"},     {0x3B1, "\\alpha"},   {0x3B2, "\\beta"},       {0x3B3, "\\gamma"},
    {0x3B4, "\\delta"},   {0x3B5, "\\epsilon"},   {0x3B6, "\\zeta"},    {0x3B7, "\\eta"},        {0x3B8, "\\theta"},
    {0x3B9, "\\iota"},    {0x3BA, "\\kappa"},     {0x3BB, "\\lambda"},  {0x3BC, "\\mu"},         {0xB5, "\\mu"},
    {0x3BD, "\\nu"},      {0x3BE, "\\xi"},        {0x3C0, "\\pi"},      {0x3C1, "\\rho"},        {0x3C3, "\\sigma"},
    {0x3C4, "\\tau"},     {0x3C5, "\\upsilon"},   {0x3C6, "\\phi"},     {0x3D5, "\\phi"},        {0x3C7, "\\chi"},
    {0x3C8, "\\psi"},     {0x3C9, "\\omega"},     {0xA0, " "},          {0x2009, " "},           {0x202F, " "},
    {0x2002, " "},        {0x2003, " "},          {0x2007, " "},        {0x200A, " "},           {0x200B, ""},
    {0xFEFF, ""},         {0x2061, ""},           {0x2062, ""},
};

/* Raised digits, ⁰ to ⁹, become "^" and digits; lowered ones, ₀ to ₉, "_" and digits; ½ and its kin a fraction in braces. */
static const struct {
    uint32_t c;
    const char *as;
} small[] = {
    {0x2070, "^0"},  {0xB9, "^1"},    {0xB2, "^2"},    {0xB3, "^3"},    {0x2074, "^4"},  {0x2075, "^5"},
    {0x2076, "^6"},  {0x2077, "^7"},  {0x2078, "^8"},  {0x2079, "^9"},  {0x207A, "^+"},  {0x207B, "^-"},
    {0x207F, "^n"},  {0x2080, "_0"},  {0x2081, "_1"},  {0x2082, "_2"},  {0x2083, "_3"},  {0x2084, "_4"},
    {0x2085, "_5"},  {0x2086, "_6"},  {0x2087, "_7"},  {0x2088, "_8"},  {0x2089, "_9"},  {0xBD, "f12"},
    {0xBC, "f14"},   {0xBE, "f34"},   {0x2153, "f13"}, {0x2154, "f23"}, {0x2155, "f15"}, {0x2156, "f25"},
    {0x2157, "f35"}, {0x2158, "f45"}, {0x2159, "f16"}, {0x215A, "f56"}, {0x215B, "f18"}, {0x215C, "f38"},
    {0x215D, "f58"}, {0x215E, "f78"},
};

/* The characters "^2" and so on of one that is raised, lowered or a fraction; NULL for others. */
static const char *small_of(cord_text t, size_t at, size_t *end) {
    if (at >= t.len || (unsigned char)t.data[at] < 0x80) return NULL;
    *end = at;
    uint32_t c = utf8_next(t, end);
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (small[i].c == c) return small[i].as;
    return NULL;
}

/* "x⁻¹²" as x^{-12}, "½" as \frac12. */
static bool small_run(struct lexer *lx) {
    size_t end;
    const char *as = small_of(lx->t, lx->at, &end);
    if (!as) return false;
    if (*as == 'f') {
        add(lx, TOKEN_COMMAND, TEXT("\\frac"));
        add(lx, TOKEN_DIGITS, (cord_text){as + 1, 1});
        add(lx, TOKEN_DIGITS, (cord_text){as + 2, 1});
        lx->at = end;
        return true;
    }
    char kind = *as;
    add(lx, TOKEN_SIGN, kind == '^' ? TEXT("^") : TEXT("_"));
    add(lx, TOKEN_SIGN, TEXT("{"));
    for (; as && *as == kind; as = small_of(lx->t, lx->at, &end)) {
        bool digit = is_digit(as[1]);
        add(lx, digit ? TOKEN_DIGITS : as[1] == 'n' ? TOKEN_LETTERS : TOKEN_SIGN, (cord_text){as + 1, 1});
        lx->at = end;
    }
    add(lx, TOKEN_SIGN, TEXT("}"));
    return true;
}

static bool is_word_character(uint32_t c) { return c >= 0xC0 && c != 0xD7 && c != 0xF7 && c < 0x2000; }

static void wide_character(struct lexer *lx) {
    size_t end = lx->at;
    uint32_t c = utf8_next(lx->t, &end);
    bool range =
        c == 0x2013 && lx->at > 0 && is_digit(lx->t.data[lx->at - 1]) && end < lx->t.len && is_digit(lx->t.data[end]);
    if (range) { /* "5–6", with an en dash: five to six, or a difference */
        add(lx, TOKEN_SIGN, TEXT("\x7F"));
        lx->at = end;
        return;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        if (symbols[i].c != c) continue;
        const char *as = symbols[i].as;
        lx->at = end;
        if (*as == ' ')
            lx->spaced = true;
        else if (*as)
            add(lx, *as == '\\' ? TOKEN_COMMAND : is_letter(*as) ? TOKEN_LETTERS : TOKEN_SIGN, text_of(as));
        return;
    }
    bool valid = c != 0xFFFD || end - lx->at == 3;
    add(lx, is_word_character(c) || (valid && c >= 0x2E80) ? TOKEN_LETTERS : TOKEN_SIGN,
        valid ? text_slice(lx->t, lx->at, end) : TEXT("\x7F"));
    lx->at = end;
}

/* A run of letters, those beyond ASCII too, as far as they are not symbols. */
static void letters(struct lexer *lx) {
    size_t start = lx->at;
    while (is_letter(peek(lx, 0))) lx->at++;
    add(lx, TOKEN_LETTERS, text_slice(lx->t, start, lx->at));
}

static void join_letters(struct lexer *lx) { /* "n" "ï" "ve" are one word */
    size_t out = 0;
    for (size_t i = 0; i < lx->n; i++) {
        struct token *t = &lx->tokens[i], *last = out ? &lx->tokens[out - 1] : NULL;
        bool touching = last && last->text.data + last->text.len == t->text.data;
        if (touching && t->kind == TOKEN_LETTERS && last->kind == TOKEN_LETTERS && !t->spaced)
            last->text.len += t->text.len;
        else
            lx->tokens[out++] = *t;
    }
    lx->n = out;
}

/* Whether the $ at lx->at is money: a number follows, and no other $ that could close mathematics; or a number stands
 * before it, and no $ is open. Mathematics is closed where no blank stands before the $ and no digit after. */
static bool is_money(struct lexer *lx) {
    size_t at = lx->at + 1;
    while (at < lx->t.len && strchr("-+. ", lx->t.data[at]) && lx->t.data[at]) at++;
    bool before = lx->n > 0 && !lx->spaced && lx->tokens[lx->n - 1].kind == TOKEN_DIGITS;
    if (at >= lx->t.len || !is_digit(lx->t.data[at])) return before && lx->at + 1 == lx->t.len;
    for (at = lx->at + 1; at < lx->t.len; at++) {
        if (lx->t.data[at] == '\\')
            at++;
        else if (lx->t.data[at] == '$')
            return (is_blank(lx->t.data[at - 1]) && peek(lx, 1) != ' ') ||
                   (at + 1 < lx->t.len && is_digit(lx->t.data[at + 1]));
    }
    return true;
}

static void dollar(struct lexer *lx) {
    if (peek(lx, 1) == '$') { /* display mathematics */
        lx->at += 2;
        return;
    }
    if (lx->dollar_closes) {
        lx->dollar_closes = false;
    } else if (is_money(lx)) {
        add(lx, TOKEN_COMMAND, TEXT("\\$"));
    } else {
        lx->dollar_closes = true;
    }
    lx->at++;
}

/* A comma, and whether it can only separate thousands. */
static void comma(struct lexer *lx) {
    add(lx, TOKEN_SIGN, TEXT(","));
    lx->at++;
    size_t at = lx->at;
    while (at < lx->t.len && is_blank(lx->t.data[at])) at++;
    if (!text_starts(text_slice(lx->t, at, lx->t.len), TEXT("\\!"))) return;
    lx->tokens[lx->n - 1].joins = true;
    lx->at = at + 2;
    skip_blanks(lx);
}

/* "**73** dollars" is bold; "x**2" a power, as programs write it. */
static void stars(struct lexer *lx) {
    cord_text rest = text_slice(lx->t, lx->at + 2, lx->t.len);
    bool opens = (lx->spaced || lx->n == 0) && rest.len && !is_blank(*rest.data) && text_find(rest, TEXT("**")) > 0;
    if (!lx->bold && !opens) add(lx, TOKEN_SIGN, TEXT("^"));
    lx->bold = !lx->bold && opens;
    lx->at += 2;
}

static void sign(struct lexer *lx) {
    cord_text rest = text_slice(lx->t, lx->at, lx->t.len);
    if (text_starts(rest, TEXT("{,}"))) {
        add(lx, TOKEN_SIGN, TEXT(","));
        lx->tokens[lx->n - 1].joins = true;
        lx->at += 3;
    } else if (*rest.data == ',') {
        comma(lx);
    } else if (*rest.data == '$') {
        dollar(lx);
    } else if (*rest.data == '{') {
        add(lx, TOKEN_SIGN, TEXT("{"));
        open_brace(lx, false, is_prose(lx));
        lx->at++;
    } else if (*rest.data == '}') {
        close_brace(lx);
        lx->at++;
    } else if (*rest.data == '~') {
        bool starts = lx->n == 0 || token_is(&lx->tokens[lx->n - 1], "=");
        if (starts && is_digit(peek(lx, 1))) add(lx, TOKEN_COMMAND, TEXT("\\approx")); /* ~5: about five */
        lx->spaced = true;
        lx->at++;
    } else if (text_starts(rest, TEXT("**"))) {
        stars(lx);
    } else if (text_starts(rest, TEXT("<=")) || text_starts(rest, TEXT(">=")) || text_starts(rest, TEXT("!="))) {
        add(lx, TOKEN_COMMAND, *rest.data == '<' ? TEXT("\\le") : *rest.data == '>' ? TEXT("\\ge") : TEXT("\\ne"));
        lx->at += 2;
    } else {
        bool plain = *rest.data > ' ' && *rest.data < 0x7F;
        add(lx, TOKEN_SIGN, plain ? text_slice(rest, 0, 1) : TEXT("\x7F"));
        lx->at++;
    }
}

struct token *lex(struct arena *arena, cord_text t, size_t *n) {
    /* a byte gives one token at most, a fraction of two bytes three, a raised digit of two four */
    struct lexer lx = {.t = t, .tokens = arena_alloc(arena, (2 * t.len + 1 + TOKENS_BEHIND) * sizeof *lx.tokens)};
    if (!lx.tokens) return NULL;
    while (lx.at < t.len) {
        char c = t.data[lx.at];
        size_t start = lx.at;
        if (is_blank(c)) {
            lx.spaced = true;
            lx.at++;
        } else if (is_digit(c)) {
            while (is_digit(peek(&lx, 0))) lx.at++;
            add(&lx, TOKEN_DIGITS, text_slice(t, start, lx.at));
        } else if (is_letter(c)) {
            letters(&lx);
        } else if (c == '\\') {
            command(&lx);
        } else if ((unsigned char)c >= 0x80) {
            if (!small_run(&lx)) wide_character(&lx);
        } else {
            sign(&lx);
        }
    }
    if (lx.depth > 0) add(&lx, TOKEN_SIGN, TEXT("{")); /* one that is never closed, though it belong to a \\text */
    join_letters(&lx);
    for (int i = 0; i < TOKENS_BEHIND; i++)
        lx.tokens[lx.n + (size_t)i] = (struct token){.kind = TOKEN_END, .text = TEXT("")};
    *n = lx.n;
    return lx.tokens;
}
