/* formats.h - the layouts of training rows that trainers read: a table, one entry a format. Adding one is a function
 * and a line in formats.c. It must not know where rows come from. */
#ifndef CORD_FORMATS_H
#define CORD_FORMATS_H

#include "base/json.h"

/* What every format is made of. */
struct training_row {
    cord_text question; /* as the user wrote it */
    cord_text response; /* the reasoning inside think tags, then the reply */
};

struct training_format {
    const char *name;
    /* Writes the members of one row's object, which is open in `w`. */
    void (*write)(struct json_writer *w, const struct training_row *row);
};

/* NULL for an unknown name. */
const struct training_format *training_format(const char *name);

#endif
