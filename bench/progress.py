#!/usr/bin/env python3
"""What S does along solutions that people wrote: does a meta-prover of this size see where an unfinished one leads?

    bench/progress.py MODEL...      names of models/manifest.tsv, or GGUF files; the first 32 problems of the paper's grid

GSM8K's solutions have a line a step. `cord select` scores, by the model as the meta-prover of recipes/paper/small, each of their
beginnings; the same beginning with a wrong result in its last step (a tenth to a half too large or too small); and three first
steps that say nothing. Printed, for each model: S over S0 as the solution goes on, and how often what should have the higher S has
it. Then the same of the criterion `contrast`, log S of the gold less that of a wrong answer, which here is the gold made wrong as
results are. No model writes anything; what is drawn is the same each time.

Environment: CORD_GSM8K, CORD_BINARY and CORD_PAPER_THREADS, as of bench/paper.py.
"""
import json, math, os, random, re, subprocess, sys, tempfile

import paper

NOTHING = ("Let us read the question carefully and think about what is asked.",
           "We need to find the answer to the question step by step.",
           "First, write down what is known and what is to be found.")
RESULT = re.compile(r"<<[^<>]*>>(\d[\d,]*(?:\.\d+)?|\.\d+)")  # "6*2=$<<6*2=12>>12"; what is written, and what calculated it
CALCULATION = re.compile(r"<<[^<>]*>>")


def other_number(written, draw):
    value = float(written.replace(",", ""))
    off = draw.choice((-1, 1)) * value * draw.uniform(0.1, 0.5)
    return f"{value + off:.2f}" if "." in written else f"{value + math.copysign(max(1, round(abs(off))), off):.0f}"


def with_wrong_result(step, draw):
    """The step with another result of its last calculation; None where it has none."""
    results = list(RESULT.finditer(step))
    if not results: return None
    return step[:results[-1].start(1)] + other_number(results[-1][1], draw) + step[results[-1].end(1):]


def traces_of(solution, draw):
    """Of a solution: (kind, steps that stand there, text)."""
    steps = [line for line in solution.split("\n####")[0].split("\n") if line.strip()]
    text = lambda some: "\n\n".join(f"### Step {i + 1}. {CALCULATION.sub('', step).strip()}" for i, step in enumerate(some))
    traces = [("nothing", 1, text([step])) for step in NOTHING]
    for n in range(1, len(steps) + 1):
        wrong = with_wrong_result(steps[n - 1], draw)
        traces.append(("right", n, text(steps[:n])))
        if wrong: traces.append(("wrong", n, text([*steps[:n - 1], wrong])))
    return len(steps), traces


def measure(model, problems, against):
    """Of each problem: how many steps it has, log S0, and log S by kind and steps; `against`: of a wrong answer."""
    draw, sizes, measured = random.Random(20260502), {}, []
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/traces.jsonl", "w") as file:
            for problem in problems:
                sizes[problem["id"]], traces = traces_of(problem["answer"], draw)
                gold = problem["answer"].split("####")[1].strip().replace(",", "")
                wrong = other_number(gold, random.Random(problem["id"]))
                print(json.dumps({"id": problem["id"], "question": problem["question"], "answer": problem["answer"],
                                  "target": wrong if against else gold, "traces": [{"source": f"{kind}-{n}", "text": text} for kind, n, text in traces]}), file=file)
        done = subprocess.run([paper.CORD, "select", folder + "/traces.jsonl", "--meta-prover", model, "--target", "target", "--out", folder + "/run", "-q",
                               "--set", "prompt.style=steps", "--set", "run.threads=" + os.environ.get("CORD_PAPER_THREADS", "0")],
                              stdout=subprocess.DEVNULL)
        if done.returncode not in (0, 3): sys.exit(f"progress: cord select ended with {done.returncode}")
        for line in open(folder + "/run/trajectories.jsonl"):
            row = json.loads(line)
            scores = {}
            for trace in filter(None, [row["best"], *row["finished"]]):
                kind, n = trace["author"].split("-")
                scores.setdefault((kind, int(n)), []).append(trace["log_score"])
            measured.append((sizes[row["id"]], math.log(row["s0"]), scores))
    return measured


def less(measured, against):
    """log S of the gold less log S of the wrong answer, throughout."""
    return [(size, s0 - other_s0, {key: [s - o for s, o in zip(scores[key], other[key])] for key in scores})
            for (size, s0, scores), (_, other_s0, other) in zip(measured, against)]


def share(pairs):
    """How often the first of a pair is the higher one."""
    pairs = list(pairs)
    return f"{sum(a > b for a, b in pairs)} of {len(pairs)}" if pairs else "-"


def report(name, measured):
    print(f"\n**{name}**, {len(measured)} problems\n\n| part of the solution that stands there | texts | over none, geometric mean "
          "| above none | right above wrong result |\n|---|---:|---:|---:|---:|")
    parts = [("its first step", lambda n, size: n == 1 and size > 1), ("up to a half", lambda n, size: 1 < n <= size / 2),
             ("more, but for the last step", lambda n, size: 1 < n < size and n > size / 2), ("all", lambda n, size: n == size)]
    for name, within in parts:
        rows = [(s0, scores[kind, n][0], scores.get(("wrong", n))) for size, s0, scores in measured
                for kind, n in scores if kind == "right" and within(n, size)]
        lift = math.exp(sum(s - s0 for s0, s, _ in rows) / len(rows)) if rows else math.nan
        print(f"| {name} | {len(rows)} | {lift:.2f} | {share((s, s0) for s0, s, _ in rows)} "
              f"| {share((s, other[0]) for _, s, other in rows if other)} |")
    nothing = [(s0, s) for _, s0, scores in measured for s in scores["nothing", 1]]
    print(f"| a first step that says nothing | {len(nothing)} | {math.exp(sum(s - s0 for s0, s in nothing) / len(nothing)):.2f} "
          f"| {share((s, s0) for s0, s in nothing)} | |")
    print("\nThe first step stands above one that says nothing: " +
          share((scores["right", 1][0], s) for size, _, scores in measured if size > 1 for s in scores["nothing", 1]) + ".", flush=True)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"): sys.exit(__doc__)
    problems = paper.source("plain")[:32]
    for model in sys.argv[1:]:
        gold, wrong = (measure(model, problems, against) for against in (False, True))
        report(os.path.basename(model) + ", S", gold)
        report(os.path.basename(model) + ", contrast", less(gold, wrong))


if __name__ == "__main__":
    main()
