#!/usr/bin/env bash
# What the kernels can do: llama.cpp's own batched benchmark, at the widths and in the layout of bench/engine.c.
#
#   usage: bench/batched.sh MODEL.gguf...
#
# For each model: tokens per second written at several numbers of rows in a batch, all behind one shared prompt, and read
# while that prompt is prefilled; medians. It samples nothing, cuts no steps and knows the length of every text beforehand,
# so it is an upper bound for any engine on these kernels. Its flags are the best for CPUs: flash attention, which it would
# turn on by itself, makes batches slower there; with one unified cache the rows share the prompt's cells.
#
# Environment:
#   CORD_BENCH_THREADS   threads (default: one a core)
#   CORD_BENCH_RUNS      runs to take the median of (default: 5)
#   CORD_BENCH_FLAGS     more flags for llama-batched-bench, which override these
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
threads=${CORD_BENCH_THREADS:-$(getconf _NPROCESSORS_ONLN)}
runs=${CORD_BENCH_RUNS:-5}
widths=1,2,4,8,12,16,32
prompt=128 tokens=48

if [ $# = 0 ]; then sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; fi
bench=$("$here/../scripts/llama.sh" --tools)/bin/llama-batched-bench
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for model; do
    for ((run = 0; run < runs; run++)); do
        # shellcheck disable=SC2086
        "$bench" -m "$model" -t "$threads" -c 2048 -npp $prompt -ntg $tokens -npl $widths -fa off -kvu -pps \
            --output-format jsonl ${CORD_BENCH_FLAGS:-} 2>"$log" || { tail -n 5 "$log" >&2; exit 1; }
    done | python3 -c '
import json, statistics, sys
path, threads, runs = sys.argv[1:]
rows = [json.loads(line) for line in sys.stdin if line.startswith("{")]
rate = lambda what, **at: statistics.median(r[what] for r in rows if at.items() <= r.items())
widths = sorted({r["pl"] for r in rows})
print(f"{path}, llama-batched-bench, {threads} threads, median of {runs}")
print("  rows in a batch      " + "".join(f"{w:8d}" for w in widths))
print("  written, tokens/s    " + "".join("%8.1f" % rate("speed_tg", pl=w) for w in widths))
print("  prefilled, tokens/s  %8.1f" % rate("speed_pp"))
' "$model" "$threads" "$runs"
done
