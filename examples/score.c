/* score.c - how likely a model finds an answer after some reasoning, by libcord's public header alone.
 *
 *   usage: score MODEL.gguf PREFIX TARGET
 *   for instance: score model.gguf "6 trays of 14 rolls are 6 * 14 =" " 84"
 *
 * It prints each token of TARGET with its log-probability (nats), then S, the exp of their mean (eq. 3 of the paper): what
 * `cord score` gives for {"prefix": PREFIX, "target": TARGET}. To build it where libcord is installed:
 *
 *   cc score.c -o score $(pkg-config --cflags --libs cord)      or, with CMake, as CMakeLists.txt beside this file says */
#include <cord.h>
#include <stdio.h>
#include <string.h>

static cord_text text_of(const char *s) { return (cord_text){s, strlen(s)}; }

static int fail(const cord_error *err) {
    fprintf(stderr, "score: %s%s%s\n", err->where, err->where[0] ? ": " : "", err->message);
    return 1;
}

/* Texts from a command line are trusted here: "<|im_start|>" in them is the special token. Text of users and models should
 * not be. */
static int score(cord_engine *engine, const cord_model *model, const char *prefix, const char *target) {
    cord_span prompt = {text_of(prefix), true};
    cord_scoring scoring = {.model = model, .prompt = &prompt, .n_spans = 1, .target = {text_of(target), true}};
    cord_error err = {0};
    cord_status status = cord_score(engine, &scoring, 1, &err);
    if (status == CORD_OK) err = scoring.error; /* the engine works; what of this request? */
    if (err.code == CORD_OK) {
        for (int i = 0; i < scoring.n_tokens; i++) {
            fwrite(scoring.token[i].data, 1, scoring.token[i].len, stdout);
            printf("\t%.6f\n", scoring.logprob[i]);
        }
        printf("S\t%.9f\n", scoring.score);
    }
    cord_scoring_release(&scoring);
    return err.code == CORD_OK ? 0 : fail(&err);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: score MODEL.gguf PREFIX TARGET\n");
        return 2;
    }
    cord_engine_options options = {0}; /* one thread a core */
    cord_model_options weights = {.name = "model", .path = argv[1]};
    cord_engine *engine = NULL;
    cord_model *model = NULL; /* closed with the engine */
    cord_error err = {0};
    int status = 1;
    if (cord_engine_open(&options, &engine, &err) != CORD_OK ||
        cord_model_open(engine, &weights, &model, &err) != CORD_OK)
        fail(&err);
    else
        status = score(engine, model, argv[2], argv[3]);
    cord_engine_close(engine);
    return status;
}
