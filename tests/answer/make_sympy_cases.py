#!/usr/bin/env python3
"""Writes sympy_cases.tsv: verdict, gold, answer, kind; the verdicts come from SymPy 1.13.3, not from cord.

Each case starts from one expression. It is spelled in several ways: rewritten by SymPy (expand, factor, radsimp, apart, ...)
or put together by hand, and printed by sympy.latex with options drawn at random. Two spellings of one expression make an
`equal` pair, a spelling of a slightly changed expression (a number by one, a sign, swapped entries) makes a `different` pair.
No pair is believed without a check:
  equal      simplify(a - b) == 0 or a.equals(b), and both values agree to 50 digits, computed with 60
  different  the values, computed with 60 digits by mpmath, differ by more than 1e-30 relative
An expression in variables is evaluated at eight points; those where a side is not real are passed over, three must be left.
The seed is fixed and the order of hashes too, so the file comes out the same each time. Needs sympy 1.13.3 and mpmath 1.3.

Run it again only to make other cases (a few minutes): python3 make_sympy_cases.py > sympy_cases.tsv
"""
import os
import random
import re
import sys

if os.environ.get("PYTHONHASHSEED") != "0":
    os.execve(sys.executable, [sys.executable] + sys.argv, {**os.environ, "PYTHONHASHSEED": "0"})

import mpmath
import sympy
import sympy.core.random
from sympy.polys.polyerrors import PolynomialError
from sympy import (Abs, Add, E, I, Integer, Matrix, Mul, Pow, Rational, acos, apart, asin, atan, binomial, cancel, cos, cot, csc,
                   exp, expand, expand_log, expand_trig, factor, factorial, gammasimp, horner, latex, lambdify, log, logcombine,
                   nsimplify, pi, powsimp, prod, radsimp, root, sec, simplify, sin, sqrt, sqrtdenest, symbols, tan, together,
                   trigsimp)

if sympy.__version__ != "1.13.3":
    sys.exit(f"make_sympy_cases.py: needs sympy 1.13.3, this is {sympy.__version__}")

R = random.Random(20260607)
sympy.core.random.seed(20260607)
mpmath.mp.dps = 60
X, Y, Z, N, T, A, B = REAL = symbols("x y z n t a b", real=True)
P, Q = POSITIVE = symbols("x y", positive=True)
POINTS = [[mpmath.mpf(v) / 97 for v in row] for row in (
    (131, 212, 71, 345, 57, 260, 333), (283, 41, 164, 499, 180, 95, 22), (-61, 377, 120, 611, -145, 310, -75),
    (52, -88, -301, 233, 260, -171, 140), (-205, -39, 87, 710, -33, -48, -260), (417, 530, 222, 170, 348, 441, 512),
    (19, 66, 145, 289, 23, 9, 62), (733, 690, -45, 433, 640, 702, 598))]


# Values and proofs.

def values(e):
    """The value of e at each point (None where it is not real); one value, perhaps complex, where e has no variables."""
    names = "xyzntab"
    free = sorted(e.free_symbols, key=str)
    f = lambdify(free, e, "mpmath")
    if not free:
        return [mpmath.mpmathify(f())]
    out = []
    for point in POINTS:
        try:
            v = mpmath.mpmathify(f(*[point[names.index(str(s))] for s in free]))
        except (ValueError, ZeroDivisionError, ArithmeticError):
            v = mpmath.nan
        real = mpmath.isfinite(v) and abs(mpmath.im(v)) <= mpmath.mpf(10) ** -45 * (1 + abs(v))
        out.append(mpmath.re(v) if real else None)
    return out


def both(a, b):
    return [(u, v) for u, v in zip(values(a), values(b)) if u is not None and v is not None]


def is_equal(a, b):
    if a.free_symbols != b.free_symbols:
        return False
    pairs = both(a, b)
    if len(pairs) < (3 if a.free_symbols else 1) or any(abs(u - v) > mpmath.mpf(10) ** -50 * (1 + abs(u)) for u, v in pairs):
        return False
    d = a - b
    return d == 0 or expand(d) == 0 or simplify(d) == 0 or a.equals(b) is True


def is_different(a, b):
    if a.free_symbols != b.free_symbols:
        return False
    pairs = both(a, b)
    return (len(pairs) >= (3 if a.free_symbols else 1)
            and any(abs(u - v) > mpmath.mpf(10) ** -30 * max(abs(u), abs(v)) for u, v in pairs))


def is_tame(e, allow_complex):
    """No poles, no negative base under a fractional power, real unless complex values are meant."""
    if e.has(sympy.zoo, sympy.nan, sympy.oo) or e.count_ops() > 60 or e.has(sympy.re, sympy.im, sympy.arg, sympy.Piecewise):
        return False
    for p in e.atoms(Pow):
        if p.exp.is_Rational and not p.exp.is_Integer and not p.base.free_symbols and p.base.is_positive is not True:
            return False
    v = values(e)
    if e.free_symbols:
        return sum(u is not None for u in v) >= 3
    return mpmath.isfinite(v[0]) and abs(v[0]) < 10 ** 15 and (allow_complex or abs(mpmath.im(v[0])) < mpmath.mpf(10) ** -50)


# Spelling. Texts with two readings are thrown away before anything is done to them: \ln{(2)}^2, \sin^{-1}, 2\frac{1}{2}.

TWO_READINGS = re.compile(r"\\right\)\}\^|\\(sin|cos|tan|cot|sec|csc)\^\{-|\d\s*\\frac\{\d+\}\{\d+\}|\d \d")


def dress(text):
    if R.random() < 0.2:
        text = text.replace("\\frac", R.choice(["\\dfrac", "\\tfrac"]))
    if R.random() < 0.4:  # \sin{\left(x \right)} as \sin x where nothing is near that could join it
        text = re.sub(r"(\\(?:ln|sin|cos|tan|log_\{\d+\}))\{\\left\((\d+|[a-z]|\\frac\{\d*\\?[a-z]*\}\{\d+\}) \\right\)\}(?=$| [-+]|\})",
                      r"\1 \2", text)
    if R.random() < 0.3:
        text = re.sub(r"\\(left|right)(?=[()])", "", text)
    if R.random() < 0.3:
        text = re.sub(r"(?<=\\cdot) (?=\d)|(?<=[-+]) | (?=[-+])|(?<=\d) (?=[a-z\\])| (?=\\right)", "", text)
    return text


def spell(e):
    text = latex(e, ln_notation=True, fold_frac_powers=R.random() < 0.3, root_notation=R.random() < 0.8, inv_trig_style="full",
                 mul_symbol=R.choice([None, None, None, "dot", "times"]), order=R.choice([None, "lex", "grlex", "rev-lex", "none"]))
    return None if TWO_READINGS.search(text) or len(text) > 180 else dress(text)


def rational(limit=30, low=2):
    return Rational(R.choice([-1, 1]) * R.randint(1, limit), R.randint(low, 12))


def frac(v, k=1):
    if v.q * k == 1:
        return str(v.p)
    sign = R.choice([("-", "", ""), ("", "-", ""), ("", "-", "")] if v < 0 else [("", "", "")])
    return f"{sign[0]}\\frac{{{sign[1]}{abs(v.p) * k}}}{{{v.q * k}}}"


def enclosed(text):
    return f"\\left({text}\\right)" if text.startswith("-") else text


def term(c, text, first=False):
    """A signed term c * text of a sum, c an integer."""
    sign = "-" if c < 0 else "" if first else "+"
    return (sign if first else f" {sign} ") + (str(abs(c)) + " " if abs(c) != 1 or not text else "") + text


# The kinds. Each returns (expression, [(text, expression), ...] spelled by hand).

def rational_arithmetic():
    v = rational(60, 1)
    a, b, k = rational(), rational(), R.randint(2, 9)
    hand = [(frac(v, k), Rational(v.p * k, v.q * k)), (frac(v), v), (frac(a) + " + " + enclosed(frac(v - a)), a + (v - a)),
            (frac(v + a) + " - " + enclosed(frac(a)), (v + a) - a), (frac(a) + " \\cdot " + enclosed(frac(v / a)), a * (v / a)),
            (frac(v * b) + " \\div " + enclosed(frac(b)), (v * b) / b), (f"\\frac{{{frac(v * a)}}}{{{frac(a)}}}", (v * a) / a),
            (frac(a) + " \\times " + enclosed(frac(b)) + " + " + enclosed(frac(v - a * b)), a * b + (v - a * b))]
    scale = next((s for s in range(6) if 10 ** s % v.q == 0), None)
    if scale:
        text = f"{abs(v.p) * 10 ** scale // v.q:0{scale + 1}d}"
        text = ("-" if v < 0 else "") + text[:-scale] + "." + text[-scale:]
        hand += [(text, nsimplify(text, rational=True))] * 2
    elif v.q in (3, 7, 9, 11):
        length = {3: 1, 9: 1, 11: 2, 7: 6}[v.q]
        whole, rest = divmod(abs(v.p), v.q)
        period = f"{rest * (10 ** length - 1) // v.q:0{length}d}"
        sign = -1 if v < 0 else 1
        hand.append((f"{'-' * (sign < 0)}{whole}.\\overline{{{period}}}", sign * (whole + Rational(int(period), 10 ** length - 1))))
    return v, hand


def powers():
    base = R.choice([Integer(R.randint(2, 12)), Rational(R.randint(1, 9), R.randint(2, 9))])
    n = R.choice([1, 1, 2, 2, 3])
    m = R.randint(1, 5) * R.choice([-1, 1])
    k = R.randint(-3, 4)
    text = str(base) if base.is_Integer else f"\\left({frac(base)}\\right)"
    whole = base ** n
    inner = str(whole) if whole.is_Integer else f"\\left({frac(whole)}\\right)"
    e = base ** m
    over = R.choice([f"{m}/{n}", f"\\frac{{{m}}}{{{n}}}"]) if n > 1 else str(m)
    hand = [(f"{text}^{{{m}}}", e), (f"{inner}^{{{over}}}", whole ** Rational(m, n)),
            (f"{text}^{{{m + k}}} \\cdot {text}^{{{-k}}}", base ** (m + k) * base ** -k),
            (f"\\frac{{{text}^{{{m + k}}}}}{{{text}^{{{k}}}}}", base ** (m + k) / base ** k), (frac(Rational(e)), e)]
    if n > 1:
        hand.append((f"\\left(\\sqrt{'[3]' if n == 3 else ''}{{{frac(whole)}}}\\right)^{{{m}}}", root(whole, n) ** m))
    if R.random() < 0.4:  # a power that is not rational
        r = Rational(R.choice([1, 2, 3, 5]), R.choice([2, 3, 4]))
        b = Integer(R.choice([2, 3, 5, 6, 7, 12, 18, 24, 54]))
        e = b ** r
        hand = [(f"{b}^{{{r.p}/{r.q}}}", e), (f"{b}^{{\\frac{{{r.p}}}{{{r.q}}}}}", e),
                (f"{b}^{{2}} \\cdot {b}^{{-\\frac{{{2 * r.q - r.p}}}{{{r.q}}}}}", b ** 2 * b ** (r - 2)),
                (f"\\sqrt[{r.q}]{{{b ** r.p}}}" if r.q > 2 else f"\\sqrt{{{b ** r.p}}}" if r.q > 1 else f"{b ** r.p}", root(b ** r.p, r.q))]
    return e, hand


def surds():
    a, b, d, f = [R.choice([-1, 1]) * R.randint(1, 6) for _ in range(4)]
    c, g = R.sample([2, 3, 5, 6, 7, 10, 11, 13], 2)
    shape = R.randrange(6)
    if shape == 0:  # a sum of roots that are not reduced
        k = [R.choice([1, 2, 3, 4, 5]) ** 2 for _ in range(3)]
        e = a * sqrt(c * k[0]) + b * sqrt(c * k[1]) + d * sqrt(g * k[2])
        text = (term(a, f"\\sqrt{{{c * k[0]}}}", True) + term(b, f"\\sqrt{{{c * k[1]}}}") + term(d, f"\\sqrt{{{g * k[2]}}}"))
        return e, [(text, e), (text, e)]
    if shape == 1:
        return (a + b * sqrt(c)) / (d + f * sqrt(g)), []
    if shape == 2:  # the square root of (sqrt(m) + sqrt(n))^2
        m, n = R.sample([2, 3, 5, 6, 7, 8, 11, 12, 15], 2)
        s = R.choice([-1, 1])
        e = sqrt(max(m, n)) + s * sqrt(min(m, n))
        nested = sqrt(m + n + 2 * s * sqrt(m * n))
        return e, [(spell(nested), nested), (f"\\sqrt{{{m + n}{term(s, '')[:3]}{2} \\sqrt{{{m * n}}}}}", nested),
                   (f"\\sqrt{{{m + n}{term(s, '')[:3]}\\sqrt{{{4 * m * n}}}}}", nested)]
    if shape == 3:  # sqrt(p + sqrt(q)) sqrt(p - sqrt(q))
        p = R.randint(4, 12)
        e = sqrt(p + sqrt(c)) * sqrt(p - sqrt(c))
        root_of = sqrt(p * p - c)
        return root_of, [(f"\\sqrt{{{p} + \\sqrt{{{c}}}}} \\cdot \\sqrt{{{p} - \\sqrt{{{c}}}}}", e), (spell(root_of), root_of)]
    if shape == 4:
        n, k, m = R.choice([3, 3, 4]), R.randint(2, 4), R.choice([2, 3, 5])
        e = k * root(m, n) * R.choice([1, Rational(1, m)])
        over = root(m ** (n - 1), n)
        hand = [(f"\\sqrt[{n}]{{{k ** n * m}}}", root(k ** n * m, n))] if e == k * root(m, n) else \
               [(f"\\frac{{{k}}}{{\\sqrt[{n}]{{{m ** (n - 1)}}}}}", k / over)]
        return e, hand + [(spell(e), e)]
    n = R.choice([2, 3, 4])
    inner = f"{a}{term(b, f'{chr(92)}sqrt{{{c}}}')}"
    e = (a + b * sqrt(c)) ** n
    return e, [(f"\\left({inner}\\right)^{{{n}}}", e)]


def logs_and_exponentials():
    shape = R.randrange(6)
    k = [R.randint(-3, 4) for _ in range(3)]
    if shape < 2:
        primes = R.sample([2, 3, 5, 7], 2)
        e = k[0] * log(primes[0]) + k[1] * log(primes[1])
        one = Rational(primes[0]) ** k[0] * Rational(primes[1]) ** k[1]
        if e == 0 or one == 1:
            return None
        return e, [(f"\\ln\\left({frac(one)}\\right)", log(one)), (f"\\ln {one.p} - \\ln {one.q}", log(one.p) - log(one.q)),
                   (f"-\\ln\\left({frac(1 / one)}\\right)", -log(1 / one))]
    if shape == 2:  # both powers of one number
        p, i, j = R.choice([2, 3, 5, 10]), R.randint(1, 4), R.randint(1, 5)
        e = Rational(j, i)
        return e, [(f"\\log_{{{p ** i}}}{{\\left({p ** j} \\right)}}", log(p ** j) / log(p ** i)), (frac(e), e),
                   (f"\\frac{{\\ln {p ** j}}}{{\\ln {p ** i}}}", log(p ** j) / log(p ** i)), (f"\\log_{p ** i} {{{p ** j}}}", e)
                   if p ** i < 10 else (frac(e, 2), e)]
    if shape == 3:
        b, c, j = R.choice([2, 3, 5, 7]), R.choice([11, 13, 6, 14, 17]), R.randint(1, 3)
        e = log(c * b ** j) / log(b)
        return e, [(f"\\log_{{{b}}}{{\\left({c * b ** j} \\right)}}", e), (f"{j} + \\log_{{{b}}}{{\\left({c} \\right)}}", j + log(c) / log(b)),
                   (f"\\log_{{{b}}} {c} + {j}", log(c) / log(b) + j), (f"\\log_{{{b * b}}}{{\\left({(c * b ** j) ** 2} \\right)}}",
                                                                     log((c * b ** j) ** 2) / log(b * b))]
    n = R.randint(2, 9)
    if shape == 4:
        a = R.choice([-2, -1, 1, 2, 3])
        e = n * E ** a
        return e, [(f"e^{{{a} + \\ln {n}}}", exp(a + log(n))), (f"{n} e^{{{a + 2}}} \\cdot e^{{-2}}", n * E ** (a + 2) * E ** -2),
                   (f"\\frac{{{n * n} e^{{{a + 1}}}}}{{{n} e}}", n * n * E ** (a + 1) / (n * E)), (spell(e), e)]
    e = (E ** 2 - n * n) / (E + R.choice([n, -n]))
    return e, [(spell(cancel(e)), cancel(e)), (f"e + {n}" if cancel(e) == E + n else f"e - {n}", cancel(e)), (spell(e), e)]


def trig_values():
    shape = R.randrange(4)
    if shape == 0:
        f, q = R.choice([sin, cos, tan, cot, sec, csc]), R.choice([3, 4, 6])
    elif shape == 1:
        f, q = R.choice([sin, cos, tan]), R.choice([5, 8, 10, 12])
    else:
        f, q = R.choice([sin, cos]), R.choice([7, 9, 11, 13, 14, 18])
    p = R.choice([i for i in range(1, 2 * q) if sympy.gcd(i, q) == 1])
    angle = Rational(p, q) * pi
    e = f(angle)
    if not is_tame(e, False):
        return None
    name = f"\\{f.__name__}"
    raw = f"{name}{{\\left({latex(angle)} \\right)}}"
    s, c = f"\\sin{{\\left({latex(angle)} \\right)}}", f"\\cos{{\\left({latex(angle)} \\right)}}"
    if shape == 3:
        twice = latex(2 * angle)
        if f is sin:
            return sin(2 * angle), [(f"2 {s} {c}", 2 * sin(angle) * cos(angle)), (f"\\sin{{\\left({twice} \\right)}}", sin(2 * angle))]
        return cos(2 * angle), [(f"1 - 2 \\sin^{{2}}{{\\left({latex(angle)} \\right)}}", 1 - 2 * sin(angle) ** 2),
                                (f"\\cos{{\\left({twice} \\right)}}", cos(2 * angle)),
                                (f"2 \\cos^{{2}}{{\\left({latex(angle)} \\right)}} - 1", 2 * cos(angle) ** 2 - 1)]
    hand = [(dress(raw), e), (f"{name}{{\\left({latex(angle + 2 * pi)} \\right)}}", f(angle + 2 * pi))]
    other = {sin: cos, cos: sin, tan: cot, cot: tan, sec: csc, csc: sec}[f]
    hand.append((f"\\{other.__name__}{{\\left({latex(pi / 2 - angle)} \\right)}}", other(pi / 2 - angle)))
    if f in (sin, cos) and shape < 2:
        hand += [(spell(e), e)] * 2
    return e, hand


def inverse_trig():
    f, v = R.choice([(asin, Rational(1, 2)), (asin, sqrt(2) / 2), (asin, -sqrt(3) / 2), (acos, Rational(-1, 2)), (acos, sqrt(3) / 2),
                     (acos, -sqrt(2) / 2), (atan, sqrt(3)), (atan, Integer(-1)), (atan, sqrt(3) / 3), (atan, 2 - sqrt(3))])
    e = f(v) * R.choice([1, 1, 2, 3, Rational(1, 2)]) + R.choice([0, 0, pi, -pi / 2])
    name = {asin: "\\arcsin", acos: "\\arccos", atan: "\\arctan"}[f]
    text = f"{name}{{\\left({latex(v)} \\right)}}"
    k, rest = R.choice([1, 2, 3]), e - f(v)
    if rest == 0:
        return (e, [(text, e), (spell(e), e)]) if e else None
    return k * f(v) + pi / 6, [(f"{k if k > 1 else ''} {text} + \\frac{{\\pi}}{{6}}".strip(), k * f(v) + pi / 6),
                               (spell(k * f(v) + pi / 6), k * f(v) + pi / 6)]


def complex_numbers():
    a, b, c, d = [R.choice([-1, 1]) * R.randint(1, 7) for _ in range(4)]
    u, v = f"{a}{term(b, 'i')}", f"{c}{term(d, 'i')}"
    shape = R.randrange(6)
    if shape == 0:
        e = expand((a + b * I) * (c + d * I))
        return e, [(f"\\left({u}\\right) \\left({v}\\right)", (a + b * I) * (c + d * I)), (f"({v})({u})", (a + b * I) * (c + d * I))]
    if shape == 1:
        e = radsimp((a + b * I) / (c + d * I))
        return expand(e), [(f"\\frac{{{u}}}{{{v}}}", (a + b * I) / (c + d * I))] * 2
    if shape == 2:
        n = R.randint(2, 5)
        return expand((a + b * I) ** n), [(f"\\left({u}\\right)^{{{n}}}", (a + b * I) ** n)] * 2
    if shape == 3:
        n, m = R.choice([2, 3, 5, 6]), R.randint(2, 5)
        e = a + m * sqrt(n) * I
        return e, [(f"{a} + \\sqrt{{-{m * m * n}}}", a + sqrt(-m * m * n)), (f"{a} + i \\sqrt{{{m * m * n}}}", a + I * sqrt(m * m * n))]
    if shape == 4:
        e = Abs(a + b * I)
        return e, [(f"\\left|{u}\\right|", e), (f"|{u}|", e), (f"\\sqrt{{{a * a + b * b}}}", sqrt(a * a + b * b))]
    p, q = R.randint(1, 11), R.choice([2, 3, 4, 6])
    r, t = R.randint(2, 6), Rational(p, q) * pi
    if t / pi == int(t / pi):
        return None
    e = expand(r * (cos(t) + I * sin(t)))
    return e, [(f"{r} e^{{{latex(I * t)}}}", r * exp(I * t)), (f"{r} \\left(\\cos{{\\left({latex(t)} \\right)}} + i "
               f"\\sin{{\\left({latex(t)} \\right)}}\\right)", r * (cos(t) + I * sin(t)))]


def coefficient():
    return R.choice([-1, 1]) * R.randint(1, 7)


def polynomial(variables):
    def linear():
        return sum((coefficient() * v for v in R.sample(variables, R.randint(1, len(variables)))), Integer(coefficient()))
    parts = [linear() ** R.choice([1, 1, 1, 2, 3]) for _ in range(R.randint(1, 3))]
    if R.random() < 0.3:
        parts[0] = variables[0] ** 2 + coefficient() * variables[-1] + coefficient()
    e = prod(parts)
    if R.random() < 0.3:
        e = Mul(Rational(coefficient(), R.randint(2, 6)), e)
    if R.random() < 0.5:
        e = e + coefficient() * variables[-1] + coefficient()
    degree = sympy.Poly(e, *variables).total_degree()
    return (e, []) if 1 <= degree <= 6 and e.free_symbols == set(variables) else None


def polynomial_1():
    return polynomial([R.choice([X, T, N])])


def polynomial_2():
    return polynomial(R.choice([[X, Y], [A, B]]))


def polynomial_3():
    return polynomial([X, Y, Z])


def rational_function():
    v = R.choice([X, T])
    linear = [R.randint(1, 3) * v + coefficient() for _ in range(4)]
    shape = R.randrange(4)
    if shape == 0:
        e = coefficient() / linear[0] + coefficient() / linear[1]
    elif shape == 1:
        e = expand(linear[0] * linear[1]) / expand(linear[0] * linear[2])
    elif shape == 2:
        e = (v ** 2 + coefficient()) / (linear[0] * linear[1])
    else:
        e = R.choice([Y, A]) * linear[0] / (linear[1] * v) + coefficient()
    return e, []


def radicals_in_variables():
    a, b = R.sample(range(1, 9), 2)
    v = R.choice([X, T])
    one, two = sqrt(v + a), sqrt(v + b)
    e = R.choice([1 / (one - two), (v - a * a) / (sqrt(v) - a), (sqrt(v) + a) * (sqrt(v) - b), (sqrt(v) + a) ** 2, sqrt(v) / (sqrt(v) + a),
                  sqrt(expand((a * v + b) ** 2)), sqrt(expand((v - a) ** 2)) + b, (one + two) * (one - b), v ** 2 / sqrt(v * v + a) + b,
                  a * v * sqrt(v) + b * sqrt(v), sqrt(v * v + a) - v, one ** 3 / (v + b), (a * sqrt(v) + b) / (v - 1) + 1 / (sqrt(v) + 1)])
    hand = []
    if e == sqrt(expand((a * v + b) ** 2)):
        hand = [(f"\\left|{latex(a * v + b)}\\right|", Abs(a * v + b)), (f"|{latex(-a * v - b)}|", Abs(-a * v - b))]
    if e == sqrt(expand((v - a) ** 2)) + b:
        hand = [(f"\\left|{latex(a - v)}\\right| + {b}", Abs(v - a) + b)]
    if e == sqrt(v * v + a) - v:
        hand = [(f"\\frac{{{a}}}{{\\sqrt{{{latex(v)}^2 + {a}}} + {latex(v)}}}", a / (sqrt(v * v + a) + v))]
    if e == a * v * sqrt(v) + b * sqrt(v):
        hand = [(f"\\sqrt{{{latex(v)}}} \\left({latex(a * v + b)}\\right)", sqrt(v) * (a * v + b))]
    return e, hand


def exponentials_in_variables():
    a, b, n = coefficient(), R.randint(1, 6), R.randint(2, 5)
    v = R.choice([X, T])
    s = latex(v)
    base = f"{n}^{{{s}}}"
    e, hand = R.choice([
        (exp(2 * v + a), [(f"e^{{{s}}} e^{{{latex(v + a)}}}", exp(v) * exp(v + a)), (f"\\left(e^{{{s}}}\\right)^2 e^{{{a}}}", exp(v) ** 2 * exp(a))]),
        (Integer(n) ** (v + b % 3 + 1), [(f"{n ** (b % 3 + 1)} \\cdot {base}", n ** (b % 3 + 1) * Integer(n) ** v)]),
        ((exp(v) + a) ** 2, []), ((exp(2 * v) - b * b) / (exp(v) - b), [(f"e^{{{s}}} + {b}", exp(v) + b)]),
        ((exp(v) + b) * (exp(-v) - b), []),
        (Integer(n) ** (2 * v), [(f"{n * n}^{{{s}}}", Integer(n * n) ** v), (f"\\left({base}\\right)^{{2}}", (Integer(n) ** v) ** 2)])])
    return e, hand + [(spell(e), e)]


def logs_in_variables():
    a, b, n = R.randint(2, 5), R.randint(1, 4), R.randint(2, 9)
    e, hand = R.choice([
        (log(P ** a * Q ** b), []), (log(P) * a - b * log(Q), [(f"\\ln\\left(\\frac{{x^{a}}}{{y^{b}}}\\right)", log(P ** a / Q ** b))]),
        (log(n * P), [(f"\\ln {n} + \\ln x", log(n) + log(P))]), (log(P ** 2 + n * P), [(f"\\ln x + \\ln(x + {n})", log(P) + log(P + n))]),
        (a * log(P) + b, [(f"\\ln\\left(x^{{{a}}}\\right) + {b}", log(P ** a) + b), (f"\\ln\\left(e^{{{b}}} x^{{{a}}}\\right)", log(E ** b * P ** a))]),
        (log(P) / log(n), [(f"\\log_{{{n}}}{{\\left(x \\right)}}", log(P) / log(n)), (f"-\\log_{{{n}}}{{\\left(\\frac{{1}}{{x}} \\right)}}",
                                                                                  -log(1 / P) / log(n))]),
        (P ** a * log(P ** b), [])])
    return e, hand + [(spell(e), e)]


def trig_in_variables():
    a, b = coefficient(), R.randint(2, 5)
    v = R.choice([X, T])
    return R.choice([sin(2 * v) + a, cos(2 * v) * b, a * sin(v) ** 2 + b * cos(v) ** 2, (sin(v) + cos(v)) ** 2 + a * sin(v), tan(v) * cos(v) + a,
                     1 + b * tan(v) ** 2, sin(v + a), cos(3 * v), sin(v) ** 4 - cos(v) ** 4 + b * sin(v), sin(X) * cos(Y) * b, cos(X + Y) + a,
                     sin(v) / (1 + cos(v)), (1 - cos(v)) * (1 + cos(v)) + a * cos(v), sin(v) * cos(v) * a]), []


def factorials():
    n = R.randint(5, 14)
    k = R.randint(2, n - 2)
    f = sympy.factorial
    shape = R.randrange(7)
    if shape == 0:
        e = binomial(n, k)
        return e, [(f"\\binom{{{n}}}{{{k}}}", e), (f"\\frac{{{n}!}}{{{k}! \\cdot {n - k}!}}", f(n) / (f(k) * f(n - k))), (str(e), e),
                   (f"\\binom{{{n}}}{{{n - k}}}", binomial(n, n - k)),
                   (f"\\binom{{{n - 1}}}{{{k}}} + \\binom{{{n - 1}}}{{{k - 1}}}", binomial(n - 1, k) + binomial(n - 1, k - 1))]
    if shape == 1:
        e = f(n) / f(n - 2)
        return e, [(f"\\frac{{{n}!}}{{{n - 2}!}}", e), (f"{n} \\cdot {n - 1}", Integer(n) * (n - 1)), (f"2 \\binom{{{n}}}{{2}}", 2 * binomial(n, 2))]
    if shape == 2:
        c = R.randint(1, 5)
        e = f(k) + c * f(k - 1)
        return e, [(f"{k}!{term(c, f'{chr(92)}cdot {k - 1}!' if c > 1 else f'{k - 1}!')}", e), (f"{k + c} \\cdot {k - 1}!", (k + c) * f(k - 1)), (str(e), e)]
    if shape == 3:
        e = Rational(binomial(n, 2), binomial(n + k, 3))
        return e, [(f"\\frac{{\\binom{{{n}}}{{2}}}}{{\\binom{{{n + k}}}{{3}}}}", e), (frac(e), e), (frac(e, 2), e)]
    m = R.randint(1, 3)
    if shape == 4:
        e = factorial(N + m) / factorial(N)
        out = prod([N + i for i in range(1, m + 1)])
        return expand(out), [(f"\\frac{{\\left(n + {m}\\right)!}}{{n!}}", e), (f"\\frac{{(n+{m})!}}{{n!}}", e)]
    if shape == 5:
        e = expand(N * (N - 1) / 2)
        return e, [("\\binom{n}{2}", binomial(N, 2)), ("\\frac{n(n-1)}{2}", N * (N - 1) / 2)]
    e = N + m
    return e, [(f"\\frac{{(n + {m})!}}{{(n + {m - 1})!}}" if m > 1 else "\\frac{(n + 1)!}{n!}", factorial(N + m) / factorial(N + m - 1))]


ALGEBRA = [expand, factor, lambda e: e, lambda e: e]
# kind: (maker, rewritings, complex values allowed, pairs wanted)
SCALARS = {
    "rational": (rational_arithmetic, [], False, 200), "power": (powers, [], False, 180),
    "surd": (surds, [radsimp, lambda e: expand(radsimp(e)), sqrtdenest, expand, together, lambda e: e], False, 320),
    "log": (logs_and_exponentials, [lambda e: expand_log(e, force=True), simplify, lambda e: logcombine(e, force=True), lambda e: e], False, 200),
    "trig": (trig_values, [], False, 240), "inverse-trig": (inverse_trig, [], False, 40),
    "complex": (complex_numbers, [lambda e: e, lambda e: together(e), factor], True, 200),
    "polynomial-1": (polynomial_1, ALGEBRA + [horner], False, 160),
    "polynomial-2": (polynomial_2, ALGEBRA + [lambda e: sympy.collect(expand(e), X)], False, 140),
    "polynomial-3": (polynomial_3, ALGEBRA + [lambda e: sympy.collect(expand(e), X)], False, 120),
    "rational-function": (rational_function, [together, cancel, factor, lambda e: e, lambda e: apart(e, X if e.has(X) else T)], False, 200),
    "radical-function": (radicals_in_variables, [radsimp, expand, simplify, factor, together, lambda e: e], False, 120),
    "exp-function": (exponentials_in_variables, [expand, powsimp, factor, lambda e: e], False, 80),
    "log-function": (logs_in_variables, [lambda e: expand_log(e, force=True), lambda e: logcombine(e, force=True)], False, 80),
    "trig-function": (trig_in_variables, [expand_trig, trigsimp, simplify, lambda e: expand(e.rewrite(cos)), expand, factor,
                                          lambda e: e], False, 120),
    "factorial": (factorials, [gammasimp, factor, lambda e: e], False, 120),
}


# Small changes.

def places(e, path=()):
    """Paths to the numbers and to the sums of an expression."""
    if e.is_Rational or e.is_Add:
        yield path
    for i, arg in enumerate(e.args):
        yield from places(arg, path + (i,))


def changed(e):
    """e with one number moved by one (a numerator too), or with the sign of one term turned."""
    def change(part):
        if part.is_Add:
            i = R.randrange(len(part.args))
            return Add(*[-a if j == i else a for j, a in enumerate(part.args)])
        return R.choice([part + 1, part - 1, part + Rational(1, part.q), part - Rational(1, part.q), -part])

    def walk(part, path):
        if not path:
            return change(part)
        args = list(part.args)
        args[path[0]] = walk(args[path[0]], path[1:])
        return part.func(*args)
    return walk(e, R.choice(list(places(e)) or [()]))


def spellings(e, hand, rewritings):
    out = [h for h in hand if h[0]]
    for rewrite in rewritings:
        try:
            w = rewrite(e)
        except PolynomialError:  # a rewriting for polynomials only
            continue
        out.append((spell(w), w))
    return [(t, w) for t, w in out if t and "Piecewise" not in t and "operatorname" not in t]


def bare(text):
    return re.sub(r"\\left|\\right|\\displaystyle|\s|[dt](?=frac)|[{}]|\\cdot|\\times", "", text)


def scalar(kind):
    """One claimed pair: ((text, expression), (text, expression)) twice, equal and different; None where luck was bad."""
    maker, rewritings, allow_complex, _ = SCALARS[kind]
    made = maker()
    if made is None or not is_tame(made[0], allow_complex):
        return None
    e, hand = made
    good = [(t, w) for t, w in spellings(e, hand, rewritings) if is_tame(w, allow_complex)]
    if len(good) < 1:
        return None
    a = R.choice(good)
    equal = [s for s in good if bare(s[0]) != bare(a[0])]
    b = R.choice(equal) if equal else None
    for _ in range(8):
        source = R.choice([e] + [w for _, w in good])
        if not source.args and not source.is_Rational:
            continue
        w = changed(source)
        if not is_tame(w, allow_complex) or not is_different(e, w):
            continue
        options = [(t, v) for t, v in spellings(w, [(spell(w), w)], rewritings)
                   if is_tame(v, allow_complex) and v.free_symbols == e.free_symbols]
        if options:
            return a, b, R.choice(options)
    return a, b, None


def scalar_pairs(kind, wanted):
    found = {"equal": [], "different": []}
    seen = set()
    while min(len(v) for v in found.values()) < wanted // 2:
        made = scalar(kind)
        if made is None:
            continue
        a, b, c = made
        for verdict, other, check in (("equal", b, is_equal), ("different", c, is_different)):
            if (other is None or len(found[verdict]) >= wanted // 2 or (bare(a[0]), bare(other[0])) in seen
                    or not check(a[1], other[1])):
                continue
            seen.add((bare(a[0]), bare(other[0])))
            found[verdict].append((a, other) if R.random() < 0.5 else (other, a))
    return found


# Tuples, sets and matrices, with entries of the kinds above.

def join(kind, entries):
    left, right = R.choice([("(", ")"), ("\\left(", "\\right)")]) if kind == "tuple" else \
        R.choice([("\\{", "\\}"), ("\\left\\{", "\\right\\}")])
    return left + ", ".join(entries) + right


def matrix(rows):
    left, right = R.choice([("\\begin{pmatrix}", "\\end{pmatrix}"), ("\\begin{bmatrix}", "\\end{bmatrix}"),
                            ("\\left[\\begin{matrix}", "\\end{matrix}\\right]")])
    return f"{left} " + " \\\\ ".join(" & ".join(r) for r in rows) + f" {right}"


def entries(count, kinds):
    """count entries ((text, e), (another text, e), (text, changed e)), no two with one value."""
    out = []
    while len(out) < count:
        made = scalar(R.choice(kinds))
        if (made and made[1] and made[2] and max(len(s[0]) for s in made) < 60 and is_equal(made[0][1], made[1][1])
                and is_different(made[0][1], made[2][1]) and all(set_apart(made[0][1], o[0][1]) and set_apart(made[2][1], o[0][1])
                                                                 for o in out)):
            out.append(made)
    return out


def set_apart(a, b):
    """Surely two values: different by number, or one of them a number and the other with a variable."""
    return is_different(a, b) or a.free_symbols != b.free_symbols


def collection_pairs(kind, wanted):
    numbers, algebra = ["rational", "surd", "log", "power", "complex"], ["polynomial-1", "rational", "rational-function"]
    for i in range(wanted):
        verdict = "different" if i % 2 else "equal"
        shape = R.choice([(2, 2), (2, 2), (3, 1), (2, 3), (1, 3)]) if kind == "matrix" else (1, R.choice([2, 2, 3, 4]))
        items = entries(shape[0] * shape[1], R.choice([numbers, numbers, algebra]))
        gold, answer = [m[0][0] for m in items], [m[1][0] for m in items]
        how = R.choice(["change", "swap"]) if kind != "set" else R.choice(["change", "drop"])
        if verdict == "different" and how == "change":
            j = R.randrange(len(items))
            answer[j] = items[j][2][0]
        elif verdict == "different" and how == "swap":  # no two entries have one value
            j, k = R.sample(range(len(items)), 2)
            answer[j], answer[k] = answer[k], answer[j]
        elif verdict == "different" and len(items) > 2:
            answer.pop()
        elif verdict == "different":
            answer[0] = items[0][2][0]
        if kind == "set":
            while len(answer) > 1:
                R.shuffle(answer)
                if bare(answer[0]) != bare(gold[0]):
                    break
        if kind == "matrix":
            gold, answer = [matrix([part[r * shape[1]:(r + 1) * shape[1]] for r in range(shape[0])]) for part in (gold, answer)]
        else:
            gold, answer = join(kind, gold), join(kind, answer)
        yield verdict, gold, answer


for kind, (_, _, _, wanted) in SCALARS.items():
    found = scalar_pairs(kind, wanted)
    for verdict, pairs in found.items():
        for a, b in pairs:
            print(verdict, a[0], b[0], kind, sep="\t")
    print(kind, {v: len(p) for v, p in found.items()}, file=sys.stderr, flush=True)
for kind, wanted in (("tuple", 120), ("set", 100), ("matrix", 100)):
    for row in collection_pairs(kind, wanted):
        print(*row, kind, sep="\t")
    print(kind, wanted, file=sys.stderr, flush=True)
