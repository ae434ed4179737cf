#!/usr/bin/env python3
"""The search that cord runs, as one would write it today: a plain script that drives llama-server over HTTP.

    bench/http_baseline.py --server LLAMA-SERVER --teacher MODEL.gguf [--teacher ...] --meta MODEL.gguf PROBLEMS.jsonl

It starts one llama-server a model, runs CoRD (docs/method.md: prompt-guided steps, beam B, K teachers, S of eq. 3, answers)
over the problems, stops the servers, and prints one line of JSON: seconds a problem, split; tokens written and read; rounds;
accuracy of the best trajectories. Options are named as a recipe's keys; their defaults are recipes/demo.yaml's. Prompts are
written in ChatML, so the models must speak it. Left out, in the baseline's favour: S_0, the journal, and anything about
failures; texts are seeded by the servers, since no seed makes a busy server repeat itself.
"""
import argparse, concurrent.futures, dataclasses, itertools, json, math, os, random, re, signal, socket, subprocess
import sys, tempfile, time, urllib.error, urllib.request

FLAGS = "-fa off --no-webui --kv-unified --no-cache-idle-slots"
SYSTEM = ("You solve problems step by step. First think inside <think> </think>, in short numbered steps. Begin every step "
          "with the heading ### Step N. where N is its number, and do one thing in it. When you have the answer, close the "
          "thinking with </think>. Then write the final answer as \\boxed{answer}.")
TURN = "assistant\n<think>\n"


class Server:
    """A llama-server with one model."""

    def __init__(self, options, model, slots, slot_tokens):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url, self.log = f"http://127.0.0.1:{port}/", tempfile.TemporaryFile()
        command = [options.server, "-m", model, "--host", "127.0.0.1", "--port", str(port), "-t", str(options.threads),
                   "-np", str(slots), "-c", str(slots * slot_tokens), *(options.flags or FLAGS).split()]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)

    def wait(self):
        while self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url + "health").close()
                self.start, self.end = (self.tokens(t, True)[0] for t in ("<|im_start|>", "<|im_end|>"))
                return
            except OSError:  # it does not listen yet, or answers 503: it loads the model
                time.sleep(0.1)
        self.log.seek(0)
        sys.exit(f"http_baseline: llama-server ended; its last words:\n{self.log.read().decode(errors='replace')[-2000:]}")

    def post(self, path, **body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as reply: return json.load(reply)
        except urllib.error.HTTPError as error:
            sys.exit(f"http_baseline: llama-server: {error.read().decode(errors='replace')}")

    def tokens(self, text, special=False, **more):
        return self.post("tokenize", content=text, parse_special=special, **more)["tokens"]

    def head(self, question):
        """The prompt up to the assistant's turn. Special tokens are put in by hand: what a question says is never one."""
        newline = self.tokens("\n")
        return [self.start, *self.tokens("system\n" + SYSTEM), self.end, *newline,
                self.start, *self.tokens("user\n" + question), self.end, *newline, self.start]


@dataclasses.dataclass(eq=False)
class Trajectory:
    problem: "Problem"
    text: str = ""
    steps: int = 0
    tokens: int = 0  # of the text, in the meta-prover's tokens
    score: float = math.nan  # log S
    cut: bool = False  # the last step came to its limit: the next round goes on with it
    finished: bool = False
    author: int = -1  # teacher of the last step
    parent: "Trajectory" = None

    def opened(self):
        return self.text if self.cut else self.text + "\n\n" * bool(self.text) + f"### Step {self.steps + 1}."

    def extended(self, k, reply):
        """What a teacher's reply makes of it, or None where that is nothing."""
        step, cut = reply["content"], reply["stop_type"] == "limit"
        ends = reply["stop_type"] == "eos" or reply["stopping_word"] == "</think>"
        step = step if cut else step.rstrip()
        empty = not step.strip() if self.cut else not re.search(r"\w", re.sub(r"^\W*\d*", "", step))
        if empty and ends and self.parent: return dataclasses.replace(self, finished=True, author=k, parent=self)
        if empty and (cut or not self.cut) or degenerate(step): return None
        return Trajectory(self.problem, self.opened() + step, self.steps + (not self.cut), cut=cut, finished=ends, author=k,
                          parent=self)


class Problem:
    def __init__(self, row, servers):
        answer = row["answer"].strip()
        boxed = re.findall(r"\\boxed\{(.*)\}", answer)
        self.gold = answer.split("####")[-1].strip() if "####" in answer else boxed[-1] if boxed else answer
        self.heads = {server: server.head(row["question"]) for server in servers}
        self.beam, self.rounds, self.correct = [Trajectory(self)], 0, False


class Search:
    def __init__(self, options, teachers, meta):
        self.o, self.teachers, self.meta = options, teachers, meta
        self.pool = concurrent.futures.ThreadPoolExecutor(64)
        self.seconds, self.written, self.read = (dict.fromkeys(("propose", "score", "answer"), 0) for _ in range(3))

    def complete(self, stage, asks):
        """For each of the asks (server, prompt as tokens, settings) its completions. Prompts of equal settings go in one
        request: those that come one by one are decoded in narrow batches until the last is there, and scoring takes half
        as long again. And one server works at a time: two that share the cores write less together than in turn. With
        --plain each prompt is a request of its own, and waits for the one before."""
        start, groups, replies = time.monotonic(), {}, [[]] * len(asks)
        for i, (server, _, settings) in enumerate(asks):
            groups.setdefault(server, {}).setdefault(i if self.o.plain else json.dumps(settings), []).append(i)
        for server, by_settings in groups.items():
            post = lambda of: server.post("completion", prompt=[asks[i][1] for i in of], cache_prompt=True, **asks[of[0]][2])
            for of, got in zip(by_settings.values(), (map if self.o.plain else self.pool.map)(post, by_settings.values())):
                got = sorted(got, key=lambda reply: reply["index"]) if isinstance(got, list) else [got]
                each = len(got) // len(of)  # completions of one prompt; that was read once
                self.read[stage] += sum(reply["timings"]["prompt_n"] for reply in got[::each])
                self.written[stage] += sum(reply["tokens_predicted"] for reply in got)
                for at, i in enumerate(of): replies[i] = got[at * each:(at + 1) * each]
        self.seconds[stage] += time.monotonic() - start
        return replies

    def propose(self, problems):
        """B x K candidates for each problem, without those that say nothing, or what a sibling says."""
        jobs = [(t, k) for p in problems for t in p.beam if not t.finished for k in range(len(self.teachers))]
        asks = [(server := self.teachers[k], t.problem.heads[server] + server.tokens(TURN + t.opened()),
                 dict(n_predict=min(self.o.step_tokens, self.o.think_tokens - t.tokens), stop=["### Step", "</think>"],
                      n_cmpl=1 if t.parent else self.o.beam, temperature=self.o.temperature, top_p=self.o.top_p,
                      top_k=self.o.top_k, samplers=["top_k", "temperature", "top_p"])) for t, k in jobs]
        new = [t.extended(k, reply) for (t, k), replies in zip(jobs, self.complete("propose", asks)) for reply in replies]
        random.shuffle(new)  # of siblings that say the same any may stay
        return list({(c.parent, c.text.rstrip(), math.isnan(c.score)): c for c in new if c}.values())

    def score(self, candidates):
        """Eq. 3. One request for each token of the answer, which is forced: the log-probability in the reply is that before
        the bias. (A grammar of token ids forces all of them in one request, and takes as long.)"""
        forced = {}  # of each candidate: its prompt, and the answer's tokens, found by bytes
        # what the meta-prover wrote itself lies in a slot's cache: it comes first, so that no other text takes that slot
        for c in sorted(candidates, key=lambda c: self.teachers[c.author] is not self.meta):
            before = (TURN + c.text.rstrip()).encode()
            opening, gold = before + b" </think> The final answer is ", c.problem.gold.encode()
            prompt, at, c.tokens, answer = c.problem.heads[self.meta][:], 0, 0, []
            for token in self.meta.tokens((opening + gold + b".").decode(), with_pieces=True):
                piece = token["piece"]
                begin, at = at, at + len(piece.encode() if isinstance(piece, str) else piece)
                c.tokens += len(TURN) <= begin < len(before)
                if at <= len(opening): prompt.append(token["id"])
                elif begin < len(opening + gold): answer.append(token["id"])
            forced[c] = prompt, answer
            c.score, c.finished = 0, c.finished or c.tokens >= self.o.think_tokens
        for m in itertools.count():
            some = [c for c in forced if m < len(forced[c][1])]
            if not some: break
            asks = [(self.meta, forced[c][0] + forced[c][1][:m],
                     dict(n_predict=1, temperature=0, n_probs=1, logit_bias=[[forced[c][1][m], 10000]])) for c in some]
            for c, (reply,) in zip(some, self.complete("score", asks)):
                token, = reply["completion_probabilities"]
                assert token["id"] == forced[c][1][m]
                c.score += token["logprob"] / len(forced[c][1])

    def select(self, problem, candidates):
        """Eq. 4. Where no candidate is left, the parents are finished as they stand."""
        problem.rounds += 1
        stand = [t for t in problem.beam if t.finished] + candidates
        if not candidates: stand = [dataclasses.replace(t, finished=True) for t in problem.beam if t.parent]
        problem.beam = sorted(stand, key=lambda t: (-t.score, random.random()))[:self.o.beam]

    def answer(self, problems):
        jobs = [t for p in problems for t in p.beam]
        asks = [(server := self.teachers[t.author], t.problem.heads[server] + server.tokens(
                    TURN + t.text.rstrip() + "\n</think>\n\nThe final answer is \\boxed{"),
                 dict(n_predict=self.o.answer_tokens, temperature=0)) for t in jobs]
        for t, (reply,) in zip(jobs, self.complete("answer", asks)):
            if t is t.problem.beam[0]: t.problem.correct = value(boxed(reply["content"])) == value(t.problem.gold)

    def run(self, rows):
        """`in_flight` problems at a time, round by round together, so that the servers' batches are full."""
        waiting, active, done = rows[:], [], []
        while waiting or active:
            while waiting and len(active) < self.o.in_flight:
                active.append(Problem(waiting.pop(0), {*self.teachers, self.meta}))
            candidates = self.propose(active)
            self.score([c for c in candidates if math.isnan(c.score)])
            for p in active: self.select(p, [c for c in candidates if c.problem is p])
            ended = [p for p in active if all(t.finished for t in p.beam)]
            self.answer(ended)
            active, done = [p for p in active if p not in ended], done + ended
        return done


def degenerate(step):
    """One line four times in a row, one character or phrase over and over: about what cord drops."""
    lines = [line.strip() for line in step.split("\n") if line.strip()]
    return any(len(set(lines[i:i + 4])) == 1 for i in range(len(lines) - 3)) or bool(
        re.search(r"(\S)\1{63}|(\b\w.{0,60}?)(\s*\2){7}", step))


def boxed(text):
    """What stands before the brace that closes a box."""
    depth = list(itertools.accumulate(((c == "{") - (c == "}") for c in text), initial=1))
    return text[:depth.index(0) - 1] if 0 in depth else ""


def value(text):
    """A number, or a text without what only presents it."""
    text = re.sub(r"\\(text|mathrm)\{.*?\}|\\[!,; ]|[\\$%,\s]", "", text).rstrip(".")
    try: return float(text)
    except ValueError: return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", help='JSONL: {"question": ..., "answer": ...}')
    parser.add_argument("--server", required=True, help="path of llama-server")
    parser.add_argument("--teacher", required=True, action="append", help="path of a GGUF; once for each teacher")
    parser.add_argument("--meta", required=True, help="path of the meta-prover's GGUF")
    for name, default in dict(skip=0, limit=1, in_flight=1, threads=os.cpu_count(), beam=2, step_tokens=256, think_tokens=640,
                              answer_tokens=64, temperature=0.6, top_p=0.95, top_k=0, flags="").items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    parser.add_argument("--plain", action="store_true", help="one request at a time, as in a loop")
    options = parser.parse_args()
    with open(options.problems, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()][options.skip:][:options.limit]

    if not rows: sys.exit(f"http_baseline: no problem of {options.problems} is left; see --skip and --limit")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    servers, room = {}, 512 + options.think_tokens + options.step_tokens + options.answer_tokens
    try:
        for model in dict.fromkeys([*options.teacher, options.meta]):
            wide = len(options.teacher) if model == options.meta else options.teacher.count(model)
            servers[model] = Server(options, model, options.in_flight * options.beam * wide, room)
        for server in servers.values(): server.wait()
        search = Search(options, [servers[model] for model in options.teacher], servers[options.meta])
        start = time.monotonic()
        done = search.run(rows)
        elapsed = time.monotonic() - start
    finally:
        for server in servers.values():
            server.process.kill()
            server.process.wait()
    n = len(done)
    per = lambda numbers: {stage: round(number / n, 2) for stage, number in numbers.items()}
    print(json.dumps({"problems": n, "seconds": round(elapsed / n, 2), "seconds_of": per(search.seconds),
                      "tokens_written": per(search.written), "tokens_read": per(search.read),
                      "rounds": sum(p.rounds for p in done) / n, "accuracy": sum(p.correct for p in done) / n}))


if __name__ == "__main__": main()
