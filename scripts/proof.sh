#!/usr/bin/env bash
# Proves at more length than a test should take:
# - cord's log-probabilities are those of a fresh context and of transformers, on all rows (tests/model/test_model_oracle.c);
# - a run with servers is the same whatever goes wrong on the way, and however often cord and a server are killed: more than
#   10,000 requests, a fifth of them spoiled (tests/model/test_model_faults.c);
# - a reproducible run depends neither on how many problems are in flight nor on being killed: SIGKILL at many random moments,
#   resumed each time, and the file is the undisturbed one byte for byte.
#
#   usage: scripts/proof.sh [KILLS]     default: 30
#
# Called by `make proof`, which has built all and fetched the models. Takes half an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${1:-30}
cases=$PWD/tests/cli/cases
PATH=$PWD/build:$PATH
cmake --build build --target tests
CORD_TEST_AT_LENGTH=1 build/tests/model/test_model_oracle
CORD_TEST_AT_LENGTH=1 build/tests/model/test_model_faults

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# shellcheck source=../tests/cli/cases/small.sh
. "$cases/small.sh"
# shellcheck source=../tests/cli/cases/killing.sh
. "$cases/killing.sh"
cat >>p.jsonl <<'END'
{"id": "three", "question": "A pear costs 2 dollars. What do 12 pears cost?", "answer": "24"}
{"id": "four", "question": "Anna is 31 and Ben is 4 years younger. How old is Ben?", "answer": "27"}
END
sed -i -e 's/^search:.*/search: {beam: 2, step_tokens: 24, think_tokens: 96, answer_tokens: 16}/' \
    -e 's/in_flight: 1/in_flight: 1, reproducible: true/' r.yaml

time=$(milliseconds_of cord run r.yaml)
echo "one run, undisturbed: $(wc -l <out/trajectories.jsonl) problems, $((time / 1000)) s"
for n in 3 8; do
    cord run r.yaml --set run.in_flight=$n --set "run.out=flight$n" >/dev/null
    cmp out/trajectories.jsonl "flight$n/trajectories.jsonl"
    echo "$n in flight: equal"
done
kill_often "$kills" $((time / 8)) 1 out/trajectories.jsonl
