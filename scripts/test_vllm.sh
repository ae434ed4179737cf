#!/usr/bin/env bash
# A whole search against a real vLLM, outside the ordinary tests: `make test-vllm`.
#
#   usage: CORD_VLLM=ENV CORD_HF=FOLDER scripts/test_vllm.sh CORD_BINARY
#
# ENV is a Python environment with vLLM in it (0.32.0 was tried), FOLDER a small model as Hugging Face keeps it, with its
# chat template in chat_template.jinja. The last line counts checks:  N passed, N failed
set -uo pipefail
cord=$1
: "${CORD_VLLM:?the folder of a Python environment with vLLM}" "${CORD_HF:?a folder with a model for it}"
work=$(mktemp -d)
server=0
trap 'kill -9 -- -$server 2>/dev/null; rm -rf "$work"' EXIT
passed=0 failed=0
port=$((20000 + RANDOM % 20000))
url=http://127.0.0.1:$port

check() { # WHAT STATUS
    if [ "$2" = 0 ]; then passed=$((passed + 1)) && echo "ok      $1"; else failed=$((failed + 1)) && echo "FAILED  $1"; fi
}

serve() {
    VLLM_CPU_KVCACHE_SPACE=${VLLM_CPU_KVCACHE_SPACE:-1} VLLM_CPU_OMP_THREADS_BIND=nobind HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 \
        setsid "$CORD_VLLM/bin/vllm" serve "$CORD_HF" --host 127.0.0.1 --port "$port" --served-model-name small --dtype float32 \
        --max-model-len 2048 --gpu-memory-utilization 0.3 --enforce-eager --enable-prompt-tokens-details >"$work/log" 2>&1 &
    server=$!
    for ((i = 0; i < 300; i++)); do
        curl -sf "$url/health" >/dev/null && return
        sleep 1
    done
    tail -n 20 "$work/log"
    return 1
}

hits() { curl -s "$url/metrics" | awk '/^vllm:prefix_cache_hits_total/ { print int($2) }'; }
rounds() { "$cord" show "$work/killed" "$1" 2>/dev/null | grep -c '^Round '; }

cat >"$work/p.jsonl" <<'END'
{"id": "one", "question": "Tom has 3 apples and buys 4 more. How many apples has he?", "answer": "7"}
{"id": "two", "question": "What is 12 times 3?", "answer": "36"}
END
# longer than a block of vLLM's prefix cache, which has 128 tokens on CPUs
system=$(for ((i = 0; i < 40; i++)); do printf 'Think in numbered steps. '; done)
cat >"$work/r.yaml" <<END
problems: {file: p.jsonl}
models: {small: {url: "$url", template: "$CORD_HF/chat_template.jinja"}}
teachers:
  warm: {model: small, temperature: 0.6}
  hot: {model: small, temperature: 1.0}
meta_prover: {model: small}
prompt: {style: steps, system: "$system"}
search: {beam: 2, step_tokens: 16, think_tokens: 64, answer_tokens: 8}
run: {out: whole, in_flight: 2}
END
cd "$work" || exit 1

serve
check "vLLM answers" $?
"$cord" doctor r.yaml
check "the doctor finds nothing bad" $?
"$cord" doctor r.yaml --format json | grep -q '"right scores","verdict":"good"'
check "both ways of scoring agree" $?

before=$(hits)
"$cord" run r.yaml
check "a whole run" $?
after=$(hits)
[ "$after" -gt "$before" ]
check "its prefix cache was used ($before tokens before, $after after)" $?

# The same server in other words: as plain completions that echo, as a chat alone, by streams.
sed "s#^models:.*#models:\n  plain: {url: '$url', protocol: openai, template: '$CORD_HF/chat_template.jinja'}\n  chat: {url: '$url', protocol: chat}\n  flow: {url: '$url', stream: true, template: '$CORD_HF/chat_template.jinja'}#
s#^teachers:#teachers:\n  chats: {model: chat, temperature: 1.0}#; s#warm: {model: small#warm: {model: plain#; s#hot: {model: small#hot: {model: flow#
s#^meta_prover:.*#meta_prover: {model: plain}#" r.yaml >words.yaml
"$cord" doctor words.yaml --format json >found
check "the doctor finds nothing bad in other words" $?
grep '"model":"plain"' found | grep -q '"right scores","verdict":"good"'
check "an echo scores, and the likeliest tokens agree" $?
grep '"model":"chat"' found | grep -q 'gone on with by continue_final_message'
check "a chat is gone on with" $?
"$cord" run words.yaml --set run.out=words
check "a whole run in other words" $?

"$cord" run r.yaml --set run.out=killed --set servers.tries=16 >/dev/null 2>&1 & # a vLLM takes minutes to start
run=$!
until [ "$(rounds one)" -gt 0 ] || ! kill -0 $run 2>/dev/null; do sleep 0.5; done
kill -9 -- -$server
sleep 2
serve
wait $run
check "a run whose server was killed in the middle goes on with the next one" $?
[ "$(grep -c '"status":"done"' killed/trajectories.jsonl)" = 2 ]
check "and is whole" $?

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
