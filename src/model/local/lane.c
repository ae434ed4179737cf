/* lane.c - a llama_context and the tree of what is cached in it. Texts share its cells. A row of a batch visits those of its own
 * text (attention.h); where that is not to be had, every cell up to the highest one in use, whoever it belongs to.
 * It must not know jobs. */
#include "model/local/local.h"

#include <stdlib.h>

static bool must_stop(void *engine) { return atomic_load(&((cord_engine *)engine)->stop); }

static cord_status open_context(struct lane *lane, cord_error *err) {
    struct local_model *model = lane->model;
    const struct device *device = model->engine->local;
    int sequences = model->sequences;
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = (uint32_t)lane->cells;
    params.n_batch = params.n_ubatch = LANE_WIDTH;
    params.n_seq_max = (uint32_t)sequences;
    params.n_outputs_max = (uint32_t)(sequences > LANE_OUTPUTS ? sequences : LANE_OUTPUTS);
    params.n_threads = params.n_threads_batch = device_threads(device);
    /* AUTO would turn on ggml's own on CPUs, where it is far slower */
    params.flash_attn_type = accelerator_used() ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.kv_unified = true;
    params.swa_full = true; /* room for all; what lies outside a window may be overwritten all the same: see tree.c */
    params.abort_callback = must_stop;
    params.abort_callback_data = model->engine;
    lane->ctx = llama_init_from_model(model->weights, params);
    if (!lane->ctx)
        return error_set(err, CORD_NO_MEMORY,
                         "%s: no memory for a cache of %d tokens; lower the search's beam or token budgets, or have "
                         "fewer problems in flight",
                         model->base.info.name, lane->cells);
    llama_attach_threadpool(lane->ctx, device_pool(device), device_pool(device));
    return tree_init(&lane->tree, llama_get_memory(lane->ctx), sequences, model->tips, model->window, err);
}

cord_status lane_open(struct local_model *model, int cells, struct lane **out, cord_error *err) {
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane) return error_memory(err);
    lane->model = model;
    lane->cells = lane->room = cells;
    lane->bytes = weights_lane_bytes(model, cells);
    lane->batch = llama_batch_init(LANE_WIDTH, 0, 1);
    cord_status status = open_context(lane, err);
    if (status != CORD_OK) {
        lane_close(lane);
        return status;
    }
    *out = lane;
    return CORD_OK;
}

void lane_close(struct lane *lane) {
    tree_release(&lane->tree);
    if (lane->ctx) llama_free(lane->ctx);
    llama_batch_free(lane->batch);
    free(lane->groups);
    free(lane);
}

bool lane_make_room(struct lane *lane, int cells) {
    if (lane->room - lane->tree.cells >= cells) return true;
    if (lane->room - tree_held(&lane->tree, NULL) < cells) return false;
    while (lane->room - lane->tree.cells < cells && tree_evict(&lane->tree)) {}
    return true;
}

void lane_begin(struct lane *lane) { lane->batch.n_tokens = 0; }

void lane_row(struct lane *lane, const struct node *leaf, llama_token token, int position, bool logits) {
    struct llama_batch *batch = &lane->batch;
    int i = batch->n_tokens++;
    batch->token[i] = token;
    batch->pos[i] = position;
    batch->n_seq_id[i] = 1;
    batch->seq_id[i][0] = leaf->sequence;
    batch->logits[i] = logits;
}

cord_status lane_compute(struct lane *lane, cord_error *err) {
    cord_engine *engine = lane->model->engine;
    int result = must_stop(engine) ? 2 : llama_decode(lane->ctx, lane->batch);
    if (result == 0) return CORD_OK;
    if (result == 2 || must_stop(engine)) return error_set(err, CORD_CANCELLED, "stopped");
    return error_set(err, CORD_BAD_MODEL,
                     "%s: llama.cpp could not compute a batch of %d tokens (code %d); run with -v for its log",
                     lane->model->base.info.name, lane->batch.n_tokens, result);
}

float *lane_logits(struct lane *lane, int row) { return llama_get_logits_ith(lane->ctx, row); }
