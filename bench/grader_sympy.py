#!/usr/bin/env python3
"""How many pairs of answers a script on top of SymPy compares a second: what a careful user would write today.

    build/bench/grader pairs FILE.tsv... | bench/grader_sympy.py [SECONDS]

SECONDS (30) is what all kinds may take together. Of each kind, pairs are taken from all over it until its share is used up; a
pair that takes longer than PAIR_SECONDS is given up and undecided. A line of JSON for each kind, as bench/grader.c prints it,
by processor time: the mean rate (a few slow pairs are most of what such a script costs), "pairs" those that were judged.

Presentation is taken away and lists are split here; each entry is read by sympy.parsing.latex (a fraction or a decimal by
Python itself), and two entries are equal where simplify finds their difference to be 0. What cannot be read is undecided.
Needs sympy 1.13.3, mpmath 1.3.0 and antlr4-python3-runtime 4.11.0, which scripts/sympy.sh installs.
"""
import json
import re
import signal
import sys
import time
from collections import defaultdict
from fractions import Fraction

import sympy
from sympy.parsing.latex import parse_latex

PAIR_SECONDS = 2
WRAPPERS = [r"\$\$(.*)\$\$", r"\$(.*)\$", r"\\\((.*)\\\)", r"\\\[(.*)\\\]", r"\\boxed\{(.*)\}", r"\\text\{([^{}]*)\}", r"\*\*(.*)\*\*"]
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?(/\d+)?")


class TooLong(Exception):
    pass


def give_up(signum, frame):
    raise TooLong


def strip(text):
    """Without what only presents it."""
    before = None
    while text != before:
        before = text = text.strip()
        if text.endswith("."):
            text = text[:-1]
        for wrapper in WRAPPERS:
            match = re.fullmatch(wrapper, text, re.S)
            if match:
                text = match[1]
    for old, new in (("\\left", ""), ("\\right", ""), ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("\\!", ""), ("\\,", " "),
                     ("{,}", ""), ("\\$", ""), ("$", ""), ("−", "-"), ("\\%", "%"), (" percent", "%"), ("π", "\\pi")):
        text = text.replace(old, new)
    return re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text).strip()


def split(text):
    """The brackets of a tuple, or "set" (a list without brackets is one) or "matrix", and its entries; (None, None) for a single thing."""
    matrix = re.fullmatch(r"\[?\\begin\{([pb]?matrix)\}(.*)\\end\{\1\}\]?", text, re.S)
    if matrix:
        return "matrix", [cell for row in matrix[2].split("\\\\") for cell in row.split("&")]
    kind, inside = "set", text
    if text[:1] in ("(", "[") and text[-1:] in (")", "]"):
        kind, inside = text[0] + text[-1], text[1:-1]
    elif text.startswith("\\{") and text.endswith("\\}"):
        inside = text[2:-2]
    entries, depth, last = [], 0, 0
    for i, c in enumerate(inside):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            entries.append(inside[last:i])
            last = i + 1
    if not entries:
        return None, None
    return kind, entries + [inside[last:]]


def read(text):
    text = text.strip()
    if NUMBER.fullmatch(text):
        return sympy.Rational(Fraction(text.split("/")[0])) / int(text.split("/")[1] if "/" in text else 1)
    mixed = re.fullmatch(r"(-?)(\d+) ?(?:(\d+)/(\d+)|\\frac\{?(\d+)\}?\{?(\d+)\}?)", text)
    if mixed and not (mixed[5] and len(mixed[5]) > 1 and "{" not in text):
        value = int(mixed[2]) + sympy.Rational(int(mixed[3] or mixed[5]), int(mixed[4] or mixed[6]))
        return -value if mixed[1] else value
    if text.endswith("%"):
        return read(text[:-1]) / 100
    value = parse_latex(text)
    i, e, pi = (sympy.Symbol(name) for name in ("i", "e", "pi"))
    return value.subs({i: sympy.I, e: sympy.E, pi: sympy.pi})


def same(a, b):
    a, b = read(a), read(b)
    if isinstance(a, sympy.Eq) != isinstance(b, sympy.Eq):
        a, b = (x.rhs if isinstance(x, sympy.Eq) else x for x in (a, b))
    if isinstance(a, sympy.core.relational.Relational) or isinstance(b, sympy.core.relational.Relational):
        return sympy.simplify(a) == sympy.simplify(b)
    return sympy.simplify(a - b) == 0


def judge(gold, answer):
    gold, answer = strip(gold), strip(answer)
    if gold == answer:
        return "equal"
    (kind, golds), (other, answers) = split(gold), split(answer)
    if golds is None and answers is None:
        return "equal" if same(gold, answer) else "different"
    if golds is None or answers is None or kind != other:
        return "undecided"
    if len(golds) != len(answers):
        return "different"
    if kind == "set":
        left = list(answers)
        for entry in golds:
            found = next((i for i, x in enumerate(left) if same(entry, x)), None)
            if found is None:
                return "different"
            del left[found]
        return "equal"
    return "equal" if all(same(a, b) for a, b in zip(golds, answers)) else "different"


def judge_limited(gold, answer):
    signal.setitimer(signal.ITIMER_REAL, PAIR_SECONDS)
    try:
        return judge(gold, answer)
    except TooLong:
        return "undecided"
    except Exception:  # whatever a parser and a simplifier make of texts that they do not know
        return "undecided"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    signal.signal(signal.SIGALRM, give_up)
    kinds = defaultdict(list)
    for line in sys.stdin:
        kind, verdict, gold, answer = line.rstrip("\n").split("\t")
        kinds[kind].append((verdict, gold, answer))
    share = float(sys.argv[1] if len(sys.argv) > 1 else 30) / max(1, len(kinds))
    judge_limited("\\frac{1}{3}", "\\frac{2}{6} + x - x")  # what is loaded once, at the first use
    for kind, pairs in kinds.items():
        step = next(s for s in (7, 11, 13, 17, 1) if len(pairs) % s)  # coprime to the length: every pair once, from all over
        start, wall, n, undecided, other = time.process_time(), time.monotonic(), 0, 0, 0
        while n < len(pairs) and time.monotonic() - wall < share:
            verdict, gold, answer = pairs[n * step % len(pairs)]
            got = judge_limited(gold, answer)
            n, undecided, other = n + 1, undecided + (got == "undecided"), other + (got != verdict)
        rate = n / max(1e-9, time.process_time() - start)
        print(json.dumps({"kind": kind, "pairs": n, "rate": rate, "undecided": undecided, "other": other}), flush=True)


if __name__ == "__main__":
    main()
