/* nolocal.c - what stands in the place of local/ in a cord that was built without llama.cpp (CORD_LOCAL=OFF): a back end
 * that opens nothing, and says why. */
#include "model/backend.h"

const char *const backend_local_refusal =
    "this cord was built without llama.cpp (CORD_LOCAL=OFF), so that no model can be a file: name a server "
    "(models.NAME.url), or build cord with it (make)";

static cord_status refuse(cord_engine *engine, const cord_model_options *options, cord_model **model, cord_error *err) {
    (void)engine, (void)model;
    error_where(err, "%s", options->name);
    return error_set(err, CORD_BAD_MODEL, "%s", backend_local_refusal);
}

static void stop(cord_engine *engine) { (void)engine; }

/* What is asked of models is never asked of this one, which has none. */
const struct backend backend_local = {.open = refuse, .stop = stop};
