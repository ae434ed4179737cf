"""Whether real loaders read what `cord export` writes: `make test-formats`.

    usage: check.py EXPORTS TOKENIZER.gguf TEMPLATES [--light]

EXPORTS is what scripts/formats.sh writes: formats/NAME/train.jsonl, parquet/NAME/train.parquet, split/, warnings and problems; TEMPLATES the chat templates of real models.
The tokens that carry loss are decoded, and the whole reasoning has to be among them. --light: without what needs torch, which is not counted.
The last line counts: N passed, N failed, N skipped
"""

import glob
import json
import os
import re
import sys
import tempfile

import datasets
import jinja2
import pyarrow.parquet
import tokenizer as tokenizers_of

datasets.disable_progress_bars()
exports, model, templates = sys.argv[1:4]
light = "--light" in sys.argv
counts = {"ok": 0, "FAILED": 0, "SKIP": 0, "left": 0}
# ChatML with the mark that TRL's assistant_only_loss asks for
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ m['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
PLAIN = CHATML.replace("{% generation %}", "").replace("{% endgeneration %}", "")


def check(what):
    """Runs a test at once, by its docstring's name; what it raises is a failure, unless it says that it was skipped."""

    def run(test):
        try:
            test()
            state, why = "ok", ""
        except Skip as skip:
            state, why = "SKIP", f": {skip}"
        except NeedsTorch:
            counts["left"] += 1
            return
        except Exception as error:  # every kind: they are others' programs
            state, why = "FAILED", f": {type(error).__name__}: {error}"
        counts[state] += 1
        print(f"{state:7} {what}{why}", flush=True)

    return run


class Skip(Exception):
    pass


class NeedsTorch(Exception):
    pass


def file_of(name):
    return os.path.join(exports, "formats", name, "train.jsonl")


def rows_of(name):
    with open(file_of(name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load(name):
    return datasets.load_dataset("json", data_files=file_of(name), split="train", cache_dir=cache)


responses = {row["id"]: row["messages"][1]["content"] for row in rows_of("messages")}
ids = list(responses)
reasonings = {i: re.search(r"<think>\n(.*)\n</think>", text, re.S).group(1) for i, text in responses.items()}
cache = tempfile.mkdtemp()
formats = sorted(os.path.basename(folder) for folder in glob.glob(os.path.join(exports, "formats", "*")))


def assert_learned(texts, wanted=None, others_out=True):
    """Each row's reasoning, and what follows it, is among what carries loss; its question is not."""
    assert len(texts) == len(ids), f"{len(texts)} rows of {len(ids)}"
    for i, text in zip(ids, texts):
        want = wanted[i] if wanted else responses[i].removeprefix("<think>\n")
        assert want in text, f"{i}: of {want!r} there is only {text!r}"
        assert not others_out or questions[i] not in text, f"{i}: the question carries loss"


questions = {row["id"]: row["messages"][0]["content"] for row in rows_of("messages")}

# ---- what needs no torch ---------------------------------------------------------------------------------------------

for name in formats:

    @check(f"datasets loads {name}")
    def _():
        rows, loaded = rows_of(name), load(name)
        assert len(rows) > 0 and loaded.num_rows == len(rows)
        for row, back in zip(rows, loaded):
            assert row == back, f"{row} came back as {back}"

    @check(f"pyarrow reads the same rows from cord's Parquet of {name}")
    def _():
        read = pyarrow.parquet.read_table(os.path.join(exports, "parquet", name, "train.parquet")).to_pylist()
        assert read == rows_of(name), f"{read} of {rows_of(name)}"


for folder in ("split", os.path.join("parquet", "split")):

    @check(f"datasets finds the parts of {folder} by the card")
    def _():
        found = datasets.load_dataset(os.path.join(exports, folder), cache_dir=cache)
        parts = [{row["id"] for row in found[split]} for split in found]
        assert set(found) <= {"train", "test"} and all(parts), list(found)  # a part without rows is not on the card
        assert sum(map(len, parts)) == len(ids) and set().union(*parts) == set(ids)


@check("rows hold the ids, golds and questions of their problems")
def _():
    problems = {row["id"]: row for row in map(json.loads, open(os.path.join(exports, "problems.jsonl")))}
    for row in rows_of("prompt-completion"):
        assert str(problems[row["id"]]["answer"]).split("#### ")[-1] == row["gold"]
        assert problems[row["id"]]["question"] == row["prompt"]


tok = tokenizers_of.of_gguf(model)


@check("tokens of the rendered text spell it")
def _():
    for row in rows_of("text"):
        assert tok.decode(tok.encode(row["text"]).ids, skip_special_tokens=False) == row["text"]
    for i, row in zip(ids, rows_of("text")):
        assert reasonings[i] in row["text"] and row["text"].endswith("<|im_end|>")


def render(template, messages):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = lambda message: (_ for _ in ()).throw(ValueError(message))
    return environment.from_string(template).render(
        messages=messages, bos_token="<s>", eos_token="</s>", add_generation_prompt=False
    )


@check("the rendered text is what Jinja2 renders of the messages")
def _():
    for row, text in zip(rows_of("messages"), rows_of("text")):
        assert render(PLAIN, row["messages"]).rstrip("\n") == text["text"]


@check("R1's own template loses the reasoning, as cord warns")
def _():
    with open(os.path.join(templates, "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja")) as file:
        template = file.read()
    for i, row in zip(ids, rows_of("messages")):
        assert reasonings[i] not in render(template, row["messages"])
    with open(os.path.join(exports, "r1.warning")) as file:
        assert f"{len(ids)} of {len(ids)} rows lose their reasoning" in file.read()


# ---- TRL ---------------------------------------------------------------------------------------------------------------


def heavy():
    if light:
        raise NeedsTorch
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", DISABLE_VERSION_CHECK="1", CUDA_VISIBLE_DEVICES="")
    import transformers

    transformers.logging.set_verbosity_error()
    return transformers


def real_tokenizer():
    return heavy().PreTrainedTokenizerFast(
        tokenizer_object=tok, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHATML
    )


def small_model():
    transformers = heavy()
    config = transformers.LlamaConfig(
        vocab_size=tok.get_vocab_size(), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        num_key_value_heads=1, pad_token_id=0,
    )
    return transformers.LlamaForCausalLM(config)


def learned(labels, tokenizer):
    return [tokenizer.decode([t for t in row if t >= 0], skip_special_tokens=False) for row in labels]


def trl_sft(name, **options):
    heavy()
    from trl import SFTConfig, SFTTrainer

    tokenizer = real_tokenizer()
    config = SFTConfig(output_dir=cache, report_to=[], use_cpu=True, bf16=False, **options)
    trainer = SFTTrainer(model=small_model(), args=config, train_dataset=load(name), processing_class=tokenizer)
    return learned(trainer.train_dataset["labels"], tokenizer)


@check("TRL learns the whole reasoning of messages (assistant_only_loss)")
def _():
    assert_learned(trl_sft("messages", max_length=None, assistant_only_loss=True), responses)


@check("TRL learns the whole reasoning of sharegpt, which it converts")
def _():
    assert_learned(trl_sft("sharegpt", max_length=None), responses, others_out=False)


@check("TRL learns the whole reasoning of prompt-completion")
def _():
    assert_learned(trl_sft("prompt-completion", max_length=None), responses)


@check("TRL learns the whole reasoning of rendered prompt-completion, and one end of the turn")
def _():
    texts = trl_sft("rendered", max_length=None)
    assert_learned(texts, responses)
    assert all(text.count("<|im_end|>") == 1 for text in texts)


@check("TRL learns the whole reasoning of text")
def _():
    assert_learned(trl_sft("text", max_length=None), responses, others_out=False)


@check("TRL's default length leaves out a row whose question alone is longer, in silence, as cord warns")
def _():
    heavy()
    from trl import SFTConfig

    limit = SFTConfig(output_dir=cache, report_to=[], use_cpu=True, bf16=False).max_length
    with open(os.path.join(exports, "trl.warning")) as file:
        said = re.search(r"(\d+) of \d+ rows are longer than the (\d+) tokens", file.read())
    assert said and int(said.group(2)) == limit, (said, limit)
    texts = trl_sft("messages", assistant_only_loss=True)
    assert len(texts) == len(ids) - int(said.group(1)) < len(ids), (len(texts), said.group(0))


@check("TRL cuts a trace that begins within its length, in silence")
def _():
    whole = trl_sft("messages", max_length=None, assistant_only_loss=True)
    i = ids.index("apples")
    begin = len(tok.encode(render(PLAIN, rows_of("messages")[i]["messages"][:1])).ids)
    texts = trl_sft("messages", max_length=begin + 20, assistant_only_loss=True)
    cut = max((text for text in texts if whole[i].startswith(text)), key=len)
    assert 0 < len(tok.encode(cut).ids) <= 20 and reasonings[ids[i]] not in cut, texts


def trl_dpo(name):
    heavy()
    from trl import DPOConfig, DPOTrainer

    tokenizer = real_tokenizer()
    config = DPOConfig(output_dir=cache, report_to=[], use_cpu=True, bf16=False, max_length=None)
    trainer = DPOTrainer(
        model=small_model(), ref_model=small_model(), args=config, train_dataset=load(name), processing_class=tokenizer
    )
    data = trainer.train_dataset
    return [
        {key: tokenizer.decode(row[f"{key}_ids"], skip_special_tokens=False) for key in ("prompt", "chosen", "rejected")}
        for row in data
    ]


@check("TRL's DPO has whole traces on both sides")
def _():
    rows = rows_of("dpo")
    for row, read in zip(rows, trl_dpo("dpo"), strict=True):
        assert row["prompt"][0]["content"] in read["prompt"]
        assert row["chosen"][0]["content"] in read["chosen"] and row["rejected"][0]["content"] in read["rejected"]


@check("TRL's DPO reads pairs of steps behind their rendered prefix")
def _():
    rows = rows_of("step-dpo-rendered")
    for row, read in zip(rows, trl_dpo("step-dpo-rendered"), strict=True):
        # where a token spans the boundary, TRL counts all of it to the completion, and nothing is lost
        moved = row["prompt"].removeprefix(read["prompt"])
        assert row["prompt"] == read["prompt"] + moved and not moved.strip() and "<think>" in read["prompt"], read
        for side in ("chosen", "rejected"):
            # the end of a turn behind a step is TRL's, as cord warns
            assert read[side] == moved + row[side] + "<|im_end|>", read


# ---- LLaMA-Factory -----------------------------------------------------------------------------------------------------


def llama_factory(name, template, stage, **options):
    heavy()
    try:
        from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
        from llamafactory.hparams import DataArguments, ModelArguments
        from transformers import Seq2SeqTrainingArguments
    except ImportError as error:
        raise Skip(f"LLaMA-Factory cannot be imported: {error}") from error
    tokenizer = real_tokenizer()
    data = DataArguments(dataset=name, dataset_dir=os.path.join(exports, "formats", name), template=template, **options)
    read = get_dataset(
        get_template_and_fix_tokenizer(tokenizer, data), ModelArguments(model_name_or_path="none", cache_dir=cache), data,
        Seq2SeqTrainingArguments(output_dir=cache, report_to=[], use_cpu=True), stage=stage, tokenizer=tokenizer,
    )["train_dataset"]
    return tokenizer, read


for name in ("llama-factory", "alpaca", "messages"):

    @check(f"LLaMA-Factory learns the whole reasoning of {name}, by its dataset_info.json")
    def _():
        tokenizer, read = llama_factory(name, "qwen3", "sft", cutoff_len=8192)
        assert_learned(learned(read["labels"], tokenizer), responses)


@check("LLaMA-Factory reads pairs")
def _():
    tokenizer, read = llama_factory("llama-factory-dpo", "qwen3", "rm", cutoff_len=8192)
    rows = rows_of("llama-factory-dpo")
    for side in ("chosen", "rejected"):
        for row, text in zip(rows, learned(read[f"{side}_labels"], tokenizer), strict=True):
            assert row[side]["value"] in text


@check("LLaMA-Factory without enable_thinking drops the reasoning, as docs/training.md says")
def _():
    tokenizer, read = llama_factory("llama-factory", "qwen3", "sft", cutoff_len=8192, enable_thinking=False)
    for i, text in zip(ids, learned(read["labels"], tokenizer)):
        assert reasonings[i] not in text


# ---- Axolotl -----------------------------------------------------------------------------------------------------------


def axolotl(strategy):
    heavy()
    try:
        import importlib

        from axolotl.utils.dict import DictDefault

        module = importlib.import_module(f"axolotl.prompt_strategies.{strategy}")
    except ImportError as error:
        raise Skip(f"Axolotl cannot be imported: {error}") from error
    return module, DictDefault


@check("Axolotl learns the whole reasoning of segments")
def _():
    module, Dict = axolotl("input_output")
    tokenizer = real_tokenizer()
    strategy = module.load(tokenizer, Dict({"train_on_inputs": False, "sequence_len": 8192}))
    labels = [strategy.tokenize_prompt(row)["labels"] for row in rows_of("axolotl-segments")]
    assert_learned(learned(labels, tokenizer), responses)


@check("Axolotl learns the whole reasoning of messages (chat_template)")
def _():
    module, Dict = axolotl("chat_template")
    tokenizer = real_tokenizer()
    tokenizer.chat_template = PLAIN
    config = Dict({"train_on_inputs": False, "sequence_len": 8192, "chat_template": "tokenizer_default"})
    strategy = module.load(tokenizer, config, Dict({"field_messages": "messages", "chat_template": "tokenizer_default"}))
    labels = [strategy.tokenize_prompt(row)["labels"] for row in rows_of("axolotl")]
    assert_learned(learned(labels, tokenizer), responses)


# ---- no program to try it with: the documented schema --------------------------------------------------------------------


def has(row, shape):
    """Whether a value has the shape of another: the same members, and the same kinds."""
    if isinstance(shape, dict):
        return isinstance(row, dict) and set(row) == set(shape) and all(has(row[key], shape[key]) for key in shape)
    if isinstance(shape, list):
        return isinstance(row, list) and len(row) > 0 and all(has(value, shape[0]) for value in row)
    return isinstance(row, shape)


MESSAGE = {"role": str, "content": str}
SCHEMAS = {
    "ms-swift": {"messages": [MESSAGE]},
    "ms-swift-dpo": {"messages": [MESSAGE], "rejected_response": str},
    "verl": {
        "data_source": str, "prompt": [MESSAGE], "ability": str, "reward_model": {"style": str, "ground_truth": str},
        "extra_info": {"split": str, "index": int, "id": str, "question": str, "answer": str}, "messages": [MESSAGE],
    },
    "step-dpo": {
        key: str
        for key in ("dataset", "prompt", "initial_reason_steps", "chosen", "rejected", "full_chosen", "full_rejected", "answer")
    },
    "prm": {"prompt": str, "completions": [str], "labels": [bool]},
    "math-shepherd": {"input": str, "label": str, "task": str},
}

for name, schema in SCHEMAS.items():

    @check(f"{name} has the documented schema")
    def _():
        for row in rows_of(name):
            row = {key: row[key] for key in row if key not in ("id", "gold", "provenance")}
            assert has(row, schema), row


@check("labels stand where scores are predicted")
def _():
    for row, steps in zip(rows_of("math-shepherd"), rows_of("prm"), strict=True):
        assert len(steps["labels"]) == len(steps["completions"]) == row["input"].count(" ки")
        assert [mark == "+" for mark in re.findall(r" ([+-])(?=\nStep \d+: |$)", row["label"])] == steps["labels"]


if counts["left"]:
    print(f"left to make test-formats, and not counted: {counts['left']} checks that need torch")
print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['SKIP']} skipped")
sys.exit(1 if counts["FAILED"] else 0)
