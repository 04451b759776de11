/** What it costs to bring the gradients of all ranks together and the parameters back to them. */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "support/bench.h"

static const tutti_reduce_kind kinds[] = {TUTTI_REDUCE_FLAT, TUTTI_REDUCE_SHARED, TUTTI_REDUCE_TREE};
enum { N_KINDS = sizeof kinds / sizeof kinds[0], UPDATE = 8 * TUTTI_BLOCK, PERIOD = 17 };

/** A kind of reducer at work.  Gradients are small integers, so that sums are exact whatever their order. */
typedef struct {
  const tutti_comm *comm;
  tutti_reducer *reducer;
  int64_t n;
  double (*tail)[TUTTI_N_TAIL]; // [max(1, own leaves)]
  double aside;                 // seconds of making gradients up
} job;

static float gradient(int leaf, int64_t i) {
  return (float)((leaf + 1) * (i % PERIOD - 8));
}

static float gradient_sum(int n_leaves, int64_t i) {
  return (float)(n_leaves * (n_leaves + 1) / 2 * (i % PERIOD - 8));
}

/** Quickly: on a core that ranks share, the one that comes first from a barrier would else keep it for long, from those
 * who have yet to see that it is over. */
static void fill(float *grads, int64_t n, int leaf) {
  float period[PERIOD];
  for (int k = 0; k < PERIOD; k++) period[k] = gradient(leaf, k);
  for (int64_t i = 0; i + PERIOD <= n; i += PERIOD)
    for (int k = 0; k < PERIOD; k++) grads[i + k] = period[k];
  for (int64_t i = n - n % PERIOD; i < n; i++) grads[i] = gradient(leaf, i);
}

static tutti_status make_up(job *j, int leaf, bool last) {
  const double start = tutti_clock_s();
  fill(tutti_reducer_leaf(j->reducer, leaf), j->n, leaf);
  if (last) TUTTI_TRY(tutti_barrier(j->comm)); // nobody waits for another's numbers in what is timed
  j->aside += tutti_clock_s() - start;
  return TUTTI_OK;
}

/** As an optimizer would: block by block, while they are in the cache. */
static void update(job *j) {
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(j->reducer, &begin, &end);
  float *params = tutti_reducer_params(j->reducer);
  for (int64_t at = begin; at < end; at += UPDATE) {
    const int64_t count = end - at < UPDATE ? end - at : UPDATE;
    const float *grads = tutti_reducer_gradient(j->reducer, at, count);
    for (int64_t i = 0; i < count; i++) params[at + i] = grads[i];
  }
}

static tutti_status run(void *context) {
  job *j = context;
  int first = 0, count = 0;
  tutti_reducer_own_leaves(j->reducer, &first, &count);
  for (int i = 0; i < count; i++) {
    TUTTI_TRY(make_up(j, first + i, i + 1 == count));
    tutti_reducer_leaf_done(j->reducer, first + i, 0, j->n);
    for (int slot = 0; slot < TUTTI_N_TAIL; slot++) j->tail[i][slot] = 0;
    j->tail[i][TUTTI_TAIL_SAMPLES] = 1;
  }
  if (count == 0) {
    for (int slot = 0; slot < TUTTI_N_TAIL; slot++) j->tail[0][slot] = 0;
    TUTTI_TRY(tutti_barrier(j->comm)); // as the others do
  }
  TUTTI_TRY(tutti_reducer_reduce(j->reducer, j->tail));
  update(j);
  return tutti_reducer_publish(j->reducer);
}

static tutti_status check(void *context, double *checksum) {
  job *j = context;
  const char *name = tutti_reducer_name(j->reducer);
  const int n_leaves = tutti_reducer_n_leaves(j->reducer);
  TUTTI_TRY(run(j));
  const float *params = tutti_reducer_params(j->reducer);
  for (int64_t i = 0; i < j->n; i++)
    TUTTI_CHECK(params[i] == gradient_sum(n_leaves, i), TUTTI_ERR_INTERNAL,
                "%s: parameter %lld is %.9g, not %.9g", name, (long long)i, (double)params[i],
                (double)gradient_sum(n_leaves, i));
  TUTTI_CHECK(j->tail[0][TUTTI_TAIL_SAMPLES] == n_leaves, TUTTI_ERR_INTERNAL,
              "%s: the tail has %.9g of %d samples", name, j->tail[0][TUTTI_TAIL_SAMPLES], n_leaves);
  *checksum = bench_checksum(params, j->n) / ((double)n_leaves * (n_leaves + 1));
  return TUTTI_OK;
}

static tutti_status create(const bench *b, tutti_reduce_kind kind, int64_t n, int n_leaves, job *j) {
  *j = (job){.comm = b->comm, .n = n};
  TUTTI_TRY(tutti_reducer_create(b->comm, kind, n, n_leaves, &j->reducer));
  int first = 0, count = 0;
  tutti_reducer_own_leaves(j->reducer, &first, &count);
  return tutti_agree(b->comm, TUTTI_NEW(j->tail, count > 0 ? count : 1));
}

static tutti_status run_length(const bench *b, int64_t n, int n_leaves) {
  job jobs[N_KINDS] = {{0}};
  bench_variant variants[N_KINDS];
  char shape[32];
  snprintf(shape, sizeof shape, "%lld", (long long)n);
  if (!bench_wants(b, "reduce", shape)) return TUTTI_OK;
  tutti_status status = TUTTI_OK;
  for (int k = 0; k < N_KINDS; k++) {
    TUTTI_TRY_GOTO(done, create(b, kinds[k], n, n_leaves, &jobs[k]));
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
                                                  .n_variants = N_KINDS}));
done:
  for (int k = 0; k < N_KINDS; k++) {
    tutti_reducer_destroy(&jobs[k].reducer);
    tutti_free(jobs[k].tail);
  }
  return status;
}

static tutti_status run_all(const bench *b) {
  static const int64_t lengths[] = {4070, 407050, 20000000}, short_lengths[] = {1, 4070, 20000};
  const char *text = bench_option(b, "leaves", "64");
  int64_t n_leaves = 0;
  TUTTI_CHECK(tutti_text_integer(text, &n_leaves) && n_leaves >= 1 && n_leaves <= 4096, TUTTI_ERR_USAGE,
              "--leaves=%s: want a number from 1 to 4096", text);
  for (int i = 0; i < 3; i++)
    TUTTI_TRY(run_length(b, b->is_short ? short_lengths[i] : lengths[i], (int)n_leaves));
  return TUTTI_OK;
}

int main(int argc, char **argv) {
  return bench_main(
      argc, argv,
      &(bench_program){.name = "bench_reducers",
                       .question =
                           "What does it cost to sum the gradients of all ranks, read the own slice of the "
                           "sum, write the\n"
                           "parameters of that slice and bring them to all?  To be started by mpirun.\n"
                           "The shape is the number of parameters; --leaves=64 are those of `tree`.",
                       .options = (const char *const[]){"leaves", NULL}},
      run_all);
}
