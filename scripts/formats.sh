#!/usr/bin/env bash
# What `cord export` writes, read by those for whom it is written: `make test-formats`.
#
#   usage: scripts/formats.sh CORD_BINARY [--light]
#
# --light: what needs no torch (Hugging Face's datasets, pyarrow, tokenizers), for machines without the gigabytes; part of
# `make test`. Where its packages cannot be had it says so and ends with 77.
# The Python environment is the tests' own, pinned (tests/formats/requirements*.txt), and lies in the cache. With
# CORD_TORCH=ENVIRONMENT, torch and transformers are taken from that one and not installed again.
# The last line counts:  N passed, N failed, N skipped
set -euo pipefail
cd "$(dirname "$0")/.."
source=$PWD
cord=$(realpath "${1:?the cord program}")
light=${2:-}
cache=${CORD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cord}
tests=$source/tests/formats
model=${CORD_MODELS:-$cache/models}/smollm2-135m-instruct.gguf
templates=$("$source/scripts/llama.sh")/share/templates

# ------------------------------------------------------------------------------------------------------- the environment

pins=$(cat "$tests"/requirements*.txt - <<<"$light ${CORD_TORCH:-}" | sha256sum | cut -c1-16)
env=$cache/formats-$pins
if ! [ -e "$env/ready" ]; then
    scripts/packages.sh venv
    rm -rf "$env"
    python3 -m venv "$env"
    echo "installing the tests' Python packages into $env" >&2
    if ! "$env/bin/pip" install -q --disable-pip-version-check -r "$tests/requirements.txt"; then
        [ "$light" = --light ] || exit 1
        echo "SKIP: the Python packages of tests/formats/requirements.txt cannot be installed"
        exit 77
    fi
    if [ "$light" != --light ]; then
        if [ -n "${CORD_TORCH:-}" ]; then
            "$CORD_TORCH/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
                >"$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/lent.pth"
        else
            "$env/bin/pip" install -q --disable-pip-version-check -r "$tests/requirements-torch.txt"
        fi
        "$env/bin/pip" install -q --disable-pip-version-check --no-deps -r "$tests/requirements-trainers.txt"
    fi
    touch "$env/ready"
fi

# ------------------------------------------------------------------------------------------------------------- the exports

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >problems.jsonl <<'END'
{"id": "apples", "question": "Tom has 3 apples and buys 4 more. How many apples has he?", "answer": "3 + 4 = 7\n#### 7"}
{"id": "product", "question": "What is 12 times 3?", "answer": "36"}
{"id": "größe", "question": "A box holds 2 rows of 5 eggs. How many eggs are in 3 boxes? — \"Quote\" <|im_end|>", "answer": "30"}
END
# One row has to be longer than TRL takes by default; a long question is cheaper to make than a long trace. (One thread: two that share busy cores wait for each other.)
words=$(seq -s ' ' -f 'egg number %g,' 1 200)
printf '{"id": "long", "question": "Count these: %s and then say how many there are.", "answer": "200"}\n' "$words" >>problems.jsonl
cat >recipe.yaml <<'END'
problems: {file: problems.jsonl}
models: {smol: {file: smollm2-135m-instruct}}
teachers:
  warm: {model: smol, temperature: 0.6}
  hot: {model: smol, temperature: 1.0}
meta_prover: {model: smol}
prompt: {style: steps, system: Think in numbered steps., answer_open: "The final answer is \\boxed{7}, since"}
search: {beam: 2, step_tokens: 16, think_tokens: 48, answer_tokens: 4}
run: {out: run, threads: 1, in_flight: 4}
END
"$cord" run recipe.yaml >log 2>&1 || { cat log; exit 1; }
# Pairs are made of steps that no limit cut. SmolLM2 hardly writes one within 16 tokens, but many sentences within 40.
phrases=the,so,to,in,we,he,tom,first,then,let,a,if,there,12,3,each,now,this,it,count,step,egg,i
"$cord" run recipe.yaml --set run.out=sentences --set search.segmentation=prefix --set search.prefixes=$phrases \
    --set search.step_tokens=40 --set search.think_tokens=80 >log 2>&1 || { cat log; exit 1; }

run=run # what is exported
exported() { # FOLDER OPTION...
    local kind
    for kind in '' --parquet; do # each of them once more as Parquet, of the folder split too
        "$cord" export "$run" --provenance --margin 0 -o "set$kind/$1/" "${@:2}" $kind 2>told || { cat told; exit 1; }
    done
}
"$source/scripts/duckdb.sh" >/dev/null
mkdir set set--parquet
for format in messages prompt-completion sharegpt alpaca llama-factory axolotl ms-swift verl dpo llama-factory-dpo \
    ms-swift-dpo prm math-shepherd; do
    exported "$format" --format "$format"
done
for format in text axolotl-segments; do exported "$format" --format "$format" --template chatml; done
exported rendered --format prompt-completion --template chatml
exported split --split train=0.5
run=sentences
exported step-dpo --format step-dpo
exported step-dpo-rendered --format step-dpo --template chatml
"$cord" export run --trainer trl --template "$templates/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja" >/dev/null 2>r1.warning
"$cord" export run --trainer trl --template chatml --tokenizer smollm2-135m-instruct >/dev/null 2>trl.warning
mkdir all
mv set/split all.split
mv set all/formats
mv set--parquet all/parquet
mv all.split all/split
mv r1.warning trl.warning problems.jsonl all/

# ---------------------------------------------------------------------------------------------------------- the reading

"$env/bin/python" "$tests/check.py" all "$model" "$templates" $light
