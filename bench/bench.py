#!/usr/bin/env python3
"""How fast cord is on this machine, beside what it can be compared with; `make bench` runs all of it.

    bench/bench.py [kernels] [search] [methods] [cheaper] [growth] [long] [grader] [many]     default: all, five hours on two cores

What is compared runs in turn, A B A B, and medians are printed, as tables for docs/performance.md, which says what each
measure is. Nothing has a threshold. A quiet machine is needed: two threads that wait for each other by spinning lose far more
than their share to another program.

Environment: CORD_BENCH_RUNS (3), how often each is repeated.
"""
import glob, json, os, random, resource, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RUNS = int(os.environ.get("CORD_BENCH_RUNS", "3"))
SMALL, STRONG = "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"
WIDTHS = [1, 4, 8, 12, 16, 32]


def output(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, **more).stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def model(name):
    return output("scripts/fetch.sh", name).split()[-1]


def tools():
    return os.path.join(output("scripts/llama.sh", "--tools").strip(), "bin")


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(cell if isinstance(cell, str) else f"{cell:.2f}" for cell in row) + " |")
    print(flush=True)


def kernels():
    """The engine against llama.cpp's batched benchmark: the same prompt length, rows and tokens."""
    bench = os.path.join(tools(), "llama-batched-bench")
    for name in SMALL, STRONG:
        path, theirs, ours = model(name), [], []
        for _ in range(RUNS):
            theirs += lines(output(bench, "-m", path, "-t", str(os.cpu_count()), "-c", "4096", "-b", "256", "-ub", "256", "-npp", "160",
                                   "-ntg", "48", "-npl", ",".join(map(str, WIDTHS)), "-fa", "off", "-kvu", "-pps",
                                   "--output-format", "jsonl", stderr=subprocess.DEVNULL))
            ours += lines(output("build/bench/engine", "widths", path))
        median = lambda figures: statistics.median(list(figures) or [float("nan")])
        rows = []
        for width in WIDTHS:
            kernel = median(r["speed_tg"] for r in theirs if r["pl"] == width)
            cell = [str(width), kernel]
            for when in "start", "after":
                rate = median(r["rate"] for r in ours if r["what"] == "write" and r["rows"] == width and r["when"] == when)
                cell += [rate, rate / kernel]
            cell.append("%.1f %%" % (100 * median(r["sampling"] for r in ours if r["what"] == "write" and r["rows"] == width)))
            rows.append(cell)
        kernel = median(r["speed_pp"] for r in theirs)
        cell = ["prefill and score", kernel]
        for when in "start", "after":
            rate = median(r["rate"] for r in ours if r["what"] == "score" and r["when"] == when)
            cell += [rate, rate / kernel]
        rows.append(cell + [""])
        print(f"{name}: tokens/s, medians of {RUNS}")
        table(["rows", "llama-batched-bench", "cord", "ratio", "after filling the caches twice", "ratio", "sampling"], rows)


def run(*settings, recipe="recipes/demo.yaml"):
    """One `cord run` of the demo's problems in a new folder: its summary's session, per problem."""
    with tempfile.TemporaryDirectory() as folder:
        sets = [word for setting in ("run.out=" + folder + "/run", *settings) for word in ("--set", setting)]
        output("build/cord", "run", recipe, "-q", *sets)
        summary = json.load(open(folder + "/run/summary.json"))
    session, n = summary["session"], summary["problems"]["done"]
    tokens = {key: sum(m[key] for m in session["models"]) / n for key in ("written", "prefilled", "scored", "batches")}
    rows = (tokens["written"] + tokens["prefilled"] + tokens["scored"]) / tokens["batches"]
    per = {key: session[key] / n for key in ("seconds", "propose_seconds", "score_seconds", "sample_seconds", "other_seconds")}
    return {**per, **tokens, "rows": rows, "correct": summary["grades"]["correct"] / n}


def search():
    """The whole search, beside a script that drives llama-server over HTTP with the same settings, in two manners."""
    server, theirs, plain, ours = os.path.join(tools(), "llama-server"), [], [], []
    strong, small = model(STRONG), model(SMALL)
    for _ in range(RUNS):
        ours.append(run("search.beam=4"))
        for results, manner in (theirs, ()), (plain, ("--plain",)):
            results += lines(output(sys.executable, "bench/http_baseline.py", "--server", server, "--teacher", strong, "--teacher",
                                    small, "--meta", strong, "--beam", "4", *manner, "recipes/demo.jsonl"))
    rows = [["cord", r["seconds"], r["propose_seconds"], r["score_seconds"], r["sample_seconds"],
             "%.1f %%" % (100 * r["other_seconds"] / r["seconds"]), r["written"], r["seconds"] / r["written"] * 1000, r["rows"]]
            for r in ours]
    rows += [[name, r["seconds"], r["seconds_of"]["propose"], r["seconds_of"]["score"], "", "", sum(r["tokens_written"].values()),
              r["seconds"] / sum(r["tokens_written"].values()) * 1000, ""]
             for name, results in (("HTTP, arrays of prompts", theirs), ("HTTP, one request at a time", plain)) for r in results]
    print("search: beam 4, two teachers; cord: the demo's five problems, the script: its first; means a problem")
    table(["", "seconds", "propose", "score", "sample", "other", "tokens written", "ms a token", "rows a batch"], rows)


POOLS = {"three models": "recipes/paper/small/%s.yaml", "one model three times": "recipes/paper/small/homogeneous-strong-%s.yaml"}


def side_by_side(pool, *ways):
    """Ways to search, each a recipe and settings over it, in turn; the first is what the others are compared with."""
    results = {name: [] for name, _, _ in ways}
    for _ in range(RUNS):
        for name, recipe, settings in ways:
            results[name].append(run(f"problems.file={ROOT}/recipes/demo.jsonl", *settings, recipe=POOLS[pool] % recipe))
    middle = {name: {key: statistics.median(r[key] for r in all) for key in all[0]} for name, all in results.items()}
    first, computed = middle[ways[0][0]], ("written", "prefilled", "scored")
    rows = [[name, r["seconds"], r["seconds"] / first["seconds"], r["propose_seconds"], r["score_seconds"], r["sample_seconds"],
             r["other_seconds"], *(f"{r[key]:.0f}" for key in computed), sum(r[key] for key in computed) / sum(first[key] for key in computed),
             r["rows"], f"{r['correct']:.2f}"] for name, r in middle.items()]
    print(f"{pool}, twelve traces against twelve candidates a round (Curation: four of each teacher; CoRD: beam 4); means a problem, medians of {RUNS}; "
          "seconds of all runs: " + "; ".join(name + " " + ", ".join(f"{r['seconds']:.1f}" for r in all) for name, all in results.items()))
    table(["", "seconds", "ratio", "propose", "score", "sample", "other", "written", "prefilled", "scored", "tokens, ratio",
           "rows a batch", "correct"], rows)


def methods():
    """CoRD beside Curation with as many complete trajectories, and beside Curation whose traces do not wait for each other."""
    for pool in POOLS:
        side_by_side(pool, ("Curation", "curation", ()), ("Curation, traces in one go", "curation", ("search.whole_traces=true",)),
                     ("CoRD", "cord", ()))


def cheaper():
    """CoRD beside what makes it cheaper, and beside scores that are all computed anew."""
    for pool in POOLS:
        side_by_side(pool, ("CoRD", "cord", ()), ("CoRD, adaptive proposals", "cord", ("search.proposals=adaptive", "search.pilot=2")),
                     ("CoRD, all scored anew", "cord", ("meta_prover.reuse=false",)))


def growth():
    """What a problem costs with more of one thing; the small model alone."""
    alone = ("teachers.strong.model=qwen-0.5b", "meta_prover.model=qwen-0.5b")
    rows = []
    for what, settings in [("4 problems in flight, beam 4, 2 teachers", ())] + \
            [(f"{n} in flight", (f"run.in_flight={n}",)) for n in (1, 2, 5)] + \
            [(f"beam {n}", (f"search.beam={n}", "run.in_flight=4")) for n in (1, 2, 8)] + \
            [("reproducible", ("run.reproducible=true",))]:
        r = run("search.beam=4", "run.in_flight=4", *alone, *settings)
        rows.append([what, r["seconds"], r["propose_seconds"], r["score_seconds"], r["written"], r["seconds"] / r["written"] * 1000,
                     r["rows"]])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"growth: means a problem; peak memory of all runs {peak:.2f} GiB")
    table(["", "seconds", "propose", "score", "tokens written", "ms a token", "rows a batch"], rows)


def long():
    """One more round behind a long text."""
    rounds = lines(output("build/bench/engine", "long", model(SMALL), "2000", "8000", "20000"))
    print(f"long traces, {SMALL}: a round of beam 4 and two teachers, 48 tokens a step")
    table(["tokens before", "round", "tokens written", "propose, s", "score, s", "resident, MB"],
          [[str(r["tokens"]), str(r["number"]), str(r["written"]), r["propose"], r["score"], r["rss"]] for r in rounds])


# Kinds of answers that are numbers, by the aim; the others are compared as expressions or more.
NUMBERS = {"made integers", "made decimals", "made fractions", "made percentages", "answer_cases", "integer", "decimal",
           "fraction", "mixed_number", "percent", "scientific", "thousands", "currency", "repeating"}
NUMBERS_AIM, AIM = 100000, 5000


def grader():
    """The grader, beside a script on top of SymPy that judges a sample of the same pairs."""
    files = sorted(glob.glob(ROOT + "/tests/answer/*.tsv") + glob.glob(ROOT + "/tests/answer/cases/*.tsv"))
    python, pairs = output("scripts/sympy.sh").strip(), output("build/bench/grader", "pairs", *files)
    ours, theirs = [], []
    for _ in range(RUNS):
        ours += lines(output("build/bench/grader", "rates", *files))
        theirs += lines(output(python, "bench/grader_sympy.py", input=pairs))
    rows = []
    for kind in dict.fromkeys(r["kind"] for r in ours):
        mine, others = ([r for r in results if r["kind"] == kind] for results in (ours, theirs))
        rate, other = (statistics.median(r["rate"] for r in results) for results in (mine, others))
        judged, undecided = (statistics.median(r[what] for r in others) for what in ("pairs", "undecided"))
        aim = NUMBERS_AIM if kind in NUMBERS else AIM
        rows.append([kind, str(mine[0]["pairs"]), f"{rate:,.0f}", f"{aim:,}", str(mine[0]["undecided"]), f"{other:,.0f}",
                     f"{rate / other:,.0f}", f"{judged:.0f}", f"{undecided:.0f}"])
    print(f"grader: pairs a second on one core by kind, medians of {RUNS}; the script judges a sample")
    table(["kind", "pairs", "cord", "aim: over", "undecided", "SymPy script", "ratio", "judged", "undecided"], rows)


def word_problems(path, n):
    """Problems like GSM8K's, the same ones each time. In a third something is given away, which the stand-in's model, which
    adds all numbers up, gets wrong."""
    draw = random.Random(1)
    with open(path, "w") as file:
        for i in range(n):
            who, things = draw.choice("Ann Ben Cleo Dan Eva Finn Gita Hugo Ines Jon".split()), draw.choice("apples books coins stamps".split())
            has, buys, last = draw.randrange(10, 900), draw.randrange(2, 90), draw.randrange(2, 9)
            away = i % 3 == 2
            end = f"{who} gives {last} of them to a friend" if away else f"a friend brings another {last} as a present"
            question = (f"{who} has {has} {things}. On Monday {who} buys {buys} more, and on Tuesday {end}. "
                        f"How many {things} has {who} in the end?")
            print(json.dumps({"id": f"p{i}", "question": question, "answer": str(has + buys + (-last if away else last))}), file=file)


MANY = """problems: {file: problems.jsonl}
models: {stand-in: {url: "http://127.0.0.1:%s", protocol: vllm, template: %s, requests: 16384}}
teachers:
  one: {model: stand-in, temperature: 0.6}
  two: {model: stand-in, temperature: 1.0}
meta_prover: {model: stand-in}
prompt: {style: steps}
search: {beam: 4, step_tokens: 256, think_tokens: 4096, answer_tokens: 64}
run: {out: %s}
"""


def pinned(core):
    return lambda: os.sched_setaffinity(0, {core})


def against_stand_in(problems, in_flight, *options):
    """One `cord run` on one core, against a stand-in on the other: what it took, and what the stand-in counted."""
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(["build/bench/stand_in", *options], stdout=subprocess.PIPE, text=True, cwd=ROOT, preexec_fn=pinned(1))
        port = server.stdout.readline().strip()
        word_problems(folder + "/problems.jsonl", problems)
        with open(folder + "/recipe.yaml", "w") as file:
            file.write(MANY % (port, ROOT + "/tests/data/chat/qwen2.5-coder.jinja", folder + "/run"))
        start = time.monotonic()
        with open(folder + "/log", "w+") as log:
            cord = subprocess.Popen(["build/cord", "run", folder + "/recipe.yaml", "-q", "--set", f"run.in_flight={in_flight}"],
                                    stdout=log, stderr=log, cwd=ROOT, preexec_fn=pinned(0))
            _, status, used = os.wait4(cord.pid, 0)
            seconds = time.monotonic() - start
            cord.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            if cord.returncode: sys.exit("many: cord ended with %d:\n%s" % (cord.returncode, log.read()[-3000:]))
        counts = json.loads(output("build/bench/stand_in", "--ask", port))
        server.terminate()
        server.wait()
        grades = json.load(open(folder + "/run/summary.json"))["grades"]
    return {**counts, "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024, "problems": problems,
            "in_flight": in_flight, "correct": grades["correct"], "requests": sum(counts[k] for k in ("proposals", "scores", "tokenizations"))}


def many():
    """How much one process of cord on one core holds, against a stand-in for a server on the other core."""
    rows = []
    for what, problems, in_flight, options in [("as a server takes", 2048, 1024, ()), ("as a server takes", 128, 64, ()),
                                               ("none", 1024, 1024, ("--fast",)), ("none", 256, 64, ("--fast",))]:
        r = against_stand_in(problems, in_flight, *options)
        rows.append([what, str(in_flight), str(problems), f"{r['seconds']:.0f}", f"{100 * r['cpu'] / r['seconds']:.0f} %",
                     f"{r['cpu'] / problems:.3f}", f"{r['requests'] / r['seconds']:,.0f}", f"{1e6 * r['cpu'] / r['requests']:.0f}",
                     f"{r['proposals'] / problems:.0f} / {r['scores'] / problems:.0f} / {r['tokenizations'] / problems:.0f}",
                     str(r["most_waiting"]), f"{r['peak']:.0f}", f"{100 * r['correct'] / problems:.0f} %"])
    print("many: one process of cord on one core; beam 4, two teachers, about six steps of 200 tokens at 30 a second")
    table(["delays", "in flight", "problems", "seconds", "of the core", "CPU s a problem", "requests/s", "CPU us a request",
           "propose / score / tokenize, a problem", "most waiting at once", "peak, MiB", "correct"], rows)


if __name__ == "__main__":
    parts = {"kernels": kernels, "search": search, "methods": methods, "cheaper": cheaper, "growth": growth, "long": long, "grader": grader, "many": many}
    wanted = sys.argv[1:] or list(parts)
    if not set(wanted) <= set(parts): sys.exit(__doc__)
    for part in wanted:
        start = time.monotonic()
        parts[part]()
        print(f"({part}: {time.monotonic() - start:.0f} s)\n", flush=True)
