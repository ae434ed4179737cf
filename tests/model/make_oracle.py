#!/usr/bin/env python3
"""make_oracle.py NAME=MODEL... > oracle.jsonl: the values that test_model_oracle.c compares cord's scores with.

MODEL is the GGUF file of that name in models/manifest.tsv (its weights are dequantised to F32, which needs the packages
torch, transformers and gguf) or a Hugging Face folder made from it. Everything is computed by transformers in F32, one
row at a time, nothing cached, nothing batched, log-softmax in double, so nothing of llama.cpp takes part. The frozen file
was made with both models of the tests, transformers 5 and torch 2 on a CPU, OMP_NUM_THREADS=2: how many threads add up
moves a value by up to 0.00015.

One row of text, and below each model's name: the ids of the tokens whose characters overlap the target in
prefix + target + suffix, the log-probability of each, and score = exp(mean) (eq. 3). Special tokens are parsed, nothing is
added. The rows are our own. Two things are kept out of them because the tokenizers of transformers and llama.cpp are known
to differ there: two blanks before a digit (SmolLM2), and characters in decomposed form (Qwen's normaliser composes them).
"""
import json
import math
import os
import re
import sys
import unicodedata

SYSTEM = "You are a careful tutor. Reason in short numbered steps, each headed ### Step N., inside <think> </think>."


def chat(question, reasoning, system=SYSTEM):
    return (f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n"
            f"<|im_start|>assistant\n<think>\n{reasoning} </think> The final answer is ")


LONG_SCHOOL = (
    "### Step 1. First I find the number of pupils. There are 8 classes, and each of them has 27 pupils. I can take 8 * 27 "
    "apart: 8 * 20 = 160 and 8 * 7 = 56, and 160 + 56 = 216. So the school has 216 pupils.\n\n"
    "### Step 2. Every pupil borrows 3 books in March, so the number of books borrowed is 216 * 3. That is 200 * 3 = 600 and "
    "16 * 3 = 48, together 648 books.\n\n"
    "### Step 3. A ninth of the books come back late. 648 / 9: nine times 70 is 630, and 18 are left, which is two more "
    "nines. So 648 / 9 = 72 books are late.\n\n"
    "### Step 4. Wait, I should check that a ninth of all books is meant, and not a ninth of the pupils. The text says "
    "\"a ninth of all the books borrowed\", so it is the books. A ninth of the pupils would be 216 / 9 = 24, each with 3 "
    "books, which makes 72 books again, so both readings agree.\n\n"
    "### Step 5. For each late book the fine is 50 cents. 72 * 50 cents = 3600 cents. Since a dollar has 100 cents, these "
    "are 3600 / 100 = 36 dollars.\n\n"
    "### Step 6. Another way to see it: two late books make one dollar, and 72 late books are 36 pairs, so 36 dollars are "
    "paid in fines.")

LONG_EGGS = (
    "### Schritt 1. Drei Viertel von 240 Eiern sind 240 * 3/4 = 180 Eier. Ein Viertel sind nämlich 60 Eier, und dreimal 60 "
    "ergibt 180.\n\n"
    "### Schritt 2. Für diese 180 Eier bekommt er je 30 Cent, also 180 * 30 = 5400 Cent. Das sind 54 Euro.\n\n"
    "### Schritt 3. Übrig bleiben 240 - 180 = 60 Eier. Davon zerbrechen 12, es sind also noch 60 - 12 = 48 Eier, die er "
    "verkaufen kann.\n\n"
    "### Schritt 4. Für die 48 Eier bekommt er je 25 Cent. Vier Eier kosten zusammen einen Euro, und 48 / 4 = 12, also sind "
    "das 12 Euro.\n\n"
    "### Schritt 5. Zusammen nimmt er 54 Euro und 12 Euro ein. Ich prüfe noch einmal in Cent: 5400 + 1200 = 6600 Cent, und "
    "6600 Cent sind 66 Euro. Die zerbrochenen Eier bringen nichts ein und kosten ihn auch nichts.")

LONG_GARDEN = (
    "### Step 1. Let the width of the path be $w$ metres. The path runs around the garden outside, so it adds $w$ on both "
    "sides. Garden and path together are a rectangle with length $18 + 2w$ and width $12 + 2w$.\n\n"
    "### Step 2. The area of that rectangle is $(18 + 2w)(12 + 2w)$, and it should be $400$. Let me multiply out: "
    "$18 \\cdot 12 = 216$, $18 \\cdot 2w = 36w$, $2w \\cdot 12 = 24w$, and $2w \\cdot 2w = 4w^2$. So "
    "$$4w^2 + 60w + 216 = 400.$$\n\n"
    "### Step 3. Hmm, before I go on, let me see whether that can be right. With $w = 0$ the area is $216$, which is the "
    "garden alone: 18 times 12 is 216. Good. With $w = 2$ it is $22 \\cdot 16 = 352$, which is too small. With $w = 3$ it is "
    "$24 \\cdot 18 = 432$, which is too large. So the width lies between 2 and 3 metres, and it need not be a whole "
    "number.\n\n"
    "### Step 4. I subtract $400$ on both sides and divide by $4$: $$w^2 + 15w - 46 = 0.$$ The quadratic formula gives "
    "$$w = \\frac{-15 \\pm \\sqrt{15^2 + 4 \\cdot 46}}{2} = \\frac{-15 \\pm \\sqrt{225 + 184}}{2} = "
    "\\frac{-15 \\pm \\sqrt{409}}{2}.$$\n\n"
    "### Step 5. The root of 409 is a little more than 20, because $20^2 = 400$. More exactly, $20.2^2 = 408.04$ and "
    "$20.23^2 = 409.2529$, so $\\sqrt{409} \\approx 20.22$. The negative sign would give a negative width, which makes no "
    "sense, so $w \\approx (20.22 - 15) / 2 = 2.61$.\n\n"
    "### Step 6. Let me check: $18 + 2 \\cdot 2.61 = 23.22$ and $12 + 2 \\cdot 2.61 = 17.22$, and $23.22 \\cdot 17.22 "
    "\\approx 399.85$. That is close to 400, and the small difference comes from rounding.\n\n")


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
    # numbers
    ("The speed of light is 299,792,458 metres per second. As a power of ten that is about ",
     ["3 × 10^8", "300,000,000"]),
    ("2 + 2 = 4\n3 + 3 = 6\n4 + 4 = ", ["8", "-8"]),
    ("Temperatures this week: -3, -1, 1, 3, ", ["5", "-5"]),
    ("7! = 5,040, and 8! = ", ["40,320", "40320"]),
    ("0.1 + 0.2 = 0.30000000000000004 in floating point, but exactly it is ", ["0.3", "0.30"]),
    ("XIX is 19, XX is ", ["20", "twenty"]),
    # fractions
    ("1/2 + 1/3 = 3/6 + 2/6 = ", ["5/6", "6/5"]),
    ("A cake needs 2 1/2 cups of flour. Two cakes need ", ["5", "5 cups"]),
    ("Half of 3/4 is ", ["3/8", "6/4"]),
    # units
    ("Water boils at 100 °C, which is ", ["212 °F", "373 K"]),
    ("A car goes 90 km in 1.5 h, so its speed is 90 km / 1.5 h = ", ["60 km/h", "60"]),
    ("On earth g ≈ 9.81 ", ["m/s²", "m/s^2"]),
    ("5 µm are 0.005 ", ["mm", "µm"]),
    # LaTeX
    ("The roots of $x^2 = 8$ are $x = \\pm ", ["2\\sqrt{2}", "\\sqrt{8}"]),
    ("By the quadratic formula, $x = ", ["\\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}", "\\frac{b}{a}"]),
    ("\\sum_{k=1}^{n} k = ", ["\\frac{n(n+1)}{2}", "n^2"]),
    ("The solution set is $\\left[ 0, \\infty \\right)$, that is, all ", ["$x \\ge 0$", "x >= 0"]),
    ("\\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix} is called the ", ["identity matrix", "zero matrix"]),
    # code
    ("def factorial(n):\n    if n == 0:\n        return 1\n    return ", ["n * factorial(n - 1)", "factorial(n)"]),
    ("SELECT name FROM users WHERE age > 30 ORDER BY ", ["name", "age DESC"]),
    ("#include <stdio.h>\n\nint main(void)\n{\n\tprintf(\"", ["Hello, world!\\n", "%d\\n"]),
    ("{\"name\": \"Ada\", \"age\": 36, \"languages\": [", ["\"C\"", "\"Python\", \"C\""]),
    ("$ ls -l | grep '\\.txt$' | wc -", ["l", "c"]),
    ("let mut total = 0;\nfor x in &values {\n    total += ", ["x", "*x"]),
    ("<ul>\n  <li>one</li>\n  <li>", ["two</li>", "two"]),
    ("assert re.match(r\"^\\d{3}-\\d{4}$\", \"", ["555-1234", "abc"]),
    # other languages
    ("La capital de Francia es ", ["París", "la ciudad de París"]),
    ("Il triplo di 14 è ", ["42", "quarantadue"]),
    ("Trzy razy cztery to ", ["dwanaście", "12"]),
    ("Türkiye'nin başkenti ", ["Ankara", "İstanbul"]),
    ("عاصمة مصر هي ", ["القاهرة", "الإسكندرية"]),
    ("בירת צרפת היא ", ["פריז", "העיר פריז"]),
    ("भारत की राजधानी ", ["नई दिल्ली", "मुंबई"]),
    ("대한민국의 수도는 ", ["서울", "부산"]),
    ("Thủ đô của Việt Nam là ", ["Hà Nội", "thành phố Hà Nội"]),
    ("เมืองหลวงของประเทศไทยคือ", ["กรุงเทพมหานคร", "กรุงเทพฯ"]),
    ("7 乘以 8 等于", ["56", "五十六"]),
    # emoji: flags, families, keycaps
    ("👍 means yes, 👎 means ", ["no", "👎"]),
    ("Flags: France 🇫🇷, Japan 🇯🇵, Germany ", ["🇩🇪", "🇫🇷"]),
    ("A family of four: ", ["👨‍👩‍👧‍👦", "two 👧👧"]),
    ("Rated ⭐⭐⭐", ["⭐", "⭐⭐"]),
    ("1️⃣ 2️⃣ 3️⃣ ", ["4️⃣", "5️⃣"]),
    # short chats; the target may hold the template's own tokens
    ("<|im_start|>user\nHow many legs have 7 spiders?<|im_end|>\n<|im_start|>assistant\n<think>\n### Step 1. 7 * 8 = 56. "
     "</think> The final answer is ", ["56", "\\boxed{56}", "49"]),
    ("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nName a colour.<|im_end|>\n<|im_start|>assistant\n",
     ["Blue", "<|im_end|>", "Blue<|im_end|>\n<|im_start|>user\n"]),
    # choices and names
    ("Is 91 a prime number? 91 = 7 * 13, so the answer is ", ["no", "yes"]),
    ("What is 3 * 5? (A) 12 (B) 15 (C) 18. The right choice is (", ["B", "A"]),
    ("Anna is taller than Ben, and Ben is taller than Cem. The tallest is ", ["Anna", "nobody"]),
    # long targets, likely and unlikely
    ("Counting in words: one, two, three, four, ",
     ["five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen, seventeen, eighteen, "
      "nineteen, twenty, twenty-one, twenty-two, twenty-three, twenty-four, twenty-five",
      "five, seven, six, nine, eight"]),
    ("a b c d e f g ", ["h i j k l m n o p q r s t u v w x y z", "z y x w v u t s"]),
    ("ha ha ha ha ha ha ha ha ", ["ha ha ha ha ha ha", "ho"]),
    ("The password is ", ["xq7#Lp!v", "0000", "not to be told to anybody, least of all to you"]),
    ("The miller had an old donkey. ",
     ["One morning the donkey refused to carry the flour to the market, so the miller's daughter sang to it until it walked "
      "again. From that day on she went along, and people on the road knew by her song that bread would be cheap that week. "
      "When the donkey died, she planted a pear tree where its stable had been, and its fruit was the sweetest in the "
      "valley.",
      "Stable carry donkey the until of bread which pear; seven blue however. Not an if the song valley is be."]),
    # long reasonings
    (chat("A school has 8 classes of 27 pupils. Every pupil borrows 3 books in March, and a ninth of all the books borrowed "
          "come back late. The fine is 50 cents for each late book. How many dollars are paid in fines?", LONG_SCHOOL),
     ["36"]),
    (chat("Ein Bauer hat 240 Eier. Er verkauft drei Viertel davon zu je 30 Cent und den Rest, nachdem 12 Eier zerbrochen "
          "sind, zu je 25 Cent. Wie viel nimmt er ein?", LONG_EGGS), ["66 Euro", "54 Euro"]),
    (chat("A rectangular garden is 18 m long and 12 m wide. A path of the same width everywhere runs around it outside, and "
          "garden and path together cover 400 square metres. How wide is the path?", LONG_GARDEN),
     ["2.61 m"]),
]

# rows with another suffix: none, one that merges with the target's last token or not, one that is longer than the target
OTHERS = [
    ("Answer: she has ", "1", "0."), ("Answer: she has ", "1", "0 apples left"), ("Answer: she has ", "10", ""),
    ("The word is ", "straw", "berry"), ("The word is ", "in", "ternational."), ("The final answer is ", "42", ""),
    ("The final answer is ", "42", "\n"), ("The final answer is ", "x", "^2"), ("if (a", " ==", " b)"),
    ("One, two, ", "three", ", four, five, six."), ("Letters: A", "B", "C"), ("\n\n", "###", " Step 1."),
    # the target begins or ends inside a token, or would in other company
    ("The word is inter", "nation", "al."), ("She is un", "believ", "able."), ("A water", "mel", "on"),
    ("Plants live by photo", "synth", "esis."), ("He was born in 19", "84", " in May."), ("3.", "14", "159"),
    ("\\fr", "ac{1}", "{2}"), ("snake_", "case", "_name = None"), ("document.get", "Element", "ById('x')"),
    ("https", "://", "example.org"), ("Don", "'", "t stop"), ("They don", "'t", " stop"), ("M", "ün", "chen"),
    ("日本", "語", "の本"), ("🙂", "🙂", "🙂🙂"), ("f((((", "((", "(("), ("Title\n=====", "=====", "=="),
    ("The price is $", "1,000", ".00"), ("She said: He", "llo", ""), ("The final answer is", " 1", "7"),
    # nothing behind the target
    ("The final answer is ", "\\boxed{42}", ""), ("Q: What is 2 + 2?\nA:", " 4", ""), ("日本の首都は", "東京", ""), ("👍👍", "👍", ""),
    # blanks
    ("a word", " ", "and another"), ("a word", " ", ""), ("left", "\t", "right"), ("The end", ".\n\n", "Another start"),
    ("while True:\n", "    ", "break"), ("if x:\n    if y:\n", "        return", " z\n"),
    # one token, all but certain, and its opposite
    ("one two three four one two three four one two three ", "four", " one"), ("A B C D E F G H ", "I", " J"),
    ("one two three four one two three four one two three ", "brick", " one"), ("<|im_start|>", "user", "\n"),
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
    for text in ("".join(row.values()) for row in rows):
        assert not re.search(r"  \d", text) and unicodedata.is_normalized("NFC", text), text
    assert len(set(ROWS)) == len(ROWS)
    for argument in sys.argv[1:]:
        name, _, path = argument.partition("=")
        tokenizer, model = load(path)
        for i, row in enumerate(rows):
            row[name] = measure(tokenizer, model, row["prefix"], row["target"], row["suffix"])
            print(f"{name}: {i + 1} of {len(rows)}", file=sys.stderr)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


main()
