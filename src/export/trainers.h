/* trainers.h - what trainers do with rows unless they are told otherwise, as far as it can cost a reasoning trace: how long
 * a row they take, what becomes of a longer one, and what to set. Facts about others' programs, with the versions in which
 * they were seen: docs/training.md. It must not know rows. */
#ifndef CORD_TRAINERS_H
#define CORD_TRAINERS_H

#include <stdbool.h>

struct trainer {
    const char *name;
    int tokens;          /* of a row, unless told; 0: as many as the model takes */
    const char *longer;  /* what becomes of longer rows: "cut in silence" */
    const char *setting; /* what to set */
    const char *lost;    /* what to do where the template drops the reasoning */
    bool ends_steps;     /* puts an end of text behind each step of a pair */
};

/* The i-th one, from 0; NULL behind the last. */
const struct trainer *trainer_at(int i);
#define TRAINERS "trl|llama-factory|axolotl|ms-swift|verl"

#endif
