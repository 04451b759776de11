/** What the parts of a step have to move through memory, from shapes.  The time of a part that computes little follows
 * from that and from the rate of memory (memory.c).  Called by steps.c. */
#include "bench/traffic_impl.h"

#include "bench/measure_impl.h"

const char *const tutti_bench_part_names[TUTTI_BENCH_N_PARTS] = {
#define X(code, name) name,
    TUTTI_BENCH_PART_LIST(X)
#undef X
};

// --- formulas

tutti_bench_traffic tutti_bench_data_traffic(int64_t rows, int64_t n_train, int64_t sample_bytes,
                                             int64_t n_floats) {
  const double gathered = (double)n_floats * sizeof(float);
  return (tutti_bench_traffic){.bytes = (double)rows * ((double)sample_bytes + gathered),
                               .working_set = (double)n_train * (double)sample_bytes};
}

/** Whether a layer reads its inputs and writes its outputs, beside a product. */
static bool is_function(const tutti_layer_info *layer) {
  const bool may_be_none = layer->kind == TUTTI_LAYER_DENSE || layer->kind == TUTTI_LAYER_ACTIVATION;
  return layer->has_function || !may_be_none;
}

tutti_bench_traffic tutti_bench_layers_traffic(const tutti_layer_info *layers, int n, int64_t rows,
                                               int64_t most_rows) {
  enum { FORWARD = 2, BACKWARD = 3, BIAS = 1, LOSS = 2 }; // passes over the outputs
  double floats = LOSS * (double)layers[n - 1].n_out, outputs = 0;
  bool is_trained = false; // this layer, or one before it
  for (int i = 0; i < n; i++) {
    const double n_out = (double)layers[i].n_out;
    is_trained = is_trained || layers[i].n_trainable > 0;
    if (is_function(&layers[i])) floats += n_out * (is_trained ? FORWARD + BACKWARD : FORWARD);
    if (layers[i].trains_bias) floats += BIAS * n_out;
    outputs += n_out;
  }
  return (tutti_bench_traffic){.bytes = (double)rows * floats * sizeof(float),
                               .working_set = 2 * (double)most_rows * outputs * sizeof(float)};
}

tutti_bench_traffic tutti_bench_update_traffic(int64_t count, int n_sources, int n_slots) {
  const double parameters = (double)count * sizeof(float);
  const int arrays = n_sources + 1 + n_slots, written = 1 + n_slots + (n_sources > 1);
  return (tutti_bench_traffic){.bytes = parameters * (arrays + written), .working_set = parameters * arrays};
}

int tutti_bench_memory_for(const tutti_bench_memory *memories, int n, double working_set) {
  int i = 0;
  while (i < n - 1 && memories[i].working_set < working_set) i++;
  return i;
}

// --- of a run

/** The micro-batches of a step. */
typedef struct {
  const tutti_bench_products *products;
  tutti_bench_traffic traffic; // of the products
  int64_t rows, most_rows;
} step_passes;

static void add_pass(void *context, const tutti_probe_micro_batch *pass) {
  step_passes *passes = context;
  tutti_bench_products_traffic(passes->products, pass, &passes->traffic);
  passes->rows += pass->rows;
  if (pass->rows > passes->most_rows) passes->most_rows = pass->rows;
}

static tutti_status count_layers(const tutti_model *model, const step_passes *passes,
                                 tutti_bench_traffic *traffic) {
  tutti_layer_info *layers = NULL;
  const int n = tutti_model_n_layers(model);
  TUTTI_TRY(TUTTI_NEW(layers, n));
  for (int i = 0; i < n; i++) tutti_model_layer(model, i, &layers[i]);
  *traffic = tutti_bench_layers_traffic(layers, n, passes->rows, passes->most_rows);
  tutti_free(layers);
  return TUTTI_OK;
}

static tutti_status count_rank(const tutti_probe *probe, const tutti_bench_products *products,
                               tutti_bench_traffic traffic[TUTTI_BENCH_N_PARTS]) {
  const tutti_run *run = tutti_train_probe_run(probe);
  const tutti_dataset *data = run->dataset;
  step_passes passes = {.products = products};
  tutti_train_probe_visit_micro_batches(probe, add_pass, &passes);
  traffic[TUTTI_BENCH_PART_PRODUCTS] = passes.traffic;
  traffic[TUTTI_BENCH_PART_DATA] =
      tutti_bench_data_traffic(passes.rows, run->samples.train.n, tutti_dataset_sample_bytes(data),
                               tutti_dataset_n_features(data) + tutti_dataset_n_targets(data));
  // Some reducers sum the gradients when the update needs them.
  traffic[TUTTI_BENCH_PART_UPDATE] =
      tutti_bench_update_traffic(tutti_reducer_slice(run->reducer)->n, tutti_reducer_n_sources(run->reducer),
                                 tutti_optim_n_slots(run->optim));
  return count_layers(run->network.model, &passes, &traffic[TUTTI_BENCH_PART_OTHER]);
}

tutti_status tutti_bench_count_traffic(const tutti_bench_setup *setup, const tutti_bench_products *products,
                                       tutti_bench_step *step) {
  TUTTI_TRY(tutti_comm_agree(setup->comm, count_rank(setup->probe, products, step->traffic)));
  for (int part = 0; part < TUTTI_BENCH_N_PARTS; part++) {
    TUTTI_TRY(tutti_comm_sum(setup->comm, &step->traffic[part].bytes, 1));
    TUTTI_TRY(tutti_comm_max(setup->comm, &step->traffic[part].working_set, 1));
  }
  return TUTTI_OK;
}
