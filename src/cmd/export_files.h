/* export_files.h - where the rows of `cord export` go, and that nothing it writes is anything it reads. It must not know what
 * rows are made of. Private to src/cmd/export*.c. */
#ifndef CORD_EXPORT_FILES_H
#define CORD_EXPORT_FILES_H

#include "cmd/cmd.h"
#include "cmd/dataset.h"
#include "export/dataset.h"

/* What --out names, of a data set in so many parts; its library is not looked for. */
struct dataset_options export_place(const struct call *call, const char *path, int n_splits);

/* Refuses an output that is an input, a file of a run, or another output, before anything is read (`runs` NULL); or the problem
 * set of one of these runs, once they are open. */
cord_status check_export_files(const struct call *call, const struct runs *runs, const struct export_split *splits,
                               int n, cord_error *err);

#endif
