#!/usr/bin/env python3
"""Writes answer_cases.tsv: gold, answer and verdict, with values computed by Python's fractions, not by cord.

Random rationals are spelled in the ways in which answers are written; two spellings of one value must be equal, two of
different values different. Run it again only to make other cases: python3 make_answer_cases.py > answer_cases.tsv
"""
import random
from fractions import Fraction

random.seed(20240607)


def group(digits, separator):
    head = len(digits) % 3 or 3
    return separator.join([digits[:head]] + [digits[i:i + 3] for i in range(head, len(digits), 3)])


def magnitudes(v):
    """Spellings of v >= 0."""
    out = [f"{v.numerator}/{v.denominator}", f"{v.numerator} / {v.denominator}"]
    k = random.randint(2, 9)
    for command in ("\\frac", "\\dfrac", "\\tfrac"):
        out.append(f"{command}{{{v.numerator * k}}}{{{v.denominator * k}}}")
    if v.numerator < 10 and v.denominator < 10:
        out += [f"\\frac{v.numerator}{v.denominator}", f"\\frac{v.numerator}{{{v.denominator}}}"]
    whole, rest = divmod(v.numerator, v.denominator)
    if whole and rest:
        out += [f"{whole} {rest}/{v.denominator}", f"{whole}\\frac{{{rest}}}{{{v.denominator}}}"]
    scale = next((s for s in range(8) if v.denominator and 10 ** s % v.denominator == 0), None)
    if scale is not None:
        digits = str(v * 10 ** scale).rjust(scale + 1, "0")
        integer, point = digits[: len(digits) - scale], digits[len(digits) - scale:]
        for separator in ("", ",", "{,}", ",\\!"):
            i = group(integer, separator) if separator else integer
            out += [i + ("." + point if point else ""), i + "." + point + "0" * random.randint(1, 3)]
        if integer == "0" and point:
            out.append("." + point)
        out += [f"{v * 10 ** scale}e-{scale}", f"{v * 10 ** scale}E-{scale}"]
        percent = v * 100
        if percent.denominator == 1:
            out += [f"{percent}%", f"{percent}\\%", f"{percent} percent"]
    return out


def spell(v):
    s = random.choice(magnitudes(abs(v)))
    currency = "%" not in s and "percent" not in s and random.random() < 0.2
    sign = random.choice(["-", "−"]) if v < 0 else random.choice(["", "", "", "+"])
    if currency:
        s = random.choice([sign + "$" + s, sign + "\\$" + s, "$" + sign + s])
    else:
        s = sign + s
    wrap = random.choice(["{}", "{}", "{}.", " {} ", "\\boxed{{{}}}", "$\\boxed{{{}}}$", "\\({}\\)", "\\[{}\\]", "**{}**",
                          "\\text{{{}}}", "${}$", "\\boxed{{{}}}."])
    if "$" in wrap and "\\$" not in s:
        s = s.replace("$", "\\$")  # as LaTeX wants it
    kind = "money" if currency else "percent" if "%" in s or "percent" in s else "plain"
    return wrap.format(s), kind


def value():
    kind = random.random()
    if kind < 0.4:
        return Fraction(random.randint(-30000, 3000000))
    if kind < 0.7:
        return Fraction(random.randint(-99999, 99999), random.choice([10, 100, 1000, 8, 25]))
    if kind < 0.8:
        return Fraction(random.randint(10 ** 30, 10 ** 40))
    return Fraction(random.randint(-40, 40), random.randint(1, 12))


print("# made by make_answer_cases.py")
for i in range(1500):
    v = value()
    if i % 3:
        w = v
    else:
        w = random.choice([v + 1, -v, v * 10, v / 3, v + Fraction(1, 10 ** 6), value()])
    (a, kind_a), (b, kind_b) = spell(v), spell(w)
    kinds = {kind_a, kind_b}
    if kinds == {"percent", "money"} or (kinds == {"percent", "plain"} and (w == 100 * v or v == 100 * w)):
        continue  # undecided by design, tested by hand
    if a.strip() != b.strip():
        print(a, b, "equal" if v == w else "different", sep="\t")
