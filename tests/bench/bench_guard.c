/** What the guards of a training add to its steps: the thread that notices lost ranks, and the comparison of the weights
 * of all ranks. */
#include <stdio.h>

#include "base/clock.h"
#include "bench/endless.h"

/** What guards the steps of a variant. */
typedef struct {
  tutti_run *run;
  int64_t n_steps;
  bool is_watched, is_compared;
  double aside;            // seconds that starting and ending the watchdog took
  double loss;             // of the last step
  const double *unguarded; // that of the baseline
} guarded;

/** Nobody is lost in a benchmark, but ranks of a machine that is busy elsewhere could be late. */
static void ignore_loss(const char *what, bool first, double limit) {
  (void)limit;
  if (first) fprintf(stderr, "# %s\n", what);
}

static tutti_status watch(guarded *g, tutti_comm **watched) {
  static const double limit_s = 10; // as by default
  const double start = tutti_clock_s();
  tutti_status status = TUTTI_OK;
  if (g->is_watched) {
    TUTTI_TRY(tutti_comm_create_world(watched));
    status = tutti_comm_watch(*watched, limit_s, ignore_loss);
  }
  g->aside += tutti_clock_s() - start;
  return status;
}

static void unwatch(guarded *g, tutti_comm **watched) {
  const double start = tutti_clock_s();
  tutti_comm_destroy(watched);
  g->aside += tutti_clock_s() - start;
}

static tutti_status step(guarded *g) {
  tutti_train_step_result result;
  TUTTI_TRY(endless_step(g->run, &result));
  g->loss = result.loss;
  return g->is_compared && g->run->state.at.step % g->n_steps == 0 ? tutti_run_check_same(g->run) : TUTTI_OK;
}

static tutti_status steps(void *context) {
  guarded *g = context;
  tutti_comm *watched = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, watch(g, &watched));
  for (int64_t i = 0; i < g->n_steps; i++) TUTTI_TRY_GOTO(done, step(g));
done:
  unwatch(g, &watched);
  return status;
}

/** Guards change nothing: the first steps of a training give the same loss, bit for bit. */
static tutti_status check(void *context, double *checksum) {
  guarded *timed = context;
  tutti_run run = {0};
  guarded first = *timed;
  tutti_status status = TUTTI_OK;
  first.run = &run;
  TUTTI_TRY_GOTO(done, tutti_train_create(timed->run->comm, timed->run->config, &run));
  TUTTI_TRY_GOTO(done, tutti_train_begin(&run));
  TUTTI_TRY_GOTO(done, steps(&first));
  *checksum = timed->loss = first.loss;
  TUTTI_CHECK_GOTO(done, timed->loss == *timed->unguarded, TUTTI_ERR_INTERNAL,
                   "the loss is %.17g, without guards %.17g", timed->loss, *timed->unguarded);
done:
  tutti_train_destroy(&run);
  return status;
}

static tutti_status measure(const bench *b, tutti_run *run, const char *shape) {
  // One comparison, and some looks of the watchdog.
  const int64_t n_steps = b->is_short ? 10 : (int64_t)run->config->parallel.check_every.value;
  guarded kinds[] = {{.run = run, .n_steps = n_steps},
                     {.run = run, .n_steps = n_steps, .is_watched = true},
                     {.run = run, .n_steps = n_steps, .is_compared = true},
                     {.run = run, .n_steps = n_steps, .is_watched = true, .is_compared = true}};
  static const char *const names[] = {"none", "watchdog", "comparison", "both"};
  enum { N = sizeof kinds / sizeof *kinds };
  bench_variant variants[N];
  for (int i = 0; i < N; i++) {
    kinds[i].unguarded = &kinds[0].loss;
    variants[i] = (bench_variant){
        .name = names[i], .run = steps, .check = check, .context = &kinds[i], .aside = &kinds[i].aside};
  }
  const double samples = (double)(run->plan.epoch.batch * n_steps);
  return bench_run(b, &(bench_case){"guard", shape, samples, samples, "Gsamples/s", variants, N});
}

static tutti_status run_batch(const bench *b, const char *file, int64_t batch, const char *shape) {
  return endless_train(b, file, batch, shape, measure);
}

static tutti_status run_all(const bench *b) {
  static const int64_t batches[] = {128, 1024}, short_batches[] = {7, 100};
  return endless_batches(b, "guard", b->is_short ? short_batches : batches, 2, run_batch);
}

int main(int argc, char **argv) {
  return bench_main(
      argc, argv,
      &(bench_program){
          .name = "bench_guard",
          .question =
              "How much slower is a training that is guarded?  The watchdog is the thread that notices lost\n"
              "ranks; the comparison is that of all ranks' weights, every 200 steps.  The baseline has "
              "none.\n"
              "A run is 200 steps, and the shape is the global batch.\n"
              "  --layers='dense 512 relu, dense 10 softmax'  --optimizer=rmsprop  --reduce=auto",
          .options = (const char *const[]){ENDLESS_OPTIONS, NULL}},
      run_all);
}
