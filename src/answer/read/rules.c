/* rules.c - the tables of words. It must not know how words are put together. */
#include "answer/read/rules.h"

/* Whether `word` is among the spellings of `list`, which bars separate. */
static bool among(const char *list, cord_text word) {
    while (list && *list) {
        size_t len = strcspn(list, "|");
        if (len == word.len && memcmp(list, word.data, len) == 0) return true;
        list += len + (list[len] == '|');
    }
    return false;
}

/* `word` in small letters, in `out`; empty where it is too long to be in a table. */
static cord_text lower(cord_text word, char out[40]) {
    if (word.len >= 40) return TEXT("");
    for (size_t i = 0; i < word.len; i++) out[i] = ascii_lower(word.data[i]);
    return (cord_text){out, word.len};
}

/* ---- units --------------------------------------------------------------------------------------------------- */

#define BASE_(dimension, exponent, n, d) .power = {[dimension] = (exponent)}, .num = (n), .den = (d)
#define LENGTH_(num, den)                BASE_(LENGTH, 1, num, den)
#define VOLUME_(num, den)                BASE_(LENGTH, 3, num, den)
#define MASS_(num, den)                  BASE_(MASS, 1, num, den)
#define TIME_(num, den)                  BASE_(TIME, 1, num, den)
#define MONEY_(num, den)                 BASE_(MONEY, 1, num, den)
#define SCALE_(num)                      BASE_(SCALE, 1, num, 1)
#define PART_(den)                       BASE_(SCALE, 1, 1, den)
#define NOTHING_                         .num = 1, .den = 1 /* does not convert */

/* Factors: the international yard and pound of 1959; the litre is a cubic decimetre; US customary volumes are left out,
 * since a gallon is not the same everywhere. Months and years have no fixed length. */
static const struct unit units[] = {
    {"meter", "m|meters|metre|metres", LENGTH_(1, 1), .letter = true},
    {"centimeter", "cm|centimeters|centimetre|centimetres|cms", LENGTH_(1, 100)},
    {"millimeter", "mm|millimeters|millimetre|millimetres", LENGTH_(1, 1000)},
    {"decimeter", "dm|decimeters|decimetre|decimetres", LENGTH_(1, 10)},
    {"kilometer", "km|kilometers|kilometre|kilometres|kms", LENGTH_(1000, 1)},
    {"inch", "in|inches", LENGTH_(254, 10000)},
    {"foot", "ft|feet", LENGTH_(3048, 10000)},
    {"yard", "yd|yards|yds", LENGTH_(9144, 10000)},
    {"mile", "mi|miles", LENGTH_(1609344, 1000)},
    {"liter", "L|l|liters|litre|litres", VOLUME_(1, 1000), .letter = true},
    {"milliliter", "mL|ml|milliliters|millilitre|millilitres|cc", VOLUME_(1, 1000000)},
    {"kilogram", "kg|kilograms|kilo|kilos|kgs", MASS_(1, 1)},
    {"gram", "g|grams|gramme|grammes", MASS_(1, 1000), .letter = true},
    {"milligram", "mg|milligrams", MASS_(1, 1000000), .letter = true},
    {"pound", "lb|lbs|pounds", MASS_(45359237, 100000000)},
    {"ounce", "oz|ounces", MASS_(45359237, 1600000000)},
    {"second", "s|sec|secs|seconds", TIME_(1, 1), .letter = true},
    {"millisecond", "ms|milliseconds", TIME_(1, 1000)},
    {"minute", "min|mins|minutes", TIME_(60, 1)},
    {"hour", "h|hr|hrs|hours", TIME_(3600, 1), .letter = true},
    {"day", "days", TIME_(86400, 1)},
    {"week", "weeks", TIME_(604800, 1)},
    {"month", "months", NOTHING_},
    {"year", "yr|yrs|years", NOTHING_},
    {"degree", "degrees|deg", BASE_(ANGLE, 1, 1, 1), .sign = true},
    {"radian", "radians|rad|rads", NOTHING_},
    {"dollar", "dollars|USD|usd|buck|bucks", MONEY_(1, 1), .sign = true},
    {"cent", "cents|\xC2\xA2", MONEY_(1, 100)},
    {"euro", "euros|EUR", NOTHING_, .sign = true},
    {"pound sterling", "GBP", NOTHING_, .sign = true},
    {"yen", "JPY", NOTHING_, .sign = true},
    {"rupee", "rupees|INR|Rs", NOTHING_, .sign = true},
    {"tens", NULL, SCALE_(10)},
    {"hundred", "hundreds", SCALE_(100)},
    {"thousand", "thousands|grand", SCALE_(1000)},
    {"lakh", "lakhs", SCALE_(100000)},
    {"million", "millions|mil|mio|mln", SCALE_(1000000)},
    {"crore", "crores", SCALE_(10000000)},
    {"billion", "billions|bn|bil|bln", SCALE_(1000000000)},
    {"trillion", "trillions|tn|tril", SCALE_(1000000000000)},
    {"quadrillion", "quadrillions", SCALE_(1000000000000000)},
    {"quintillion", "quintillions", SCALE_(1000000000000000000)},
    {"dozen", "dozens", SCALE_(12)},
    {"score", "scores", SCALE_(20)},
    {"half", "halves", PART_(2)},
    {"third", "thirds", PART_(3)},
    {"quarter", "quarters|fourth|fourths", PART_(4)},
    {"fifth", "fifths", PART_(5)},
    {"sixth", "sixths", PART_(6)},
    {"seventh", "sevenths", PART_(7)},
    {"eighth", "eighths", PART_(8)},
    {"ninth", "ninths", PART_(9)},
    {"tenth", "tenths", PART_(10)},
    {"eleventh", "elevenths", PART_(11)},
    {"twelfth", "twelfths", PART_(12)},
    {"thirteenth", "thirteenths", PART_(13)},
    {"fourteenth", "fourteenths", PART_(14)},
    {"fifteenth", "fifteenths", PART_(15)},
    {"sixteenth", "sixteenths", PART_(16)},
    {"seventeenth", "seventeenths", PART_(17)},
    {"eighteenth", "eighteenths", PART_(18)},
    {"nineteenth", "nineteenths", PART_(19)},
    {"twentieth", "twentieths", PART_(20)},
    {"thirtieth", "thirtieths", PART_(30)},
    {"fortieth", "fortieths", PART_(40)},
    {"fiftieth", "fiftieths", PART_(50)},
    {"sixtieth", "sixtieths", PART_(60)},
    {"seventieth", "seventieths", PART_(70)},
    {"eightieth", "eightieths", PART_(80)},
    {"ninetieth", "ninetieths", PART_(90)},
    {"hundredth", "hundredths", PART_(100)},
    {"thousandth", "thousandths", PART_(1000)},
    {"millionth", "millionths", PART_(1000000)},
    {"billionth", "billionths", PART_(1000000000)},
    {"newton", "N|newtons", NOTHING_, .letter = true},
    {"joule", "J|joules", NOTHING_, .letter = true},
    {"watt", "W|watts", NOTHING_, .letter = true},
    {"volt", "V|volts", NOTHING_, .letter = true},
    {"ampere", "A|amps|amp|amperes", NOTHING_, .letter = true},
    {"kelvin", "K|kelvins", NOTHING_, .letter = true},
    {"ohm", "ohms|\\Omega", NOTHING_},
    {"mole", "mol|moles", NOTHING_},
    {"hertz", "Hz", NOTHING_},
    {"kilohertz", "kHz", NOTHING_},
    {"pascal", "Pa|pascals", NOTHING_},
    {"kilopascal", "kPa|KPa|kilopascals", NOTHING_},
    {"megapascal", "MPa|megapascals", NOTHING_},
    {"kilojoule", "kJ|kilojoules", NOTHING_},
    {"kilowatt", "kW|kilowatts", NOTHING_},
    {"kwh", "kWh|KWh|KWH", NOTHING_},
    {"unit", "units|u", NOTHING_},
    {"point", "points|pt|pts", NOTHING_},
    {"piece", "pieces|pc|pcs", NOTHING_},
    {"package", "packages|pkg|pkgs", NOTHING_},
    {"tablespoon", "tablespoons|tbsp|tbs", NOTHING_},
    {"teaspoon", "teaspoons|tsp|tsps", NOTHING_},
    {"rpm", "RPM", NOTHING_},
    {"fps", "FPS", NOTHING_},
    {"bpm", "BPM", NOTHING_},
    {"wpm", "WPM", NOTHING_},
    {"kilobyte", "KB|kB", NOTHING_},
    {"megabyte", "MB", NOTHING_},
    {"gigabyte", "GB", NOTHING_},
    {"decibel", "dB", NOTHING_},
    {"kph", "KPH|kmph|kmh", .power = {[LENGTH] = 1, [TIME] = -1}, .num = 1000, .den = 3600},
    {"mph", "MPH", .power = {[LENGTH] = 1, [TIME] = -1}, .num = 1609344, .den = 3600000},
    {"celsius", "Celsius|C", NOTHING_, .letter = true},
    {"fahrenheit", "Fahrenheit|F", NOTHING_, .letter = true},
};

const struct unit *unit_find(cord_text word) {
    char small[40];
    cord_text low = lower(word, small);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_equal(text_of(units[i].name), low) || among(units[i].words, word) ||
            (word.len > 2 && among(units[i].words, low)))
            return &units[i];
    return NULL;
}

/* "seven", "sextillion", "trillionths": a number, if not one that the tables have. */
static bool is_number_word(cord_text word) {
    static const char *const ends[] = {"illion", "illions", "illionth", "illionths", "illiard", "illiards"};
    int64_t value;
    bool scale;
    if (unit_find(word)) return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (text_ends(word, text_of(ends[i]))) return true;
    return number_word(word, &value, &scale);
}

bool is_no_unit(cord_text word) {
    static const char words[] =
        "about|after|ago|approximately|around|at|base|before|between|binary|both|but|by|choose|"
        "cubed|decimal|divided|either|"
        "except|factorial|from|hexadecimal|if|is|least|less|log|minus|mod|modulo|more|most|"
        "multiplied|nearly|nd|not|octal|or|"
        "over|plus|power|raised|rd|remainder|root|roughly|squared|st|than|th|then|times|to|"
        "unless|until|up|when|where|with|and|"
        "above|approx|below|doubled|fewer|halved|impossible|incorrect|inf|infinity|infty|inverse|negative|otherwise|"
        "rounded|subtract|tripled|under|unknown|wrong|zero|"
        "behind|debt|decrease|decreased|deducted|deficit|down|drop|dropped|loss|losses|overdrawn|owed|owing|"
        "reduction|"
        "short|shortage|shortfall|underground|underwater|bce|"
        "couple|double|gross|myriad|thrice|triple|twice|"
        "discarded|disregarded|excluded|excluding|extraneous|ignored|inadmissible|invalid|omitted|"
        "rejected|ruled|"
        "recurring|repeating|"
        "almost|am|pm|yes|no|maybe|true|false|even|odd|none|neither|undefined";
    char small[40];
    cord_text low = lower(word, small);
    return among(words, low) || is_number_word(low);
}

bool is_run_of_letters(cord_text word) {
    static const char plain[] =
        "of|ox|ad|US|UK|EU|TV|TVs|CD|CDs|DVD|PC|PCs|GPS|BBQ|VIP|mpg|MPG|kWh|kwh|KWH|mph|MW|GW|hp|HP|px|rds|AU";
    char small[40];
    cord_text low = lower(word, small);
    if (low.len < 2 || low.len > 3 || among(plain, word) || unit_find(word)) return false;
    bool vowel = false, in_order = true;
    for (size_t i = 0; i < low.len; i++) {
        if (low.data[i] < 'a' || low.data[i] > 'z') return false;
        vowel = vowel || strchr("aeiouy", low.data[i]);
        in_order = in_order && (i == 0 || low.data[i] == low.data[i - 1] + 1); /* abc, xyz */
    }
    return low.len == 2 || !vowel || in_order;
}

const struct unit *unit_of_sign(cord_text command) {
    static const struct {
        const char *command, *unit;
    } signs[] = {{"\\$", "dollar"},
                 {"\\euro", "euro"},
                 {"\\pounds", "pound sterling"},
                 {"\\pound", "pound sterling"},
                 {"\\yen", "yen"},
                 {"\\rupee", "rupee"},
                 {"\\cent", "cent"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (text_equal(text_of(signs[i].command), command)) return unit_find(text_of(signs[i].unit));
    return NULL;
}

bool unit_converts(const struct unit *a, const struct unit *b) {
    bool any = false;
    for (int i = 0; i < DIMENSIONS; i++) {
        if (a->power[i] != b->power[i]) return false;
        any = any || a->power[i];
    }
    return any;
}

bool unit_multiply(struct unit *left, const struct unit *right, int power) {
    for (int i = 0; i < DIMENSIONS; i++) left->power[i] += power * right->power[i];
    for (int n = power < 0 ? -power : power; n > 0; n--)
        if (__builtin_mul_overflow(left->num, power < 0 ? right->den : right->num, &left->num) ||
            __builtin_mul_overflow(left->den, power < 0 ? right->num : right->den, &left->den))
            return false;
    return true;
}

/* ---- words --------------------------------------------------------------------------------------------------- */

bool word_find(cord_text text, enum word_group *group, const char **normal) {
    static const struct {
        enum word_group group;
        const char *normal, *words;
    } words[] = {
        {GROUP_YES_NO, "yes", "yes"},
        {GROUP_YES_NO, "no", "no"},
        {GROUP_YES_NO, "maybe", "maybe"},
        {GROUP_TRUE_FALSE, "true", "true"},
        {GROUP_TRUE_FALSE, "false", "false"},
        {GROUP_PARITY, "even", "even"},
        {GROUP_PARITY, "odd", "odd"},
        {GROUP_PARITY, "neither", "neither|neither even nor odd|neither odd nor even"},
        {GROUP_WEEKDAY, "monday", "monday"},
        {GROUP_WEEKDAY, "tuesday", "tuesday"},
        {GROUP_WEEKDAY, "wednesday", "wednesday"},
        {GROUP_WEEKDAY, "thursday", "thursday"},
        {GROUP_WEEKDAY, "friday", "friday"},
        {GROUP_WEEKDAY, "saturday", "saturday"},
        {GROUP_WEEKDAY, "sunday", "sunday"},
        {GROUP_UNDEFINED, "undefined",
         "undefined|does not exist|dne|D.N.E.|D.N.E|d.n.e.|d.n.e|not defined|doesn't exist|limit does not exist"},
        {GROUP_NONE, "none",
         "none|no solution|no solutions|no real solution|no real solutions|there is no solution|there are no solutions|"
         "empty set|the empty set|no such value|no solution exists|no solutions exist"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!among(words[i].words, text)) continue;
        *group = words[i].group;
        *normal = words[i].normal;
        return true;
    }
    static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                         "july",    "august",   "september", "october", "november", "december"};
    for (int i = 0; i < 12; i++) {
        if (!text_equal(text, text_of(months[i]))) continue;
        *group = GROUP_MONTH;
        *normal = months[i];
        return true;
    }
    return false;
}

int month_find(cord_text word) {
    static const char *const months[] = {
        "january|jan", "february|feb", "march|mar",          "april|apr",   "may",          "june|jun",
        "july|jul",    "august|aug",   "september|sep|sept", "october|oct", "november|nov", "december|dec"};
    char small[40];
    for (int i = 0; i < 12; i++)
        if (among(months[i], lower(word, small))) return i + 1;
    return 0;
}

bool number_word(cord_text word, int64_t *value, bool *scale) {
    static const char *const ones[] = {"zero",     "one",     "two",     "three",     "four",     "five",    "six",
                                       "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
                                       "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
    static const char *const tens[] = {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
    char small[40];
    word = lower(word, small);
    *scale = false;
    for (int i = 0; i < 20; i++)
        if (text_equal(word, text_of(ones[i]))) return *value = i, true;
    for (int i = 0; i < 8; i++)
        if (text_equal(word, text_of(tens[i]))) return *value = 10 * (i + 2), true;
    const struct unit *unit = unit_find(word);
    if (!unit || !unit->power[SCALE] || unit->num < 100) return false;
    *scale = true;
    *value = unit->num;
    return true;
}

int64_t denominator_word(cord_text word) {
    const struct unit *unit = unit_find(word);
    return unit && unit->power[SCALE] && unit->num == 1 ? unit->den : 0;
}

/* ---- functions ----------------------------------------------------------------------------------------------- */

bool function_find(cord_text name, enum function *function) {
    static const struct {
        const char *names;
        enum function function;
    } functions[] = {
        {"sin", FUNCTION_SIN},
        {"cos", FUNCTION_COS},
        {"tan|tg", FUNCTION_TAN},
        {"cot|ctg|cotan", FUNCTION_COT},
        {"sec", FUNCTION_SEC},
        {"csc|cosec", FUNCTION_CSC},
        {"arcsin|asin", FUNCTION_ASIN},
        {"arccos|acos", FUNCTION_ACOS},
        {"arctan|atan|arctg", FUNCTION_ATAN},
        {"sinh", FUNCTION_SINH},
        {"cosh", FUNCTION_COSH},
        {"tanh", FUNCTION_TANH},
        {"ln", FUNCTION_LN},
        {"log|lg", FUNCTION_LOG},
        {"exp", FUNCTION_EXP},
        {"gcd", FUNCTION_GCD},
        {"lcm", FUNCTION_LCM},
        {"min", FUNCTION_MIN},
        {"max", FUNCTION_MAX},
        {"Re", FUNCTION_RE},
        {"Im", FUNCTION_IM},
    };
    if (text_starts(name, TEXT("\\"))) name = text_slice(name, 1, name.len);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (!among(functions[i].names, name)) continue;
        *function = functions[i].function;
        return true;
    }
    return false;
}

bool is_greek(cord_text command) {
    static const char letters[] =
        "\\alpha|\\beta|\\gamma|\\delta|\\epsilon|\\zeta|\\eta|\\theta|\\iota|\\kappa|\\lambda|\\mu|\\nu|\\xi|\\rho|"
        "\\sigma|"
        "\\tau|\\upsilon|\\phi|\\chi|\\psi|\\omega|\\Gamma|\\Delta|\\Theta|\\Lambda|\\Xi|\\Sigma|\\Upsilon|\\Phi|\\Psi|"
        "\\Omega|\\ell|\\hbar";
    return among(letters, command);
}
