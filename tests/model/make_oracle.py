#!/usr/bin/env python3
"""make_oracle.py NAME=MODEL... > oracle.jsonl: the values that test_model_oracle.c compares cord's scores with.

MODEL is the GGUF file of that name in models/manifest.tsv (its weights are dequantised to F32, which needs the packages
torch, transformers and gguf) or a Hugging Face folder made from it. Everything is computed by transformers in F32, one
row at a time, nothing cached, nothing batched, log-softmax in double, so nothing of llama.cpp takes part. The frozen file
was made with both models of the tests, transformers 5 and torch 2 on a CPU.

One row of text, and below each model's name: the ids of the tokens whose characters overlap the target in
prefix + target + suffix, the log-probability of each, and score = exp(mean) (eq. 3). Special tokens are parsed, nothing is
added. The rows are our own. Two things are kept out of them because the tokenizers of transformers and llama.cpp are known
to differ there: two blanks before a digit (SmolLM2), and characters in decomposed form (Qwen's normaliser composes them).
"""
import json
import math
import os
import sys

SYSTEM = "You are a careful tutor. Reason in short numbered steps, each headed ### Step N., inside <think> </think>."


def chat(question, reasoning, system=SYSTEM):
    return (f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n"
            f"<|im_start|>assistant\n<think>\n{reasoning} </think> The final answer is ")


# (prefix, targets): every target is scored after the same prefix and, but where a row says otherwise, before "."
CONTEXTS = [
    (chat("Nora fills 6 jars with 14 pickles each and gives away 19 pickles. How many pickles are left?",
          "### Step 1. The jars hold 6 * 14 = 84 pickles.\n\n### Step 2. After giving away 19, 84 - 19 = 65 are left."),
     ["65", "84", "103", "sixty-five pickles", "\\boxed{65}"]),
    (chat("Nora fills 6 jars with 14 pickles each and gives away 19 pickles. How many pickles are left?",
          "### Step 1. The jars hold 6 * 14 = 72 pickles."), ["65", "53", "84"]),
    (chat("Nora fills 6 jars with 14 pickles each and gives away 19 pickles. How many pickles are left?", ""),
     ["65", "53", "1"]),
    (chat("A train leaves at 9:40 and arrives at 13:05. How many minutes does the trip take?",
          "### Step 1. From 9:40 to 13:00 there are 3 hours and 20 minutes, which is 200 minutes.\n\n"
          "### Step 2. Five more minutes make 205."), ["205", "205 minutes", "3 hours 25 minutes", "195"]),
    (chat("A shop sells a coat for $1,080.00 after a discount of 10%. What was the price before?",
          "### Step 1. 90% of the price is $1,080.00.\n\n### Step 2. The price is 1080 / 0.9 = 1200."),
     ["$1,200.00", "1200", "$1,200", "1,188"]),
    (chat("What fraction of an hour is 45 minutes?", "### Step 1. 45/60 can be reduced by 15.\n\n### Step 2. 45/60 = 3/4."),
     ["3/4", "0.75", "75%", "\\frac{3}{4}"]),
    (chat("Ali says: type <b>42</b> & press \"Enter\". What number does he want?",
          "### Step 1. The number stands between the tags: 42."), ["42", "<b>42</b>", "24"]),
    ("Question: Mia reads 12 pages a day for 9 days. The book has 150 pages. How many pages remain?\n"
     "Answer: She reads 12 * 9 = 108 pages, so 150 - 108 = 42 pages remain. The final answer is ",
     ["42", "42 pages", "108", "forty-two"]),
    ("Question: Mia reads 12 pages a day for 9 days. The book has 150 pages. How many pages remain?\n"
     "Answer: She reads 12 * 9 = 108 pages, so 150 - 108 = 42 pages remain. The final answer is",
     [" 42", " 42 pages", " 108"]),
    ("Q: Three friends share 51 marbles equally. How many does each get?\nA: 51 / 3 = 17. #### ", ["17", "51", "3"]),
    ("Q: A tank loses 2.5 litres an hour. How much is lost in 8 hours?\nA: 2.5 * 8 = 20, so it loses ",
     ["20 litres", "20", "twenty litres", "2.5"]),
    ("def area(width, height):\n    \"\"\"The area of a rectangle.\"\"\"\n    return ",
     ["width * height", "height * width", "width + height"]),
    ("for (int i = 0; i < n; i++) sum += values[", ["i", "i + 1", "n"]),
    ("The quadratic x^2 - 5x + 6 = 0 factors as (x - 2)(x - 3), so its roots are x = ", ["2 and x = 3", "2", "-2 and x = -3"]),
    ("Die Hauptstadt von Österreich ist ", ["Wien", "Graz", "Zürich"]),
    ("Le café coûte 3 € et le thé coûte 2 €. Ensemble ils coûtent ", ["5 €", "6 €", "cinq euros"]),
    ("中国的首都是", ["北京", "上海", "北京市"]),
    ("日本で一番高い山は", ["富士山", "北岳", "ふじさん"]),
    ("Столица России — ", ["Москва", "Киев", "город Москва"]),
    ("Ο αριθμός π είναι περίπου ", ["3,14", "3,14159", "2,72"]),
    ("Weather today ☀️, tomorrow 🌧️. Mood: ", ["😀", "🙂🙂", "☀️", "🤷🏽‍♀️"]),
    ("∑ of the angles in a triangle is 180°, so if α = 60° and β = 70°, then γ = ", ["50°", "180°", "60°"]),
    ("<|im_start|>user\nSay hello in Spanish.<|im_end|>\n<|im_start|>assistant\n",
     ["Hola", "¡Hola!", "Hello", "Hola<|im_end|>"]),
    ("The list is [1, 2, 3, 5, 8, 13, ", ["21", "21, 34", "14"]),
    (chat("A farm has 3 barns. Each barn has 4 rows of 25 hens. A fox scares off a tenth of all hens, and half of those come "
          "back in the evening. How many hens are on the farm that night?",
          "### Step 1. One barn has 4 * 25 = 100 hens, because four rows of twenty-five make one hundred.\n\n"
          "### Step 2. Three barns have 3 * 100 = 300 hens altogether before the fox comes.\n\n"
          "### Step 3. A tenth of 300 is 30, so the fox scares off 30 hens and 270 stay where they are.\n\n"
          "### Step 4. Half of the 30 hens come back, which is 15 hens.\n\n"
          "### Step 5. Let me check: 300 - 30 = 270, and 270 + 15 = 285. Another way: 300 - 15 = 285, because in the end "
          "only 15 hens are missing. Both ways agree.\n\n### Step 6. So there are 285 hens on the farm that night."),
     ["285", "270", "285 hens", "300"]),
    ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 "
     "43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 "
     "82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 ", ["99", "99 100", "98"]),
]

# rows with another suffix: none, one that merges with the target's last token or not, one that is longer than the target
OTHERS = [
    ("Answer: she has ", "1", "0."), ("Answer: she has ", "1", "0 apples left"), ("Answer: she has ", "10", ""),
    ("The word is ", "straw", "berry"), ("The word is ", "in", "ternational."), ("The final answer is ", "42", ""),
    ("The final answer is ", "42", "\n"), ("The final answer is ", "x", "^2"), ("if (a", " ==", " b)"),
    ("One, two, ", "three", ", four, five, six."), ("Letters: A", "B", "C"), ("\n\n", "###", " Step 1."),
]

ROWS = [(prefix, target, ".") for prefix, targets in CONTEXTS for target in targets] + OTHERS


def load(path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    where, more = (os.path.dirname(path), {"gguf_file": os.path.basename(path)}) if path.endswith(".gguf") else (path, {})
    tokenizer = AutoTokenizer.from_pretrained(where, **more)
    return tokenizer, AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32, **more).eval()


def measure(tokenizer, model, prefix, target, suffix):
    import torch
    begin, end = len(prefix), len(prefix) + len(target)
    encoded = tokenizer(prefix + target + suffix, return_offsets_mapping=True, add_special_tokens=False)
    ids = encoded["input_ids"]
    at = [i for i, (a, b) in enumerate(encoded["offset_mapping"]) if b > begin and a < end]
    assert at[0] > 0, "nothing stands before the target"
    with torch.no_grad():
        logprobs = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
    values = [logprobs[i - 1, ids[i]].item() for i in at]
    return {"ids": [ids[i] for i in at], "logprobs": [round(v, 6) for v in values],
            "score": round(math.exp(sum(values) / len(values)), 8)}


def main():
    rows = [{"prefix": p, "target": t, "suffix": s} for p, t, s in ROWS]
    for argument in sys.argv[1:]:
        name, _, path = argument.partition("=")
        tokenizer, model = load(path)
        for i, row in enumerate(rows):
            row[name] = measure(tokenizer, model, row["prefix"], row["target"], row["suffix"])
            print(f"{name}: {i + 1} of {len(rows)}", file=sys.stderr)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


main()
