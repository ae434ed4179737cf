#!/usr/bin/env python3
"""The paper's grid (recipes/paper/small) on GSM8K, block by block; `make bench-paper` goes on with it.

    bench/paper.py grid [--sample plain|hard] [--hours H] [--only VARIANT,...] [--part I/N]
                                   runs what is missing, and keeps its rows
    bench/paper.py tables          prints docs/results.md's tables from the rows

A row a problem, variant and seed is kept in bench/paper/SAMPLE.tsv (`cord compare --rows`), which is in the repository: days
and machines add to it. What has its rows there is not run again; a block that was interrupted keeps the rows that it has, and
goes on where it was, since run folders stay in the cache until they are done. N processes share the work: each takes the
blocks of its part.

The primary comparison, CoRD against Curation, takes 100 problems and seeds 1 to 3; the other rows of the paper's tables take
the first 30 problems and seed 1. Two samples, the same on every machine:
    plain   problems of the test set in an order drawn once
    hard    problems of the training set of which a pilot (the strong model alone, three traces, another seed) got at most one
            right (bench/paper/pilot.tsv); what the compared methods do with them plays no part

Environment: CORD_BINARY, cord, else build/cord; CORD_PAPER_THREADS, of the local models (one a core; a process a core with
one thread each does more, and suffers less from other work); CORD_GSM8K, a folder with two files made of those that
openai/grade-school-math publishes in grade_school_math/data (the bytes are checked):
    cp test.jsonl FOLDER/gsm8k-test.jsonl
    head -n 2000 train.jsonl > FOLDER/gsm8k-train-2000.jsonl
"""
import argparse, collections, fcntl, functools, hashlib, json, os, random, re, shutil, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CORD = os.environ.get("CORD_BINARY", os.path.join(ROOT, "build/cord"))
RECIPES = os.path.join(ROOT, "recipes/paper/small")
CACHE = os.path.join(os.environ.get("CORD_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cord"), "paper")
FILES = {"plain": ("gsm8k-test.jsonl", "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14"),
         "hard": ("gsm8k-train-2000.jsonl", "45926aa7b33a4d57392a712ec0fc718a68cc2e33422658ddda76af4c305f24ce")}
PILOT = os.path.join(HERE, "paper", "pilot.tsv")
BLOCK, PRIMARY_PROBLEMS, OTHER_PROBLEMS, SEEDS, PILOT_SEED = 15, 100, 30, (1, 2, 3), 9001

PRIMARY = ("curation", "cord")
MODERATE = ("homogeneous-moderate-curation", "homogeneous-moderate-cord")
# What else stands in the paper's tables, and what makes CoRD cheaper: a recipe, and settings over it.
OTHERS = {name: (name, ()) for name in (
    "curation-x2", "rejection", "integration", "greedy", "mcts", "criterion-random", "criterion-longest", "criterion-judge",
    "criterion-contrast", "criterion-masked", "segmentation-line-break", "segmentation-prefix", "meta-moderate", "meta-weak",
    "homogeneous-strong-cord", "homogeneous-strong-curation", "homogeneous-strong-integration", "homogeneous-moderate-cord",
    "homogeneous-moderate-curation", "homogeneous-weak-cord", "homogeneous-weak-curation")}
# The same method; the rows of CoRD take what the meta-prover wrote itself as it stands in its cache.
OTHERS["cord-anew"] = ("cord", ("meta_prover.reuse=false",))
# A block is a run of its own, and has a pilot of its own.
ADAPTIVE = ("search.proposals=adaptive", "search.pilot=5")
# What is no row of the paper.
SETTINGS = {"cord-adaptive": ("cord", ADAPTIVE),
            "cord-beam-2": ("cord", ("search.beam=2",)),
            # one run of four, with three simulations of four, costs 0.6 of a Curation
            "mcts-equal-cost": ("mcts", ("search.runs=1", "search.simulations=3"))}
OTHERS.update(SETTINGS)
# The moderate model alone with less and less to do: quality against tokens.
CURVE = {"moderate-greedy": ("homogeneous-moderate-cord", ("search.beam=1",)),
         "moderate-beam-2": ("homogeneous-moderate-cord", ("search.beam=2",)),
         "moderate-adaptive": ("homogeneous-moderate-cord", ADAPTIVE),
         "moderate-adaptive-wide": ("homogeneous-moderate-cord", (*ADAPTIVE, "search.agreement=0.25"))}
OTHERS.update(CURVE)
# What the limit of 384 tokens of thinking does, which cuts many traces: the same with room for twice as much.
LONGER = {f"{name}-768": (name, ("search.think_tokens=768",)) for name in PRIMARY}
OTHERS.update(LONGER)
# A scorer outside of the pool: where the strong model is alone, the moderate one takes no part.
HELD_OUT = {f"held-out-{name}": (f"homogeneous-strong-{name}", ("measures.held_out=moderate",)) for name in PRIMARY}
OTHERS.update(HELD_OUT)
# Traces that there are already (the paper's Figure 3): GSM8K's own solutions, by cord select.
GIVEN = "given"
OTHERS[GIVEN] = ("cord", ())
VARIANTS = {**{name: (name, ()) for name in PRIMARY}, **OTHERS}
# Methods that the tables take as one: `integration.tokens` came after the first rows, and bounds none of them. They took at
# most 1,494 tokens more than Curation did for its twelve traces of the same problem, and the bound is 2,048.
SAME_METHOD = {"e07f046bea8e1b0bbe380c81cac188056e951a4d93c4586514702cebdcebb326": "be076d575ec68e04f95dfca8f45243615a0aadd74d3a57ddf8a26d1515cfe3f0",
               "d1643ccc322298a3fa4275e1d4494fb941915c386c141d95176deaa58d138b84": "9778ca15129bdded65802bffd94a9822084a688a2cabe11e911d2453eccd6ca9"}


def rows_file(sample):
    return os.path.join(HERE, "paper", sample + ".tsv")


def cord(*arguments, **more):
    return subprocess.run([CORD, *arguments], check=True, **more)


# ---- samples -----------------------------------------------------------------------------------------------------

@functools.cache
def source(sample):
    """The data set's lines with the number of each as its id, in an order drawn once."""
    folder = os.environ.get("CORD_GSM8K") or sys.exit("paper: CORD_GSM8K must name the folder with GSM8K's files; see bench/paper.py --help")
    name, digest = FILES[sample]
    data = open(os.path.join(folder, name), "rb").read()
    if hashlib.sha256(data).hexdigest() != digest: sys.exit(f"paper: {folder}/{name} is not the file that bench/paper.py --help describes (its SHA-256 is another)")
    problems = [{"id": f"{name.split('.')[0]}-{i}", **json.loads(line)} for i, line in enumerate(data.decode().splitlines())]
    random.Random(20260502).shuffle(problems)
    return problems


def replace(path, text):
    """Whole, or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def write_lines(path, rows):
    replace(path, "".join(json.dumps(row) + "\n" for row in rows))


def read_pilot():
    """Of each problem that the pilot has asked, whether it is hard: it has traces, and at most one of them is right."""
    if not os.path.exists(PILOT): return {}
    rows = [line.split("\t") for line in open(PILOT).read().splitlines()[1:]]
    return {problem: int(traces) > 0 and int(right) <= 1 for problem, traces, right in rows}


def ask_pilot(problems, until):
    """Adds these problems to the pilot's table, which stays in the repository: another machine may draw other traces, and the
    sample is to be the same everywhere. False: time was up."""
    out = os.path.join(CACHE, "pilot")
    if not os.path.exists(out + ".jsonl"): write_lines(out + ".jsonl", problems)  # else it goes on with those it began
    problems = [json.loads(line) for line in open(out + ".jsonl")]
    print("pilot: " + problems[0]["id"] + f" and {len(problems) - 1} more", flush=True)
    settings = (f"problems.file={out}.jsonl", "search.runs=1", f"run.seed={PILOT_SEED}")
    if not run("homogeneous-strong-curation", settings, out, until): return False
    done = {row["id"]: [row["best"], *row["finished"]] for row in map(json.loads, open(out + "/trajectories.jsonl"))}
    head = "" if os.path.exists(PILOT) else "id\ttraces\tright\n"
    with open(PILOT, "a") as file:
        file.write(head)
        for problem in problems:
            grades = [trace["grade"] for trace in done.get(problem["id"], []) if trace]
            print(problem["id"], len(grades), grades.count("correct"), sep="\t", file=file)
    os.remove(out + ".jsonl")
    shutil.rmtree(out)
    return True


def first_problems(sample, wanted, until):
    """None: time was up."""
    problems = source(sample)
    if sample == "plain": return problems[:wanted]
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "pilot.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other parts wait for it
        while True:
            asked = read_pilot()
            hard = [p for p in problems if asked.get(p["id"])]
            missing = [p for p in problems if p["id"] not in asked]
            if len(hard) >= wanted or not missing: return hard[:wanted]
            if not ask_pilot(missing[:BLOCK], until): return None


# ---- runs --------------------------------------------------------------------------------------------------------

def ended(words, settings, until):
    """Whether a program came to its end before time was up. Nothing that is done is lost else."""
    sets = [word for setting in (*settings, "run.threads=" + os.environ.get("CORD_PAPER_THREADS", "0")) for word in ("--set", setting)]
    left = until and max(0, until - time.monotonic())
    try:
        status = subprocess.run([CORD, *words, "-q", *sets], timeout=left).returncode
    except subprocess.TimeoutExpired:
        return False
    if status not in (0, 3): sys.exit(f"paper: cord {words[0]} {words[1]} ended with {status}")
    return True


def run(recipe, settings, out, until=None):
    return ended(["run", f"{RECIPES}/{recipe}.yaml"], (*settings, "run.out=" + out), until)


def select_given(block, seed, out, until):
    """From traces that problems came with: GSM8K's own solutions, without its calculator's marks and its last line."""
    problems = [json.loads(line) for line in open(block)]
    for problem in problems:
        solution, answer = problem["answer"].rsplit("####", 1)
        problem["trace"], problem["attempt"] = re.sub("<<[^>]*>>", "", solution).strip(), "\\boxed{" + answer.strip() + "}"
    write_lines(block, problems)
    words = ["select", block, "--recipe", f"{RECIPES}/cord.yaml", "--trace", "trace", "--attempt", "attempt", "--out", out]
    return ended(words, (f"run.seed={seed}",), until)


def read_rows(sample):
    """The table's first line, and its rows as (run, problem, status, line). A search that failed is not run again."""
    path = rows_file(sample)
    if not os.path.exists(path) or not os.path.getsize(path): return "", []
    head, *lines = open(path).read().splitlines(keepends=True)
    at = [head.rstrip("\n").split("\t").index(name) for name in ("run", "id", "status")]
    return head, [(*(line.split("\t")[i] for i in at), line) for line in lines]


@functools.cache
def of_one_method(sample):
    """`read_rows` for the tables: a run whose recipe has changed has rows of several methods, of which those of the commonest
    count; the rest is told."""
    head, rows = read_rows(sample)
    if not rows: return head, rows
    at = head.rstrip("\n").split("\t").index("method")
    methods = {}
    for i, (run, problem, status, line) in enumerate(rows):
        cells = line.split("\t")
        cells[at] = SAME_METHOD.get(cells[at], cells[at])
        rows[i] = (run, problem, status, "\t".join(cells))
        methods.setdefault(run, collections.Counter())[cells[at]] += 1
    kept = [row for row in rows if row[3].split("\t")[at] == methods[row[0]].most_common(1)[0][0]]
    few = [f"{run} ({count.total() - max(count.values())})" for run, count in methods.items() if len(count) > 1]
    if few: print("Of a recipe that has changed since, and left out: rows of " + ", ".join(few) + ".\n", flush=True)
    return head, kept


def laid_out(line, columns, wanted):
    """A row in another order of columns; what it has none of stays empty, which cord reads as not known."""
    cells = dict(zip(columns, line.rstrip("\n").split("\t")))
    return "\t".join(cells.get(name, "") for name in wanted) + "\n"


def keep_rows(sample, folder, name):
    """Adds a run's rows to the table. Blocks of one variant and seed have the same folder name, and so are one run there. Rows and
    table may be of cords that have not the same measures: the table gets the columns of both."""
    path = rows_file(sample)
    with tempfile.TemporaryDirectory() as scratch:
        new = os.path.join(scratch, "rows.tsv")
        # where no problem is done it writes the rows, and fails
        subprocess.run([CORD, "compare", name, "--rows", new], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not os.path.exists(new): sys.exit(f"paper: {folder}/{name} cannot be read: cord compare {name}")
        head, *rows = open(new).read().splitlines(keepends=True)
    at_status, at_id = head.rstrip("\n").split("\t").index("status"), head.rstrip("\n").split("\t").index("id")
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, f"{sample}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other parts write, too
        there, kept = read_rows(sample)
        have = {(run, problem) for run, problem, _, _ in kept}
        cells = [row.rstrip("\n").split("\t") for row in rows]
        rows = [row for row, cell in zip(rows, cells) if cell[at_status] != "open" and (name, cell[at_id]) not in have]
        old, new = there.split(), head.split()
        lines = [line for *_, line in kept]
        if set(new) - set(old):  # the table is new, or older than a measure that cord has by now
            if set(old) - set(new): sys.exit(f"paper: {path} and this cord's rows have columns of their own each; begin another table")
            lines, there = [laid_out(line, old, new) for line in lines], head
        replace(path, there + "".join(lines) + "".join(laid_out(row, new, there.split()) for row in rows))


def put_away(out, block):
    """A run that is whole, and has its rows in the table. Its trajectories stay in the cache, for who wants to look, or to
    measure them otherwise (`cord select`)."""
    kept = os.path.join(CACHE, "kept", os.path.relpath(out, CACHE) + f"-{int(time.time())}.jsonl")
    written = os.path.join(out, "trajectories.jsonl")
    os.makedirs(os.path.dirname(kept), exist_ok=True)
    if os.path.exists(written): os.replace(written, kept)
    os.remove(block)  # first, since a list without its run would be run again
    shutil.rmtree(out)


def block_of(name):
    """How many problems are one run. Of given traces all are, since their file is a part of the method."""
    return OTHER_PROBLEMS if name == GIVEN else BLOCK


def cells(only, part):
    """What is to be run, the most telling first: variant, seed, first problem."""
    primary = [(name, seed, at) for seed in SEEDS for at in range(0, PRIMARY_PROBLEMS, BLOCK) for name in PRIMARY]
    first = [cell for cell in primary if cell[1] == 1 and cell[2] < OTHER_PROBLEMS]
    others = [(name, 1, at) for at in range(0, OTHER_PROBLEMS, BLOCK) for name in OTHERS if at % block_of(name) == 0]
    order = list(dict.fromkeys(first + others + primary))
    return [cell for cell in order if (not only or cell[0] in only) and cell[2] // BLOCK % part[1] == part[0] - 1]


def grid(sample, hours, only, part):
    version = cord("--version", capture_output=True, text=True).stdout.strip()
    if version.endswith("+)"): sys.exit(f"paper: {version} was built with changes that are in no commit; commit them and build, so "
                                        "that its rows can be computed again")
    until = time.monotonic() + 3600 * hours
    for name, seed, at in cells(only, part):
        end = min(at + block_of(name), PRIMARY_PROBLEMS)
        problems = first_problems(sample, end, until)
        if problems is None: sys.exit("paper: time is up; the same command goes on")
        run_name = f"{name}-{seed}"
        folder = os.path.join(CACHE, sample, f"{at}")
        out, (recipe, settings) = os.path.join(folder, run_name), VARIANTS[name]
        block = out + ".jsonl"  # stays as long as the run does, which goes on with it
        if not os.path.exists(block):
            have = {problem for run, problem, _, _ in read_rows(sample)[1] if run == run_name}
            missing = [problem for problem in problems[at:end] if problem["id"] not in have]
            if not missing: continue
            write_lines(block, missing)
        print(f"{sample}: of problems {at + 1} to {end}, {run_name}", flush=True)
        whole = select_given(block, seed, out, until) if name == GIVEN else \
            run(recipe, (*settings, f"problems.file={block}", f"run.seed={seed}"), out, until)
        if os.path.exists(os.path.join(out, "journal.sqlite")): keep_rows(sample, folder, run_name)
        if not whole: sys.exit("paper: time is up; the same command goes on")
        put_away(out, block)


# ---- tables ------------------------------------------------------------------------------------------------------

def asked_of(rows, name, seed):
    """The problems that a variant has been through with a seed: rows are of searches that are done, or failed."""
    return {problem for run, problem, _, _ in rows if run == f"{name}-{seed}"}


def compare(sample, names, primary=False, more=()):
    """`cord compare` over the rows of some variants, the baseline first, on the problems that all have been through with the
    first seed, less those on which any failed (it says so). Of other seeds those count that all have been through with, so
    that none that has just begun takes problems away."""
    head, rows = of_one_method(sample)
    names = [name for name in names if asked_of(rows, name, SEEDS[0])]
    if len(names) < 2: return print("(not enough rows yet)\n")
    common = set.intersection(*(asked_of(rows, name, SEEDS[0]) for name in names))
    if not common: return print("(no problem in common yet)\n")
    seeds = [seed for seed in SEEDS if all(common <= asked_of(rows, name, seed) for name in names)]
    left = [seed for seed in SEEDS if seed not in seeds and any(asked_of(rows, name, seed) for name in names)]
    if left: print("Not of all problems yet, and left out: seed " + ", ".join(map(str, left)) + ".\n", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for name in names:
            files.append(os.path.join(scratch, name + ".tsv"))
            runs = {f"{name}-{seed}" for seed in seeds}
            kept = [line for run, problem, _, line in rows if run in runs and problem in common]
            with open(files[-1], "w") as file: file.write(head + "".join(kept))
        cord("compare", "--from-rows", *files, "--common", "--format", "markdown", *([] if primary else ["--no-primary"]), *more)
        print(flush=True)


def any_failed(sample, name):
    return any(run == f"{name}-{SEEDS[0]}" and status == "failed" for run, _, status, _ in of_one_method(sample)[1])


def with_enough(sample, names, least=OTHER_PROBLEMS):
    """Those that have been through so many problems with the first seed; the rest is told."""
    _, rows = of_one_method(sample)
    n = {name: len(asked_of(rows, name, SEEDS[0])) for name in names}
    few = [f"{name} ({n[name]})" for name in names if 0 < n[name] < least]
    if few: print("Too few problems yet, and left out: " + ", ".join(few) + ".\n", flush=True)
    return [name for name in names if n[name] >= least]


def tables():
    print("One comparison is primary: CoRD against Curation on the sample *plain*. Each of the other tables is a family of tests of "
          "its own (--no-primary), and none takes account of the other tables: they say where to look.\n")
    alone = [name for name in OTHERS if name.startswith("homogeneous") or name in CURVE]
    for sample in FILES:
        print(f"## Sample: {sample}\n\n### CoRD against Curation\n", flush=True)
        compare(sample, PRIMARY, primary=sample == "plain")
        print("### The other rows of three teachers, on the problems that all have\n", flush=True)
        others = with_enough(sample, [name for name in OTHERS if name not in (*alone, *LONGER, *SETTINGS, *HELD_OUT, GIVEN)])
        broken = [name for name in others if any_failed(sample, name)]  # they would take their problems from all others
        whole = [name for name in others if name not in broken]
        if whole: compare(sample, (*PRIMARY, *whole))
        else: print("(not enough rows yet)\n")
        for name in broken: compare(sample, (*PRIMARY, name))
        print("### Beside solutions that people wrote\n", flush=True)
        compare(sample, (*PRIMARY, GIVEN))
        print("### Settings that are no row of the paper\n", flush=True)
        compare(sample, (*PRIMARY, *with_enough(sample, SETTINGS, BLOCK)))
        print("### With room for 768 tokens of thinking\n", flush=True)
        compare(sample, (*LONGER, *PRIMARY))
        print("### The moderate model alone\n", flush=True)
        compare(sample, MODERATE)
        print("### Quality against tokens, the moderate model alone\n", flush=True)
        compare(sample, (*MODERATE, *with_enough(sample, CURVE, BLOCK)), more=("--against", "tokens"))
        for model in "strong", "weak":
            print(f"### The {model} model alone\n", flush=True)
            compare(sample, with_enough(sample, [f"homogeneous-{model}-{what}" for what in ("curation", "cord", "integration")
                                                 if f"homogeneous-{model}-{what}" in OTHERS]))
        print("### The strong model alone, PP by a scorer outside of the pool, too\n", flush=True)
        compare(sample, with_enough(sample, HELD_OUT, BLOCK))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("grid", "tables"))
    parser.add_argument("--sample", choices=tuple(FILES), default="plain")
    parser.add_argument("--hours", type=float, default=1e6)
    parser.add_argument("--only", default="", help="variants, divided by commas: " + ", ".join(VARIANTS))
    parser.add_argument("--part", default="1/1", help="I/N: of the blocks of problems each N-th, from the I-th on")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    unknown = set(only) - set(VARIANTS)
    if unknown: parser.error("unknown: " + ", ".join(sorted(unknown)))
    part = [int(number) if number.isdigit() else 0 for number in options.part.split("/")]
    if len(part) != 2 or not 1 <= part[0] <= part[1]: parser.error("--part is I/N, with I from 1 to N")
    if options.what == "tables": return tables()
    grid(options.sample, options.hours, only, part)


if __name__ == "__main__":
    main()
