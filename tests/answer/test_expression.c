/* Whether two expressions are the same number or function: tables of trees by kind, each pair in both orders, each side
 * with itself; and inputs that are far too large, each within a second and 64 MiB.
 * The notation is that of trees.h. */
#include "answer/exact/expression.h"
#include "support.h"
#include "trees.h"

#include <sys/resource.h>

enum { WORK = 4000000 }; /* as the grader gives to a pair */

/* Whether memory is AddressSanitizer's, which takes several times as much. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

static cord_verdict compare(const char *a, const char *b, const char **rule) {
    struct arena arena;
    arena_init(&arena);
    struct work work = {.left = WORK};
    cord_verdict verdict = expression_compare(tree_read(&arena, a), tree_read(&arena, b), &work, rule);
    assert_non_null(*rule);
    assert_true(verdict == CORD_UNDECIDED || work.limit == NULL);
    arena_release(&arena);
    return verdict;
}

static void check(cord_verdict want, const char *a, const char *b) {
    const char *rule = NULL;
    cord_verdict got = compare(a, b, &rule);
    if (got != want) fail_msg("%s | %s: %s, not %s (%s)", a, b, cord_verdict_name(got), cord_verdict_name(want), rule);
    got = compare(b, a, &rule);
    if (got != want) fail_msg("%s | %s: %s the other way round (%s)", b, a, cord_verdict_name(got), rule);
    assert_int_equal(compare(a, a, &rule), CORD_EQUAL);
    assert_int_equal(compare(b, b, &rule), CORD_EQUAL);
}

struct pair {
    const char *a, *b;
};

#define CHECK_ALL(want, ...)                                                                                    \
    do {                                                                                                        \
        static const struct pair pairs_[] = {__VA_ARGS__};                                                      \
        for (size_t i_ = 0; i_ < sizeof pairs_ / sizeof *pairs_; i_++) check(want, pairs_[i_].a, pairs_[i_].b); \
    } while (0)

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static void test_rational(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"(/ 1 3)", "0.[3]"}, {"0.1[6]", "(/ 1 6)"}, {"0.[9]", "1"}, {"12e3", "12000"}, {"0", "-0"},
              {"7.[571428]", "(/ 212 28)"}, {"0.[3]e2", "(/ 100 3)"}, {"(% 50)", "0.5"}, {"(^ 2 10)", "1024"},
              {"(^ (/ 1 81) 2.5)", "(/ 1 59049)"}, {"(root -8 3)", "-2"}, {"(sqrt 25)", "5"}, {"(! 5)", "120"},
              {"(C 9 3)", "84"}, {"(C 3 9)", "0"}, {"(C 0.5 2)", "(/ -1 8)"}, {"(gcd 12 18 -10)", "2"},
              {"(lcm 4 6)", "12"}, {"(max 1 3 2)", "3"}, {"(min 1 3 -2)", "-2"}, {"(floor -1.5)", "-2"},
              {"(ceil -1.5)", "-1"}, {"(abs -3)", "3"}, {"(- 1 2 3)", "-4"}, {"(deg 0)", "0"}, {"(^ 2 -3)", "0.125"},
              {"(! 1000)", "(* 1000 (! 999))"});
    CHECK_ALL(CORD_DIFFERENT, {"1", "2"}, {"10000", "10001"}, {"(/ 1 3)", "0.333"}, {"(^ 2 -99)", "(^ 2 -98)"},
              {"123456789012345678901234567890", "123456789012345678901234567891"}, {"(! 20)", "(! 21)"},
              {"(^ 2 100000)", "(+ 1 (^ 2 100000))"}, {"1e400", "1e401"});
    CHECK_ALL(CORD_UNDECIDED, {"(/ 1 0)", "5"}, {"(/ 1 0)", "(/ 2 0)"}, {"(^ 0 0)", "1"}, {"(^ 0 -1)", "0"},
              {"(! -1)", "1"}, {"(! 0.5)", "1"}, {"(* 0 (/ 1 0))", "0"}, {"(gcd 0.5 2)", "1"}, {"(^ -8 (/ 1 3))", "-2"},
              {"(^ -8 (/ 2 3))", "4"});
}

static void test_surd(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"(/ (sqrt 3) 3)", "(/ 1 (sqrt 3))"}, {"(* 2 (sqrt 113))", "(+ (* 2 (sqrt 113)) 0)"},
              {"(sqrt (+ 5 (* 2 (sqrt 6))))", "(+ (sqrt 2) (sqrt 3))"},
              {"(* (sqrt (+ 9 (sqrt 2))) (sqrt (- 9 (sqrt 2))))", "(sqrt 79)"},
              {"(root (+ 2 (sqrt 5)) 3)", "(/ (+ 1 (sqrt 5)) 2)"},
              {"(+ (root (+ 2 (sqrt 5)) 3) (root (- 2 (sqrt 5)) 3))", "1"},
              {"(/ 2 (root 125 4))", "(/ (* 2 (root 5 4)) 5)"}, {"(^ 18 1.25)", "(* (^ 18 2) (^ 18 -0.75))"},
              {"(^ (+ 1 (sqrt 2)) 300)", "(^ (+ 3 (* 2 (sqrt 2))) 150)"}, {"(sqrt (sqrt 4))", "(sqrt 2)"},
              {"(abs (- (sqrt 2) (sqrt 3)))", "(- (sqrt 3) (sqrt 2))"}, {"(max (sqrt 2) (sqrt 3))", "(sqrt 3)"},
              {"(floor (* 100 (sqrt 2)))", "141"}, {"(floor (^ (+ (sqrt 2) (sqrt 3)) 2))", "9"},
              {"(floor (^ (sqrt (+ 5 (* 2 (sqrt 6)))) 2))", "9"}, {"(ceil (* (sqrt 2) (sqrt 8)))", "4"});
    CHECK_ALL(CORD_DIFFERENT, {"(sqrt (+ 5 (* 2 (sqrt 6))))", "(+ (sqrt 2) (sqrt 5))"},
              {"(sqrt 2)", "1.41421356237309504880"}, {"(root 2 3)", "(root 2 4)"},
              {"(sqrt (+ 1 1e80))", "(+ 1e40 (/ 1 2e40))"}, {"(root (+ 1 1e300) 3)", "(+ 1e100 (/ 1 3e200))"},
              {"(+ (sqrt 10) (sqrt 11))", "(+ (sqrt 5) (sqrt 18))"}, {"(^ 2 (/ 1 1000003))", "(^ 2 (/ 1 1000033))"});
    CHECK_ALL(CORD_UNDECIDED, {"(/ 1 (- (* (sqrt 2) (sqrt 3)) (sqrt 6)))", "5"},
              {"(/ 1 (- (+ (sqrt 2) (sqrt 3)) (sqrt (+ 5 (* 2 (sqrt 6))))))", "5"},
              {"(^ (- 1 (sqrt 2)) (/ 1 3))", "(- (^ (- (sqrt 2) 1) (/ 1 3)))"});
}

static void test_trigonometry(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"(sin (/ pi 3))", "(/ (sqrt 3) 2)"}, {"(cos (/ pi 5))", "(/ (+ 1 (sqrt 5)) 4)"},
              {"(sin (/ (* 8 pi) 5))", "(- (sqrt (+ (/ 5 8) (/ (sqrt 5) 8))))"}, {"(sin (deg 30))", "0.5"},
              {"(* 2 (sin (/ (* 14 pi) 9)) (cos (/ (* 14 pi) 9)))", "(sin (/ (* 28 pi) 9))"},
              {"(sin (/ (* -3 pi) 7))", "(cos (/ (* 13 pi) 14))"}, {"(tan (/ (* 37 pi) 10))", "(cot (/ (* -6 pi) 5))"},
              {"(cos (/ pi 12))", "(/ (+ (sqrt 6) (sqrt 2)) 4)"}, {"(sec (/ pi 3))", "2"}, {"(csc (/ pi 6))", "2"},
              {"(* (cos (/ pi 7)) (cos (/ (* 2 pi) 7)) (cos (/ (* 3 pi) 7)))", "(/ 1 8)"}, {"(deg 90)", "(/ pi 2)"},
              {"(atan (- 2 (sqrt 3)))", "(/ pi 12)"}, {"(acos (/ -1 2))", "(/ (* 2 pi) 3)"}, {"(asin -1)", "(/ pi -2)"},
              {"(+ (atan (/ 1 2)) (atan (/ 1 3)))", "(/ pi 4)"},
              {"(- (* 4 (atan (/ 1 5))) (atan (/ 1 239)))", "(/ pi 4)"}, {"(sin (asin (/ 1 3)))", "(/ 1 3)"},
              {"(cos (atan (/ 3 4)))", "0.8"}, {"(sin (* 2 (atan (/ 3 4))))", "0.96"},
              {"(+ (^ (sin 1) 2) (^ (cos 1) 2))", "1"}, {"(sin 2)", "(* 2 (sin 1) (cos 1))"});
    CHECK_ALL(CORD_DIFFERENT, {"(sin (/ pi 9))", "(cos (/ pi 9))"}, {"(atan 1)", "(/ pi 3)"}, {"(sin (^ 10 100))", "0"},
              {"(atan (/ 1 3))", "0.3217505544"}, {"(asin (/ 1 2))", "(/ (* 5 pi) 6)"});
    CHECK_ALL(CORD_UNDECIDED, {"(tan (/ pi 2))", "1"}, {"(cot pi)", "0"}, {"(acos 5)", "(asin (sin (acos 5)))"},
              {"(asin i)", "i"});
}

static void test_transcendental(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"(log 125 25)", "1.5"}, {"(ln (/ 5 8))", "(- (ln 5) (* 3 (ln 2)))"},
              {"(exp (+ 1 (ln 4)))", "(* 4 e)"}, {"(/ (- (^ e 2) 16) (- e 4))", "(+ e 4)"},
              {"(ln (^ 14 (/ 1 (ln 5))))", "(log 14 5)"}, {"(ln (^ e 3))", "3"},
              {"(ln (+ 2 (sqrt 3)))", "(- (ln (- 2 (sqrt 3))))"}, {"(^ 3 (sqrt 2))", "(exp (* (sqrt 2) (ln 3)))"},
              {"(^ (^ 3 (sqrt 2)) (sqrt 2))", "9"}, {"(cosh (ln 2))", "1.25"}, {"(* (ln 2) (log 3 2))", "(ln 3)"},
              {"(/ (- (^ pi 2) 1) (- pi 1))", "(+ pi 1)"}, {"(* (sqrt pi) (sqrt pi))", "pi"}, {"(^ e (ln pi))", "pi"},
              {"(floor (exp (* pi (sqrt 163))))", "262537412640768743"}, {"(min pi e)", "e"}, {"(^ e 0.5)", "(sqrt e)"},
              {"(+ (/ 1 (log 2 6)) (/ 1 (log 3 6)))", "(+ (log 6 2) (log 6 3))"});
    CHECK_ALL(CORD_DIFFERENT, {"pi", "3.14159265358979323846"}, {"pi", "(/ 355 113)"}, {"e", "2.718281828"},
              {"(exp (* pi (sqrt 163)))", "262537412640768744"}, {"(ln 6)", "(+ (ln 2) (ln 5))"},
              {"(^ e pi)", "(^ pi e)"}, {"(^ 2 1000000)", "(^ 3 100000)"}, {"(^ 9 (^ 9 9))", "5"});
    CHECK_ALL(CORD_UNDECIDED, {"(ln 0)", "1"}, {"(exp (exp (exp 10)))", "5"}, {"(^ -2 (sqrt 2))", "1"});
}

static void test_complex(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"(sqrt -4)", "(* 2 i)"}, {"(* (+ -4 (* 6 i)) (- 3 (* 2 i)))", "(* 26 i)"},
              {"(/ (+ 1 i) (- 1 i))", "i"}, {"(^ e (* i pi))", "-1"}, {"(abs (+ 3 (* 4 i)))", "5"},
              {"(* 3 (^ e (/ (* 11 i pi) 3)))", "(- (/ (* 3 i (+ i (sqrt 3))) 2))"}, {"(^ i i)", "(exp (/ pi -2))"},
              {"(sqrt i)", "(/ (+ 1 i) (sqrt 2))"}, {"(sqrt (+ 3 (* 4 i)))", "(+ 2 i)"}, {"(ln -1)", "(* i pi)"},
              {"(ln i)", "(/ (* i pi) 2)"}, {"(conj (+ 1 (* i (sqrt 2))))", "(- 1 (* i (sqrt 2)))"},
              {"(abs (+ (sqrt 2) (* i (sqrt 3))))", "(sqrt 5)"}, {"(re (^ (+ 1 (* i (sqrt 2))) 3))", "-5"},
              {"(im (/ 1 (+ 1 i)))", "-0.5"}, {"(^ (+ 1 i) 100000)", "(^ 2 50000)"},
              {"(root -16 4)", "(* (sqrt 2) (+ 1 i))"});
    CHECK_ALL(CORD_DIFFERENT, {"i", "(- i)"}, {"(sqrt -4)", "(* -2 i)"}, {"(* 26 i)", "(* -26 i)"},
              {"(ln -1)", "(* -1 i pi)"}, {"(^ e (* i pi))", "1"});
    CHECK_ALL(CORD_UNDECIDED, {"(^ -1 0.5)", "i"}, {"(max i 1)", "1"}, {"(floor i)", "0"});
}

static void test_infinity(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"oo", "(* 2 oo)"}, {"(- oo)", "(- 5 oo)"}, {"(/ oo 3)", "(+ oo pi)"});
    CHECK_ALL(CORD_DIFFERENT, {"oo", "(- oo)"}, {"oo", "5"}, {"(- oo)", "pi"}, {"oo", "(^ 10 100)"});
    CHECK_ALL(CORD_UNDECIDED, {"(- oo oo)", "0"}, {"(* 0 oo)", "0"}, {"(/ 1 oo)", "0"}, {"oo", "x"}, {"oo", "(/ 1 0)"});
}

/* ---- functions ----------------------------------------------------------------------------------------------- */

static void test_rational_function(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"(^ (+ x y) 2)", "(+ (^ x 2) (* 2 x y) (^ y 2))"}, {"(/ (- (^ x 2) 1) (- x 1))", "(+ x 1)"},
              {"(+ (- x x) 5)", "5"}, {"(/ x x)", "1"}, {"(/ 0 x)", "0"},
              {"(- (/ 4 (+ x 3)) (/ 7 (- x 5)))", "(/ (+ (* -3 x) -41) (* (- x 5) (+ x 3)))"},
              {"(* (+ x i) (- x i))", "(+ (^ x 2) 1)"}, {"(* (+ x (sqrt 2)) (- x (sqrt 2)))", "(- (^ x 2) 2)"},
              {"(+ (* 2 pi x) (* pi x))", "(* 3 pi x)"},
              {"(+ 0 (^ (+ x y z w 1) 20))", "(* (^ (+ x y z w 1) 10) (^ (+ w y z x 1) 10))"},
              {"(C n 2)", "(/ (* n (- n 1)) 2)"}, {"(/ (! (+ n 1)) (! n))", "(+ n 1)"},
              {"(/ (! n) (! (- n 3)))", "(* n (- n 1) (- n 2))"}, {"(+ (C n k) (C n (+ k 1)))", "(C (+ n 1) (+ k 1))"},
              {"(^ x 1000000000000)", "(* x (^ x 999999999999))"});
    CHECK_ALL(CORD_DIFFERENT, {"(+ x 1)", "5"}, {"(+ x 1)", "(+ x 2)"}, {"(^ x 2)", "(^ x 3)"}, {"(+ x y)", "x"},
              {"(* (+ x (sqrt 2)) (- x (sqrt 3)))", "(- (^ x 2) 2)"},
              {"(^ (+ x y z w 1) 200)", "(+ 1 (^ (+ x y z w 1) 200))"},
              {"(/ (! (- 2 n)) (! n))", "(/ (! (+ n 2)) (! n))"});
    CHECK_ALL(CORD_UNDECIDED, {"(+ x 1)", "(+ y 1)"}, {"(/ 1 (- x x))", "1"},
              {"(/ 1 (- (* (+ x 1) (- x 1)) (- (^ x 2) 1)))", "x"}, {"(gcd x y)", "(gcd y z)"});
}

static void test_function(void **state) {
    (void)state;
    CHECK_ALL(CORD_EQUAL, {"(sqrt (^ x 2))", "(abs x)"}, {"(sqrt (+ (^ x 2) (* 2 x) 1))", "(abs (+ x 1))"},
              {"(ln (^ x 2))", "(* 2 (ln x))"}, {"(sin (* 2 x))", "(* 2 (sin x) (cos x))"},
              {"(^ 3 (* 2 t))", "(^ 9 t)"}, {"(+ (^ (sin x) 2) (^ (cos x) 2))", "1"},
              {"(sin (+ x (/ pi 4)))", "(/ (+ (sin x) (cos x)) (sqrt 2))"},
              {"(/ (- x 25) (- (sqrt x) 5))", "(+ (sqrt x) 5)"}, {"(^ e (* i x))", "(+ (cos x) (* i (sin x)))"},
              {"(- (^ (cosh x) 2) (^ (sinh x) 2))", "1"}, {"(ln (* 3 x))", "(+ (ln 3) (ln x))"},
              {"(root x 3)", "(^ x (/ 1 3))"}, {"(cos (- x (/ pi 2)))", "(sin x)"},
              {"(max x y)", "(/ (+ x y (abs (- x y))) 2)"}, {"(abs (exp (* i x)))", "1"},
              {"(* (^ e x) (^ e (+ x 2)))", "(* (^ e 2) (^ e (* 2 x)))"},
              {"(ln (* (^ e 2) (^ x 2)))", "(+ 2 (* 2 (ln x)))"}, {"(floor (+ x 1))", "(+ 1 (floor x))"},
              {"(abs (- 3 x))", "(abs (- x 3))"}, {"(* (gcd x y) (lcm x y))", "(* x y)"});
    CHECK_ALL(CORD_DIFFERENT, {"(sqrt (^ x 2))", "x"}, {"(sin x)", "(cos x)"}, {"(^ (exp x) 2)", "(exp (^ x 2))"},
              {"(ln (* 3 x))", "(* 3 (ln x))"}, {"(floor x)", "x"}, {"(atan x)", "(- (/ pi 2) (atan (/ 1 x)))"},
              {"(sqrt (+ (^ x 2) 1))", "(+ x 1)"}, {"(^ 2 x)", "(^ x 2)"}, {"(gcd x 2)", "2"});
    CHECK_ALL(CORD_UNDECIDED, {"(sqrt (- -1 (^ x 2)))", "(sqrt (- -2 (^ x 2)))"}, {"(+ y 1e-1000000)", "y"},
              {"(sin x)", "(sin y)"});
}

static void test_order(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        int order; /* 2: none */
    } cases[] = {{"1", "2", -1},
                 {"(sqrt 2)", "1.5", -1},
                 {"pi", "(/ 22 7)", -1},
                 {"oo", "5", 1},
                 {"(- oo)", "oo", -1},
                 {"oo", "oo", 0},
                 {"i", "1", 2},
                 {"x", "1", 2},
                 {"(/ 1 0)", "1", 2},
                 {"(- oo oo)", "1", 2},
                 {"(sqrt (+ 5 (* 2 (sqrt 6))))", "(+ (sqrt 2) (sqrt 3))", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int turned = 0; turned < 2; turned++) {
            struct arena arena;
            arena_init(&arena);
            struct work work = {.left = WORK};
            struct node *a = tree_read(&arena, turned ? cases[i].b : cases[i].a);
            struct node *b = tree_read(&arena, turned ? cases[i].a : cases[i].b);
            int order = 0;
            bool known = expression_order(a, b, &work, &order);
            assert_int_equal(known, cases[i].order != 2);
            if (known) assert_int_equal(order, turned ? -cases[i].order : cases[i].order);
            arena_release(&arena);
        }
}

/* ---- limits -------------------------------------------------------------------------------------------------- */

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A second for each: ten times what is promised, so that a slow machine or a sanitizer is no failure. */
static void within_limits(cord_verdict want, const char *a, const char *b) {
    const char *rule = NULL;
    double start = cpu_seconds();
    cord_verdict got = compare(a, b, &rule);
    double seconds = cpu_seconds() - start;
    if (got != want) fail_msg("%.60s | %.60s: %s (%s)", a, b, cord_verdict_name(got), rule);
    if (seconds > 1) fail_msg("%.60s | %.60s: %g s", a, b, seconds);
}

/* "(op f(1) … f(n))", with `item` taking one int. */
static char *many(const char *op, const char *item, int n) {
    static char text[2][1 << 17];
    static int turn;
    char *out = text[turn ^= 1], *at = out + sprintf(out, "(%s", op);
    for (int i = 1; i <= n; i++) {
        *at++ = ' ';
        const char *mark = strchr(item, '#');
        at += sprintf(at, "%.*s%d%s", (int)(mark - item), item, i, mark + 1);
    }
    *at++ = ')';
    *at = '\0';
    return out;
}

static char *nested(const char *before, const char *inner, const char *after, int n) {
    static char text[2][1 << 13];
    static int turn;
    char *out = text[turn ^= 1], *at = out;
    for (int i = 0; i < n; i++) at += sprintf(at, "%s", before);
    at += sprintf(at, "%s", inner);
    for (int i = 0; i < n; i++) at += sprintf(at, "%s", after);
    return out;
}

static void test_limits(void **state) {
    (void)state;
    static const struct {
        cord_verdict verdict;
        const char *a, *b;
    } cases[] = {
        {CORD_UNDECIDED, "(^ 9 (^ 9 (^ 9 9)))", "5"},
        {CORD_UNDECIDED, "(^ 9 (^ 9 9))", "(+ 1 (^ 9 (^ 9 9)))"},
        {CORD_EQUAL, "(^ 9 (^ 9 (^ 9 9)))", "(^ 9 (^ 9 (^ 9 9)))"},
        {CORD_UNDECIDED, "(C 1000000000 500000000)", "5"},
        {CORD_UNDECIDED, "(! 10000000)", "5"},
        {CORD_UNDECIDED, "(! (! (! 4)))", "5"},
        {CORD_DIFFERENT, "(^ (+ x y z w 1) 200)", "(+ 1 (^ (+ y x z w 1) 200))"},
        {CORD_DIFFERENT, "(+ (^ 2 (/ 1 1000003)) (^ 3 (/ 1 1000033)))", "(+ (^ 3 (/ 1 1000003)) (^ 2 (/ 1 1000033)))"},
        {CORD_UNDECIDED, "(sin (^ 10 100000))", "(cos (^ 10 100000))"},
        {CORD_UNDECIDED, "(exp (exp (exp (exp 10))))", "(exp (exp (exp (exp 11))))"},
        {CORD_DIFFERENT, "0.[3]e1000000000", "(/ 1 3)"},
        {CORD_DIFFERENT, "1e-2000000000", "2e-1000000000"},
        {CORD_DIFFERENT, "(^ x (^ x (^ x x)))", "(^ x (^ x (^ x (+ x 1))))"},
        {CORD_DIFFERENT, "(^ (+ 1 (sqrt 2)) 1000000000000)", "5"},
        {CORD_UNDECIDED, "(C (C 0.5 12e3) (floor -2))", "1"},
        {CORD_UNDECIDED, "(floor (^ (+ 1 (sqrt 2)) 1000))", "5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) within_limits(cases[i].verdict, cases[i].a, cases[i].b);
    within_limits(CORD_DIFFERENT, nested("(sqrt (+ 2 ", "3", "))", 50), nested("(sqrt (+ 2 ", "3", "))", 49));
    within_limits(CORD_DIFFERENT, nested("(max 0 (+ ", "(sqrt 2)", " (sqrt 3)))", 40), "1");
    within_limits(CORD_EQUAL, many("*", "#", 2000), "(! 2000)");
    within_limits(CORD_DIFFERENT, many("+", "(/ 1 #)", 2000), many("+", "(/ 1 #)", 1999));
    within_limits(CORD_DIFFERENT, many("lcm", "999900#", 1500), "5");
    within_limits(CORD_DIFFERENT, many("+", "(sqrt #)", 1000), many("+", "(sqrt #)", 999));
    within_limits(CORD_DIFFERENT, many("*", "(+ x #)", 1000), "x");
    within_limits(CORD_UNDECIDED, many("*", "(+ x# y)", 1000), "y");
    within_limits(CORD_EQUAL, many("+", "(sin (* # x))", 50), nested("(+ 0 ", many("+", "(sin (* # x))", 50), ")", 1));
    within_limits(CORD_DIFFERENT, many("+", "(exp (sin (* # x)))", 200), "x");
    within_limits(CORD_DIFFERENT, many("^", "1.#", 15), "2");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (!SANITIZED) assert_in_range(usage.ru_maxrss, 1, 64 * 1024); /* KiB, of the whole program */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rational),
        cmocka_unit_test(test_surd),
        cmocka_unit_test(test_trigonometry),
        cmocka_unit_test(test_transcendental),
        cmocka_unit_test(test_complex),
        cmocka_unit_test(test_infinity),
        cmocka_unit_test(test_rational_function),
        cmocka_unit_test(test_function),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
