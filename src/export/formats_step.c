/* formats_step.c - rows with a label for each step; see formats.h. What a label means is not theirs to know. */
#include "export/formats.h"

/* Cyrillic "ки", which stands where a step's score is predicted. */
#define STEP_TAG " \xD0\xBA\xD0\xB8"

/* TRL's stepwise supervision; it puts its own separator between the steps. */
void write_prm(struct json_writer *w, const struct training_row *row) {
    const struct example *e = row->example;
    json_text(w, "prompt", row->prompt);
    json_open(w, "completions", '[');
    for (int i = 0; i < e->n_steps; i++) json_text(w, NULL, text_trim(e->steps[i].text));
    json_close(w, ']');
    json_open(w, "labels", '[');
    for (int i = 0; i < e->n_steps; i++) json_bool(w, NULL, row->labels[i]);
    json_close(w, ']');
}

/* "Step 1: … ки\nStep 2: … ки"; in the label, "+" or "-" in the place of the tag. */
static void write_solution(struct json_writer *w, const char *key, const struct training_row *row, bool labelled) {
    const struct example *e = row->example;
    struct buf all;
    buf_init(&all, "a training row", (size_t)512 << 20);
    buf_add(&all, row->prompt);
    for (int i = 0; i < e->n_steps; i++) {
        buf_addf(&all, "%sStep %d: ", i ? "\n" : " ", i + 1);
        buf_add(&all, e->steps[i].bare);
        buf_addf(&all, "%s", !labelled ? STEP_TAG : row->labels[i] ? " +" : " -");
    }
    json_text(w, key, buf_text(&all));
    if (all.status != CORD_OK) w->out->status = all.status;
    buf_release(&all);
}

void write_math_shepherd(struct json_writer *w, const struct training_row *row) {
    write_solution(w, "input", row, false);
    write_solution(w, "label", row, true);
    json_text(w, "task", text_of(row->example->source->name));
}
