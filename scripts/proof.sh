#!/usr/bin/env bash
# Proves at more length than a test should take:
# - cord's log-probabilities are those of a fresh context and of transformers, on all rows (tests/model/test_model_oracle.c);
# - a run with servers is the same whatever goes wrong on the way, and however often cord and a server are killed: more than
#   10,000 requests, a fifth of them spoiled (tests/model/test_model_faults.c);
# - many requests go over HTTP/2, with the libcurl of a Python package where the system's is too old (tests/model/test_http2.c);
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

# The other libraries of the package come along, since OpenSSL cannot be there twice; the loader is told by argument, so that
# what the test starts keeps the system's.
pycurl=6f88539845d3bb2cf2ce0ccbc1bb8b9ed9e401a0d874798aeabc5f16f0f95c4d # pycurl 7.49.0 for Python 3.11, with libcurl 8.23
over_http2() {
    local status=0 lib=$work/pycurl/pycurl.libs name
    scripts/packages.sh check pip
    build/tests/model/test_http2 || status=$?
    if [ $status != 77 ]; then return $status; fi
    pip3 download -q --no-deps --only-binary :all: --python-version 3.11 --platform manylinux_2_28_x86_64 -d "$work" pycurl==7.49.0
    sha256sum -c - <<<"$pycurl $(echo "$work"/pycurl-*.whl)" >/dev/null
    python3 -m zipfile -e "$work"/pycurl-*.whl "$work/pycurl"
    for name in libcurl.so.4 libssl.so.3 libcrypto.so.3; do ln -s "$lib/${name%%.*}"-*.so* "$lib/$name"; done
    echo "with a newer libcurl:"
    /lib64/ld-linux-x86-64.so.2 --library-path "$lib" build/tests/model/test_http2
}
over_http2
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
