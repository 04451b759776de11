#pragma once
/** One reducer at work, without a training: for tutti_bench_repeat. */
#include "tutti/par.h"

typedef struct {
  const tutti_comm *comm; // borrowed
  tutti_reducer *reducer;
  int64_t n;                    // parameters
  bool updates;                 // the sums of the slice become its parameters; else they are only read
  double (*tail)[TUTTI_N_TAIL]; // [max(1, own leaves)]
  double aside;                 // seconds spent on making gradients up, as tutti_bench_repeat.aside
} tutti_bench_reduction;

/** Create a reducer.  Collective over comm.
 * @param[in]  n_leaves   leaves of the reducer `tree`
 * @param[out] reduction  the caller's: tutti_bench_reduction_destroy, also after a failure
 * @return (agreed by comm) as tutti_reducer_create; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_bench_reduction_create(const tutti_comm *comm, tutti_reduce_kind kind, int64_t n,
                                          int n_leaves, tutti_bench_reduction *reduction);
void tutti_bench_reduction_destroy(tutti_bench_reduction *reduction); // Collective.

/** Reduce n times.  Collective; `context` is a tutti_bench_reduction.  Each time, every leaf gets its gradient; then
 * all ranks begin together. */
tutti_status tutti_bench_reduction_run(void *context, int64_t n);

/** The gradient of parameter i that leaf number `leaf` makes up: a small integer, so that sums are exact.  Local. */
float tutti_bench_reduction_gradient(int leaf, int64_t i);
