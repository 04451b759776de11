/** What it costs to bring the gradients of all ranks together and the parameters back to them.  The reduction is that of
 * `tutti bench` (src/bench/reduction.c), with an update that copies the sums. */
#include <stdio.h>

#include "base/text.h"
#include "bench/reduction_impl.h"
#include "support/bench.h"

static const tutti_reduce_kind kinds[] = {TUTTI_REDUCE_FLAT, TUTTI_REDUCE_SHARED, TUTTI_REDUCE_TREE,
                                          TUTTI_REDUCE_PIPELINED};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

/** On a single node `pipelined` is `shared`. */
static int count_kinds(const tutti_comm *comm) {
  return tutti_comm_n_nodes(comm) > 1 ? N_KINDS : N_KINDS - 1;
}

static tutti_status run(void *context) {
  return tutti_bench_reduction_run(context, 1);
}

/** The sum over leaves; gradients are small integers, so it is exact. */
static float gradient_sum(int n_leaves, int64_t i) {
  return (float)(n_leaves * (n_leaves + 1) / 2) * tutti_bench_reduction_gradient(0, i);
}

static tutti_status check(void *context, double *checksum) {
  const tutti_bench_reduction *r = context;
  const char *name = tutti_reducer_name(r->reducer);
  const int n_leaves = tutti_reducer_n_leaves(r->reducer);
  TUTTI_TRY(run(context));
  const float *params = tutti_reducer_params(r->reducer);
  for (int64_t i = 0; i < r->n; i++)
    TUTTI_CHECK(params[i] == gradient_sum(n_leaves, i), TUTTI_ERR_INTERNAL,
                "%s: parameter %lld is %.9g, not %.9g", name, (long long)i, (double)params[i],
                (double)gradient_sum(n_leaves, i));
  TUTTI_CHECK(r->tail[0][TUTTI_TAIL_SAMPLES] == n_leaves, TUTTI_ERR_INTERNAL,
              "%s: the tail has %.9g of %d samples", name, r->tail[0][TUTTI_TAIL_SAMPLES], n_leaves);
  *checksum = bench_checksum(params, r->n) / ((double)n_leaves * (n_leaves + 1));
  return TUTTI_OK;
}

static tutti_status run_length(const bench *b, int64_t n, int n_leaves) {
  tutti_bench_reduction jobs[N_KINDS] = {{0}};
  bench_variant variants[N_KINDS];
  char shape[32];
  snprintf(shape, sizeof shape, "%lld", (long long)n);
  if (!bench_wants(b, "reduce", shape)) return TUTTI_OK;
  tutti_status status = TUTTI_OK;
  const int n_kinds = count_kinds(b->comm);
  for (int k = 0; k < n_kinds; k++) {
    TUTTI_TRY_GOTO(done, tutti_bench_reduction_create(b->comm, kinds[k], n, n_leaves, &jobs[k]));
    jobs[k].updates = true;
    variants[k] = (bench_variant){.name = tutti_reducer_name(jobs[k].reducer),
                                  .run = run,
                                  .check = check,
                                  .context = &jobs[k],
                                  .aside = &jobs[k].aside};
  }
  TUTTI_TRY_GOTO(done, bench_run(b, &(bench_case){.what = "reduce",
                                                  .shape = shape,
                                                  .items = (double)n,
                                                  .work = (double)n * sizeof(float),
                                                  .unit = "GB/s",
                                                  .variants = variants,
                                                  .n_variants = n_kinds}));
done:
  for (int k = 0; k < N_KINDS; k++) tutti_bench_reduction_destroy(&jobs[k]);
  return status;
}

static tutti_status run_all(const bench *b) {
  static const int64_t lengths[] = {4070, 407050, 20000000}, short_lengths[] = {1, 4070, 20000};
  const char *text = bench_option(b, "leaves", "64");
  int64_t n_leaves = 0;
  TUTTI_CHECK(tutti_text_integer(text, &n_leaves) && n_leaves >= 1 && n_leaves <= 4096, TUTTI_ERR_USAGE,
              "--leaves=%s: expected a number from 1 to 4096", text);
  for (int i = 0; i < 3; i++)
    TUTTI_TRY(run_length(b, b->is_short ? short_lengths[i] : lengths[i], (int)n_leaves));
  return TUTTI_OK;
}

int main(int argc, char **argv) {
  return bench_main(argc, argv,
                    &(bench_program){.name = "bench_reducers",
                                     .question =
                                         "How long does it take to sum the gradients of all ranks, to read a "
                                         "slice of the sum, to write\n"
                                         "the parameters of this slice, and to publish them?  To be started "
                                         "by mpirun.  The shape is the\n"
                                         "number of parameters; --leaves=64 sets the leaves of `tree`.",
                                     .options = (const char *const[]){"leaves", NULL}},
                    run_all);
}
