#!/usr/bin/env bash
# The demo: two teachers reason together, step by step, over five word problems of our own; then a look at what came out.
# Called by `make demo`, which has built the program and fetched the models. A second call finds everything done.
set -euo pipefail
cd "$(dirname "$0")/.."

run=runs/demo
status=0
printf '\ncord run recipes/demo.yaml\n\n'
build/cord run recipes/demo.yaml "$@" || status=$?
if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then exit "$status"; fi

printf '\ncord show %s 1\n\n' "$run"
build/cord show "$run" 1
build/cord export "$run" --format messages -o "$run/messages.jsonl"

cat <<END

What is in $run:
  trajectories.jsonl   a line a problem: the best trajectory and the others, with steps, teachers, scores
  messages.jsonl       training rows, ready for a trainer
  journal.sqlite       every candidate of every round
  recipe.yaml          the recipe with every default written out
  summary.json         versions, model hashes, counts

What to type next:
  build/cord show $run                all problems of the run
  build/cord show $run 1 --why 1      why that first step was kept
  build/cord help recipe                   what a recipe can say
  build/cord run recipes/gsm8k.yaml        the paper's beam of 4, on your own gsm8k.jsonl

Five problems show that it works, and nothing about how well.
END
