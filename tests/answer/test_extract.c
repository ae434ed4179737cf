/* test_extract.c - finding the final answer in replies. In each reply of the tables a pair of "@" stands around what is to
 * be taken; they are taken out before, so the bytes that are found must be just these. */
#include "support.h"

#include "answer/find/extract.h"

#include <stdlib.h>
#include <time.h>

struct reply {
    cord_found found;
    const char *marked;
};

static void check_reply(cord_text marked, cord_found found, bool last_number) {
    char *reply = malloc(marked.len + 1); /* of just its size, so that AddressSanitizer sees a byte too far */
    assert_non_null(reply);
    size_t len = 0, at[2] = {0}, marks = 0;
    for (size_t i = 0; i < marked.len; i++)
        if (marked.data[i] == '@')
            at[marks++ % 2] = len;
        else
            reply[len++] = marked.data[i];
    reply = realloc(reply, len + !len);
    assert_int_equal(marks, found == CORD_FOUND_NOTHING ? 0 : 2);

    const cord_text untouched = TEXT("untouched");
    cord_text answer = untouched;
    cord_found got = cord_extract_answer((cord_text){reply, len}, last_number, &answer);
    if (got != found || (got && (answer.data != reply + at[0] || answer.len != at[1] - at[0])))
        fail_msg("'%.*s': %s '%.*s', want %s", (int)marked.len, marked.data, cord_found_name(got), (int)answer.len,
                 answer.data, cord_found_name(found));
    if (got == CORD_FOUND_NOTHING) assert_ptr_equal(answer.data, untouched.data);
    free(reply);
}

static void check_replies(const struct reply *replies, size_t n, bool last_number) {
    for (size_t i = 0; i < n; i++) check_reply(text_of(replies[i].marked), replies[i].found, last_number);
}

#define NOTHING CORD_FOUND_NOTHING
#define BOX     CORD_FOUND_BOX
#define PHRASE  CORD_FOUND_PHRASE
#define HASHES  CORD_FOUND_HASHES
#define NUMBER  CORD_FOUND_NUMBER

static void a_box_is_the_answer(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {BOX, "So \\boxed{@18@}."},
        {BOX, "\\boxed{1} then \\boxed{@\\frac{3}{4}@}"},
        {BOX, "\\boxed{@\\left\\{ 1, 2 \\right\\}@}"},
        {BOX, "\\boxed{8}, so \\fbox{@7@}"},
        {BOX, "\\fbox{7}, so \\boxed {@8@}"},
        {BOX, "\\boxed{ @5@ }"},
        {BOX, "so $x = @-\\boxed{5}@$."},
        {BOX, "$@\\boxed{50}\\%@$ of them"},
        {BOX, "@\\boxed{50}%@"},
        {BOX, "$7 -\\boxed{@5@}$"},
        {BOX, "- \\boxed{@5@}"},
        {PHRASE, "Thus the answer equals @12@."},
        {BOX, "\\boxed{\n@5@\n}"},
        {BOX, "\\boxed{@18@}, the answer is 17"},
        {BOX, "\\boxed{@18@}\n#### 17"},
        {BOX, "\\boxed{@18@} and then \\boxed{19"},
        {BOX, "\\boxed{18}, then \\boxed{@19@} and then \\boxed{{20}"},
        {BOX, "\\boxed{@\\text{(B)}@}"},
        {BOX, "\\boxed{@\\textbf{(B) } 5@}"},
        {BOX, "\\[ x = \\boxed{@42@} \\]"},
        {BOX, "\\[\n\\boxed{@\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}@}\n\\]"},
        {BOX, "\\boxed{3 \\boxed{@4@}}"},
        {BOX, "\\boxed{@5@} \\boxed{}"},
        {BOX, "\\boxed{@5@}, that is what I put into \\boxed{...}."},
        {BOX, "\\boxed{@5@} as asked, in \\boxed format, with \\boxed{}"},
        {BOX, "\\boxed{@5@}. \\boxedness{6}"},
        {BOX, "a line \\\\\\boxed{@5@}"},
        {BOX, "\\boxed{@a\\}b@}"},
        /* without braces */
        {BOX, "$\\boxed @5@$"},
        {BOX, "$\\boxed@5@$"},
        {BOX, "$\\boxed @3 \\sqrt{2}@$ is it"},
        {BOX, "\\(\\boxed @-5@\\)"},
        {BOX, "\\boxed @5@."},
        {BOX, "\\boxed @5@ is my answer"},
        {BOX, "\\boxed @3.5@, I think"},
        {BOX, "\\boxed @\\frac{3}{4}@"},
        {BOX, "\\boxed@\\frac{3}{4}@"},
        {BOX, "\\boxed @x@"},
        {BOX, "{\\boxed @5@}"},
        {NOTHING, "within \\boxed notation"},
        {NOTHING, "within \\boxed"},
        {NOTHING, "within \\boxed."},
        {NOTHING, "\\boxed $5$"},
        {NOTHING, "\\boxed{19"},
        {NOTHING, "\\boxed{}"},
        {NOTHING, "\\boxed{ $ $ }"},
        {PHRASE, "\\boxed{} The answer is @4@."},
        {NOTHING, "The final answer is \\boxed{}."},
        {NOTHING, "The final answer is \\boxed{"},
        {NOTHING, "The answer is 4. The final answer is $\\boxed{}$."},
        /* the place of an answer, as a prompt shows it */
        {BOX, "\\boxed{@5@}, as asked in \\boxed{answer}"},
        {BOX, "\\boxed{@5@} \\boxed{\\text{Your final answer}}"},
        {BOX, "\\boxed{@no answer@}"},
        {BOX, "\\boxed{@answers@}"},
        {BOX, "\\boxed{@\\text{final}@}"},
        {NOTHING, "\\boxed{answer}"},
        {NOTHING, "\\boxed{ your answer }"},
        {NOTHING, "The final answer is \\boxed{answer}."},
        {NOTHING, "The final answer is \\boxed{\\text{final answer}}"},
        {NOTHING, "The final answer is \\boxed{answer"},
    };
    check_replies(replies, sizeof replies / sizeof *replies, false);
}

static void several_boxes_are_one_answer(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {BOX, "So @\\boxed{1} and \\boxed{2}@."},
        {BOX, "So @\\boxed{1}, \\boxed{2}@."},
        {BOX, "So @\\boxed{1}, \\boxed{2}, and \\boxed{3}@."},
        {BOX, "either @\\boxed{1} or \\fbox{2}@"},
        {BOX, "So $@\\boxed{1}, \\boxed{2}@$."},
        {BOX, "So @$\\boxed{1}$ and $\\boxed{2}$@."},
        {BOX, "So @\\(\\boxed{1}\\), \\(\\boxed{2}\\)@."},
        {BOX, "So\n@\\[ \\boxed{1} \\]\nand\n\\[ \\boxed{2} \\]@."},
        {BOX, "@$$\\boxed{1}$$ or $$\\boxed{2}$$@"},
        {BOX, "**@$\\boxed{1}$** and **$\\boxed{2}$@**"},
        {BOX, "So @x = \\boxed{3}, y = \\boxed{4}@."},
        {BOX, "So $@x = \\boxed{3}, y = \\boxed{4}@$."},
        {BOX, "So @$x = \\boxed{3}$ and $y = \\boxed{4}$@."},
        {BOX, "So \\(@x=\\boxed{3}, y=\\boxed{4}@\\)."},
        {BOX, "@x_1 = \\boxed{3}, x_{2} = \\boxed{4}@"},
        {BOX, "@f(x) = \\boxed{3}, \\alpha = \\boxed{4}, g'(0) = \\boxed{5}@"},
        {BOX, "@\\boxed{3}\\text{ and }\\boxed{4}@"},
        {BOX, "@\\boxed{3}\\quad\\text{or}\\quad\\boxed{4}@"},
        {BOX, "@\\boxed{3};\\ \\boxed{4}@"},
        {BOX, "\\begin{align} @x &= \\boxed{3} \\\\ y &= \\boxed{4}@ \\end{align}"},
        {BOX, "@\\boxed{1} \\boxed{2}@"},
        {BOX, "@\\boxed{1}\n\n\\boxed{2}@"},
        {BOX, "$x = 1 + 2 = @\\boxed{3}$, $y = \\boxed{4}@$"},
        {BOX, "2x = @\\boxed{3}, \\boxed{4}@"},
        {BOX, "@a = \\boxed{2}, b = \\boxed{2}@"},
        {BOX, "\\boxed{@\\fbox{3}, \\fbox{4}@}"},
        /* said twice, or one behind the other */
        {BOX, "\\boxed{5}\n\n\\boxed{@5@}"},
        {BOX, "$\\boxed{5}$ $$\\boxed{@5@}$$"},
        {BOX, "\\boxed{1} = \\boxed{@2@}"},
        {BOX, "\\boxed{1} + \\boxed{@2@}"},
        {BOX, "\\boxed{1}, and the answer is \\boxed{@2@}"},
        {BOX, "\\boxed{1}. \\boxed{@2@}"},
        {BOX, "\\boxed{} and \\boxed{@2@}"},
        {BOX, "\\boxed{1 and \\boxed{@2@}"},
        {BOX, "\\boxed{1}\\text{ and then }\\boxed{@2@}"},
        {BOX, "\\boxed{1}} and \\boxed{@2@}"},
        {BOX, "\\boxed{1} and 2 = \\boxed{@2@}"},
        {BOX, "\\boxed{1} or band \\boxed{@2@}"},
        {BOX, "x = \\boxed{@3@}"},
    };
    check_replies(replies, sizeof replies / sizeof *replies, false);
}

static void phrases_announce_the_answer(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {PHRASE, "The final answer is @$18$@."},
        {PHRASE, "The final answer is: @18@"},
        {PHRASE, "the ANSWER IS @3.5@. I hope this helps."},
        {PHRASE, "Final Answer: The final answer is @$18$@. I hope it is correct."},
        {PHRASE, "Final answer: @18@"},
        {PHRASE, "**Answer:** @18@"},
        {PHRASE, "**Answer**: @18@"},
        {PHRASE, "**Answer: @18@**"},
        {PHRASE, "**Answer: @18@.**"},
        {PHRASE, "**The final answer is @73@**"},
        {PHRASE, "**The final answer is @73@**."},
        {PHRASE, "**The final answer is: @$73$@**"},
        {PHRASE, "**The answer is @73@.** I hope that helps."},
        {PHRASE, "The answer is **@73@**."},
        {PHRASE, "The answer is **@73@**"},
        {PHRASE, "The answer is: **@$73$@**."},
        {PHRASE, "The answer is @**73** dollars@."},
        {PHRASE, "The answers are @**3** and **4**@."},
        {PHRASE, "The answer is *@73@*."},
        {PHRASE, "*The answer is @73@*"},
        {PHRASE, "The answer is `@73@`."},
        {PHRASE, "__Answer:__ @73@"},
        {PHRASE, "The answer is @\\(18\\)@."},
        {PHRASE, "The answer is @\\[18\\]@"},
        {PHRASE, "The answer is @$x=3$@."},
        {PHRASE, "The answer is @$x = 3$ and $y = 4$@."},
        {PHRASE, "The answer is: \n\n@\\[ 42 \\]@\nThat was it."},
        {PHRASE, "The answer is:\n@\\[\n42.\n\\]@"},
        {PHRASE, "The answer is\n@$$\n\\frac{1}{2}\n$$@\n"},
        {PHRASE, "The answer is\n@\\begin{pmatrix}\n1 \\\\ 2\n\\end{pmatrix}@\n"},
        {PHRASE, "The answer is @$ 18 $@. Yes."},
        {PHRASE, "The answer is @$18@. It was $5 before."},
        {PHRASE, "The answer is @$18@. I write $x$ for it."},
        {PHRASE, "The answer is @\\$18.50@. It was much."},
        {PHRASE, "The answer is @(B)@."},
        {PHRASE, "The answer is @(B)@. Because of this."},
        {PHRASE, "The answer is @B@."},
        {PHRASE, "The answer is @B@. Paris is the capital."},
        {PHRASE, "The answer is @(B) Paris@."},
        {PHRASE, "The answer is @yes@!"},
        {PHRASE, "The answer is @$10$@! Well done."},
        {PHRASE, "The answer is @10!@ Well done."},
        {PHRASE, "The answer is @5! + 1@."},
        {PHRASE, "The answer is @3.5@"},
        {PHRASE, "The answer is @3.5@."},
        {PHRASE, "The answer is @.5@. So."},
        {PHRASE, "The answer is @0.333...@"},
        {PHRASE, "The answer is @18 eggs@. I hope this helps."},
        {PHRASE, "The answer is @18@, because they are eggs."},
        {PHRASE, "The answer is @18@ because they are eggs."},
        {PHRASE, "The answer is @18@, so that was easy."},
        {PHRASE, "The answer is @18@, which is even."},
        {PHRASE, "The answer is @3, 4@? No."},
        {PHRASE, "The answer is @3:30 p.m. on Monday@."},
        {PHRASE, "The answer is @3:30 p.m.@"},
        {PHRASE, "The answer is @Dr. Smith@. He was it."},
        {PHRASE, "The answer is @5 U.S. dollars@."},
        {PHRASE, "The answer is approximately @3.14@."},
        {PHRASE, "The answer is therefore: @3@"},
        {PHRASE, "The answer is thus, approx. @3@."},
        {PHRASE, "The answer is given by @$x^2$@"},
        {PHRASE, "The answer is equal to @5@."},
        {PHRASE, "The answers are @3 and 4@."},
        {PHRASE, "my answers are @5@"},
        {PHRASE, "Answers: @3, 4@"},
        {PHRASE, "answer = @5@"},
        {PHRASE, "The answer to the problem is @18@."},
        {PHRASE, "The answer (in dollars) is @18@."},
        {PHRASE, "The answer for part 2 is: @18@."},
        {PHRASE, "Answer:\n@18@\nThat was it."},
        {PHRASE, "Answer\n@18@"},
        {PHRASE, "Answer\r\n@18@\r\n"},
        {PHRASE, "So.\nAnswer\n\n@18@"},
        {PHRASE, "**Final Answer**\n\n@$18$@"},
        {PHRASE, "**Final Answer:**\n\n@$18$@\n"},
        {PHRASE, "### The final answer\n@18@\n"},
        {PHRASE, "### Answer: @18@\n"},
        {PHRASE, "#### Final Answer\n\n@18@"},
        {PHRASE, "**Answer:**\n\n**@18@**"},
        {PHRASE, "The answer is 17. No, the answer is @18@."},
        {PHRASE, "The answer is @18@. The answer is"},
        {PHRASE, "The answer is @18@. Let us see whether the answer is correct."},
        {PHRASE, "The answer is @18@. The answer is not 17."},
        {PHRASE, "The answer is @18@.\n\nTell me if the final answer is of use."},
        {PHRASE, "The answer is @18@. Ask me whether your answer is better."},
        {PHRASE, "See if it is better! The answer is @18@"},
        {PHRASE, "So the answer is @not 17@."},
        {PHRASE, "The answer is @18@\xE3\x80\x82\xE5\xA5\xBD"},
        {PHRASE, "The answer is @\xCF\x80@."},
        {PHRASE, "So the correct option is @B@."},
        {PHRASE, "The right choice is **@(B)@**. It is Paris."},
        {PHRASE, "**Correct Option:** @C@"},
        {PHRASE, "The best alternative is @\\text{D}@"},
        {PHRASE, "The correct option is @(B) Paris@."},
        {PHRASE, "The correct choice is @B@ because it is so."},
        {PHRASE, "The answer is A. No, the correct option is @B@."},
        {PHRASE, "The correct option is A. No, the answer is @B@."},
        {NOTHING, "The best option is A levels."},
        {NOTHING, "The correct choice is a matter of taste."},
        {NOTHING, "The correct option is K."},
        {NOTHING, "The other option is B."},
        {NOTHING, "The correct options are B and C."},
        {NOTHING, "There is no such thing as an unanswered question: 5"},
        {NOTHING, "I answered: 5"},
        {NOTHING, "the subanswer is 5"},
        {NOTHING, "I am answering: 5"},
        {NOTHING, "this is my\nlong answer\n5"},
        {NOTHING, "an answer\n5"},
        {NOTHING, "The answer is"},
        {NOTHING, "The answer is:\n\n"},
        {NOTHING, "The answer is **."},
        {NOTHING, "The answer."},
        {NOTHING, "answer"},
        {NOTHING, ""},
        {NOTHING, "18"},
    };
    check_replies(replies, sizeof replies / sizeof *replies, false);
}

static void hashes_announce_the_answer(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {HASHES, "2 + 2\n#### @1,080@"},
        {HASHES, "2 + 2\n#### @1,080@\n"},
        {HASHES, "#### @18@"},
        {HASHES, "####@18@"},
        {HASHES, "#### @$18$@"},
        {HASHES, "#### **@18@**"},
        {HASHES, "#### @18@.\n"},
        {HASHES, "#### 17\n#### @18@\nThat was it."},
        {HASHES, "#### @18@\n####\n"},
        {HASHES, "The answer is near.\n#### @18@"},
        {HASHES, "The answer is 17.\n#### @$18$@\n"},
        {HASHES, "#### @Monday@"},
        {PHRASE, "#### 17\nThe answer is @18@."},
        {PHRASE, "The answer is @18@.\n\n#### Note\nThat was it."},
        {PHRASE, "The answer is @18@.\n\n#### **Note**\nThat was it."},
        {PHRASE, "The answer is @18@.\n\n#### 3. Check\nThat was it."},
        {HASHES, "#### @9@\n#### Explanation of the result"},
        {HASHES, "#### @9@\n#### Note\nIt is so.\n#### 2. Check\nGood."},
        {HASHES, "#### Monday\n#### @Tuesday@"},
        {NOTHING, "### Step 1.\n18"},
        {NOTHING, "a #### 18"},
        {NOTHING, "#####"},
        {NOTHING, "####"},
        {NOTHING, "####\n18"},
    };
    check_replies(replies, sizeof replies / sizeof *replies, false);
}

static void thoughts_are_passed_over(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {PHRASE, "<think>\\boxed{3}</think> The answer is @4@."},
        {NOTHING, "<think>\\boxed{3}</think>\n\n"},
        {BOX, "<think>a</think> \\boxed{1} </think> \\boxed{@2@}"},
        {NOTHING, "<think>a</think> \\boxed{1} </think> So."},
        {NOTHING, "<think>\\boxed{3} no wait, that is wrong, so"},
        {NOTHING, "<think>a</think> So. <think>The answer is 3."},
        {BOX, "<think>a</think> \\boxed{@2@}. <think>Is it 3?"},
        {BOX, "\\boxed{1}, </think>@\\boxed{2}, \\boxed{3}@"},
        {NOTHING, "the answer</think> is 5"},
    };
    check_replies(replies, sizeof replies / sizeof *replies, false);
}

static void tags_hold_the_answer(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {PHRASE, "<think>3</think><answer>@9@</answer>"},
        {PHRASE, "<answer> @x = 9@ </answer></s>"},
        {PHRASE, "<answer>8</answer>\n<answer>@9@</answer><|im_end|>\n"},
        {PHRASE, "The answer is <answer>@9@</answer>."},
        {BOX, "\\boxed{8} <answer>It is \\boxed{@9@}</answer>"},
        {PHRASE, "<answer>It is so.\nThe answer is @9@.</answer>"},
        {BOX, "<answer></answer> \\boxed{@9@}"},
        {PHRASE, "The answer is @9@<|im_end|>"},
        {PHRASE, "The answer is @9@.</s> <|endoftext|>"},
        {NOTHING, "<answer>\nSo it is.\nOr not.</answer>"},
        {NOTHING, "<answer>9"},
    };
    check_replies(replies, sizeof replies / sizeof *replies, false);
}

static void the_last_number_is_taken_if_asked(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {NUMBER, "@18@"},
        {NUMBER, "He has 17 and then @18@."},
        {NUMBER, "that is @-18@"},
        {NUMBER, "that is @\xE2\x88\x92"
                 "18@"},
        {NUMBER, "that is @+18@ then"},
        {NUMBER, "10 - @3@"},
        {NUMBER, "10-@3@"},
        {NUMBER, "x-@3@"},
        {NUMBER, "(x)-@3@"},
        {NUMBER, "(@-3@)"},
        {NUMBER, "= @-3@"},
        {NUMBER, "so @1,080@ eggs"},
        {NUMBER, "so @1,234,567.89@, yes"},
        {NUMBER, "so @1{,}080@"},
        {NUMBER, "so @10,\\!000@"},
        {NUMBER, "1, 2, @3@, done"},
        {NUMBER, "1,@23@"},
        {NUMBER, "so @3.5@."},
        {NUMBER, "so @.5@ of it"},
        {NUMBER, "so @3@. He"},
        {NUMBER, "so @3@."},
        {NUMBER, "so @1e3@ of"},
        {NUMBER, "so @1.5 \\times 10^3@ of"},
        {NUMBER, "so @1.5 \\times 10^{-3}@ of"},
        {NUMBER, "so @2^{10}@ of"},
        {NUMBER, "so @3/4@ of it"},
        {NUMBER, "so @3 / 4@ of it"},
        {NUMBER, "so @-3/4@ of it"},
        {NUMBER, "so @1 1/2@ cups"},
        {NUMBER, "so @\\frac{3}{4}@ of it"},
        {NUMBER, "so $@-\\frac{3}{4}@$"},
        {NUMBER, "so $@1\\frac{3}{4}@$"},
        {NUMBER, "so @\\dfrac34@"},
        {NUMBER, "so @50%@."},
        {NUMBER, "so @50\\%@."},
        {NUMBER, "so @50 percent@."},
        {NUMBER, "so @$18@."},
        {NUMBER, "so @\\$18.50@."},
        {NUMBER, "so @-$18@."},
        {NUMBER, "so @$-18@."},
        {NUMBER, "so $@-18@$."},
        {NUMBER, "so @18\xE2\x82\xAC@."},
        {NUMBER, "so @\xE2\x82\xAC"
                 "18@."},
        {NUMBER, "so $@18@$."},
        {NUMBER, "so \\(@18@\\)."},
        {NUMBER, "so **@18@**."},
        {NUMBER, "so $x = @18@$."},
        {NUMBER, "so @18@cm."},
        {NUMBER, "so $@18@\\text{ cm}$."},
        {NUMBER, "so \\text{@18@}."},
        {NUMBER, "so @12:30@."},
        {NUMBER, "on @3/5/2020@."},
        /* parts of something else */
        {NUMBER, "@18@ is x2"},
        {NUMBER, "@18@ is x_2"},
        {NUMBER, "@18@ is x_{2}"},
        {NUMBER, "@18@ is x^2"},
        {NUMBER, "@18@ is 2x"},
        {NUMBER, "@18@ is the 3rd"},
        {NUMBER, "@18@ is \\sqrt{2}"},
        {NUMBER, "@18@ is 3\\pi"},
        {NUMBER, "@18@ is 2^x"},
        {NUMBER, "@18@ is 5!"},
        {NUMBER, "It is @18@.\nStep 2: Check it."},
        {NUMBER, "It is @18@.\n**Step 2:** Check it."},
        {NUMBER, "It is @18@.\n### Step 2\nCheck it."},
        {NUMBER, "It is @18@.\n2. Check it."},
        {NUMBER, "It is @18@.\n 2) Check it."},
        {NUMBER, "It is 18.\n@2@."},
        {NUMBER, "It is 18.\n@2@"},
        {NUMBER, "It is 18 in step @2@"},
        {NOTHING, "no number in x2"},
        {NOTHING, "."},
        {NOTHING, "\\frac{x}{y}"},
        {NOTHING, ""},
        /* only where nothing else is found */
        {BOX, "\\boxed{@18@} or 19"},
        {PHRASE, "The answer is @18@. I have 19."},
        {HASHES, "#### @18@\n19"},
        {NUMBER, "<think>3</think>@4@"},
        {NOTHING, "<think>3</think>"},
        {NUMBER, "The answer is \\boxed{}.\nIt was @4@."},
    };
    check_replies(replies, sizeof replies / sizeof *replies, true);
}

static void any_bytes_may_be_in_a_reply(void **state) {
    (void)state;
    check_reply(TEXT("\0 \xFF \\boxed{@1\0\xFF@}\0"), BOX, false);
    check_reply(TEXT("The answer is @\xFF\0@. \0"), PHRASE, false);
    check_reply(TEXT("The answer is @\0 5@"), PHRASE, false);
    check_reply(TEXT("The answer\0 is @5@"), NUMBER, true);
    check_reply(TEXT("\\boxed\0{5}"), NOTHING, false);
    check_reply((cord_text){NULL, 0}, NOTHING, true);
}

/* A quarter of a megabyte of anything ends at once; a quadratic search would take many seconds. */
static void long_replies_end_quickly(void **state) {
    (void)state;
    static const char *const pieces[] = {"\\boxed{",
                                         "\\boxed{} ",
                                         "\\boxed",
                                         "\\boxed 1{",
                                         "\\boxed{1},",
                                         "x=\\boxed{1}$,$",
                                         "\\boxed{1}x",
                                         "\\fbox{{}",
                                         "the answer is ",
                                         "the answer is $",
                                         "the answer is \\[",
                                         "the answer is $$",
                                         "answer: .\n",
                                         "answer: $.",
                                         "answer",
                                         "answer ",
                                         "answer\n",
                                         "answer is not ",
                                         "answer is **",
                                         "answer to ",
                                         "answer (",
                                         "answer is then ",
                                         "#### $$\n",
                                         "####",
                                         "####\n",
                                         "#### .\n",
                                         "#",
                                         "*",
                                         "**",
                                         "**a",
                                         "a** ",
                                         ".*",
                                         "!*",
                                         ", ",
                                         ". ",
                                         "? ",
                                         "because ",
                                         "$",
                                         "$a ",
                                         "\\(",
                                         "\\[",
                                         "\\begin{",
                                         "{",
                                         "}",
                                         "\\",
                                         "\\\\",
                                         " ",
                                         "\n",
                                         "-",
                                         "1",
                                         "1,111",
                                         "1 ",
                                         "1/",
                                         "1.",
                                         ".",
                                         "1{",
                                         "\\frac{1",
                                         "\\frac",
                                         "\\a{1",
                                         "1^{1",
                                         "1. ",
                                         "\n1. ",
                                         "-1",
                                         "$1",
                                         "\xE2\x88\x92",
                                         "Step 1 ",
                                         "1*",
                                         "e1",
                                         "</think>",
                                         "</think",
                                         "and ",
                                         "a_{",
                                         "a_{1",
                                         "x="};
    static const char *const openings[] = {"", "the answer is ", "\\boxed{1}", "#### ", "1"};
    enum { SIZE = 1 << 18 };
    char *s = malloc(SIZE);
    assert_non_null(s);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        for (size_t j = 0; j < sizeof openings / sizeof *openings; j++)
            for (int closed = 0; closed < 2; closed++) {
                cord_text piece = text_of(pieces[i]), opening = text_of(openings[j]), end = TEXT("\\boxed{2} "), answer;
                for (size_t k = 0; k < SIZE; k++) s[k] = piece.data[k % piece.len];
                memcpy(s, opening.data, opening.len);
                if (closed) memcpy(s + SIZE - end.len, end.data, end.len);
                clock_t start = clock();
                cord_extract_answer((cord_text){s, SIZE}, true, &answer);
                double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
                if (seconds > 1) fail_msg("'%s' and many times '%s': %.1f s", openings[j], pieces[i], seconds);
            }
    free(s);
}

static void an_extracted_answer_lies_in_the_reply(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "\\boxed{", "}",        "{",    "\\",       "answer", " is ",     ":",       "**",      "18", ".",
        "\n",       "#### ",    "$",    " ",        "\\frac", "</think>", "%",       ",",       "/",  "-",
        "e",        " and ",    "x = ", "Answer: ", "\\[",    "\\]",      "\\boxed", "\\text{", "(",  ")",
        "_",        "Answer\n", "p.m.", "Step",     "!",      "because ", "`",       "^"};
    struct rng rng;
    rng_init(&rng, 11);
    for (int i = 0; i < 200000; i++) {
        struct buf pieced;
        buf_init(&pieced, "test reply", 1000);
        for (uint64_t n = rng_next(&rng) % 14; n > 0; n--)
            buf_add(&pieced, text_of(pieces[rng_next(&rng) % (sizeof pieces / sizeof *pieces)]));
        size_t len = pieced.len;
        char *reply = malloc(len + !len); /* of just this size, so that AddressSanitizer sees a byte too far */
        assert_non_null(reply);
        if (len) memcpy(reply, pieced.data, len);
        buf_release(&pieced);
        cord_text answer;
        if (cord_extract_answer((cord_text){reply, len}, i % 2, &answer)) {
            assert_true(answer.len > 0 && answer.data >= reply && answer.data + answer.len <= reply + len);
            if (!text_equal(answer, text_trim(answer)))
                fail_msg("'%.*s' in '%.*s'", (int)answer.len, answer.data, (int)len, reply);
        }
        free(reply);
    }
}

static void boxes_and_braces_are_found_for_the_importer(void **state) {
    (void)state;
    cord_text content;
    assert_true(answer_boxes(TEXT("\\boxed{3} is less than \\boxed{ 4 }."), &content));
    assert_text(content, "4");
    assert_true(answer_boxes(TEXT("\\boxed{3} and \\boxed{ 4 }."), &content));
    assert_text(content, "\\boxed{3} and \\boxed{ 4 }");
    assert_false(answer_boxes(TEXT("\\boxed{3"), &content));
    assert_int_equal(answer_closing_brace(TEXT("{a{b}\\}c}d"), 0), 8);
    assert_int_equal(answer_closing_brace(TEXT("{a{b}"), 0), -1);
}

static void what_was_found_has_a_name(void **state) {
    (void)state;
    assert_string_equal(cord_found_name(NOTHING), "nothing");
    assert_string_equal(cord_found_name(BOX), "box");
    assert_string_equal(cord_found_name(PHRASE), "phrase");
    assert_string_equal(cord_found_name(HASHES), "hashes");
    assert_string_equal(cord_found_name(NUMBER), "last number");
    assert_string_equal(cord_found_name((cord_found)77), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_is_the_answer),
        cmocka_unit_test(several_boxes_are_one_answer),
        cmocka_unit_test(phrases_announce_the_answer),
        cmocka_unit_test(hashes_announce_the_answer),
        cmocka_unit_test(tags_hold_the_answer),
        cmocka_unit_test(thoughts_are_passed_over),
        cmocka_unit_test(the_last_number_is_taken_if_asked),
        cmocka_unit_test(any_bytes_may_be_in_a_reply),
        cmocka_unit_test(long_replies_end_quickly),
        cmocka_unit_test(an_extracted_answer_lies_in_the_reply),
        cmocka_unit_test(boxes_and_braces_are_found_for_the_importer),
        cmocka_unit_test(what_was_found_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
