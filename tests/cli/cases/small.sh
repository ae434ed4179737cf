# Sourced by cases that need a run: a recipe and two problems, so small that SmolLM2 is through with them in a second or
# two, and what several cases ask of a run. One thread, so that a busy machine does not slow the tests
# down; one problem at a time, so that lines come in order.

cat >p.jsonl <<'END'
{"id": "one", "question": "Tom has 3 apples and buys 4 more. How many apples has he?", "answer": "3 + 4 = 7\n#### 7", "source": 27.0}
{"id": "two", "question": "What is 12 times 3?", "answer": "36"}
END

cat >r.yaml <<'END'
problems: {file: p.jsonl}
models: {smol: {file: smollm2-135m-instruct}}
teachers:
  warm: {model: smol, temperature: 0.6}
  hot: {model: smol, temperature: 1.0}
meta_prover: {model: smol}
prompt: {style: steps, system: Think in numbered steps.}
search: {beam: 2, step_tokens: 8, think_tokens: 16, answer_tokens: 6}
run: {out: out, threads: 1, in_flight: 1}
END

# Options of a search that takes long: two tokens a step. (With one, all candidates of a round may be empty, which ends it.)
# shellcheck disable=SC2034 # the cases' own
long=(--set search.step_tokens=2 --set search.think_tokens=2000)

# In this recipe every final answer is 7, whatever the model says: problem one is correct, problem two is wrong.
always_seven() {
    open='"The final answer is \\\\boxed{7}, since"'
    sed -i "s/^prompt:.*/prompt: {style: steps, system: Short!, answer_open: $open}/" r.yaml
    sed -i 's/answer_tokens: 6/answer_tokens: 2/' r.yaml
}

# The rounds of a problem as `cord show` has them, without the marks of what is best so far.
rounds_of() { # RUN PROBLEM
    cord show "$1" "$2" --full 2>/dev/null | sed -n '/^Round 1$/,/^Answers$/{/^Answers$/d;s/^  [*+x ] /    /;p}'
}

# Waits until a problem of a run in the background has so many rounds in the journal, or until a minute is over.
wait_for_round() { # RUN PROBLEM NUMBER
    local i
    for ((i = 0; i < 600; i++)); do
        rounds_of "$1" "$2" | grep -q "^Round $3\$" && return
        sleep 0.1
    done
    echo "problem $2 had no round $3 within a minute"
}

# Runs a command without root's right to read and write everything.
humbly() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    else
        setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search "$@"
    fi
}
