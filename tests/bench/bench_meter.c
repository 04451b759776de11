/** What run.measure adds to a training step. */
#include <stdio.h>

#include "bench/endless.h"
#include "measure/noise_impl.h"
#include "train/train_impl.h"

static const char *const measures[] = {"none", "noise", "norms", "all"};
enum { N = sizeof measures / sizeof *measures };

/** A training that repeats epoch 0.  A run has the steps from one measured step to the next. */
typedef struct {
  tutti_config config;
  tutti_run run;
  int64_t n_steps;
  const double *baseline; // checksum of the training that measures nothing
  double loss;
} training;

static tutti_status step(training *t) {
  tutti_train_step_result result;
  TUTTI_TRY(endless_step(&t->run, &result));
  t->loss = result.loss;
  return TUTTI_OK;
}

static tutti_status steps(void *context) {
  training *t = context;
  for (int64_t i = 0; i < t->n_steps; i++) TUTTI_TRY(step(t));
  return TUTTI_OK;
}

/** The weights after the first steps: measuring changes nothing. */
static tutti_status check(void *context, double *checksum) {
  training *t = context;
  TUTTI_TRY(steps(t));
  TUTTI_TRY(step(t));
  *checksum = t->loss;
  TUTTI_CHECK(t->loss == *t->baseline || t->baseline == &t->loss, TUTTI_ERR_INTERNAL,
              "measure=%s: the loss is %.17g, without it %.17g", measures[t->config.run.measure], t->loss,
              *t->baseline);
  return TUTTI_OK;
}

static tutti_status create(const bench *b, const char *file, int64_t batch, const char *measure,
                           training *t) {
  TUTTI_TRY(tutti_comm_agree(b->comm, endless_parse(b, file, batch, measure, &t->config)));
  TUTTI_TRY(tutti_train_create(b->comm, &t->config, &t->run));
  t->n_steps = tutti_measure_noise_every(batch);
  return tutti_train_begin(&t->run);
}

static tutti_status run_batch(const bench *b, const char *file, int64_t batch, const char *shape) {
  training trainings[N] = {0};
  bench_variant variants[N];
  tutti_status status = TUTTI_OK;
  for (int i = 0; i < N; i++) {
    TUTTI_TRY_GOTO(done, create(b, file, batch, measures[i], &trainings[i]));
    trainings[i].baseline = &trainings[0].loss;
    variants[i] =
        (bench_variant){.name = measures[i], .run = steps, .check = check, .context = &trainings[i]};
  }
  const double samples = (double)(batch * trainings[0].n_steps);
  TUTTI_TRY_GOTO(done,
                 bench_run(b, &(bench_case){"measure", shape, samples, samples, "Gsamples/s", variants, N}));
done:
  for (int i = 0; i < N; i++) {
    tutti_train_destroy(&trainings[i].run);
    tutti_config_clear(&trainings[i].config);
  }
  return status;
}

static tutti_status run_all(const bench *b) {
  static const int64_t batches[] = {16, 128, 1024, 8192}, short_batches[] = {1, 7, 100, 200};
  return endless_batches(b, "measure", b->is_short ? short_batches : batches, 4, run_batch);
}

int main(int argc, char **argv) {
  return bench_main(
      argc, argv,
      &(bench_program){
          .name = "bench_meter",
          .question =
              "How much slower is a training with run.measure, which measures as often as by default?\n"
              "The baseline measures nothing.  A run is the steps from one measured step to the next;\n"
              "the shape is the global batch.\n"
              "  --layers='dense 512 relu, dense 10 softmax'  --optimizer=rmsprop  "
              "--reduce=auto",
          .options = (const char *const[]){ENDLESS_OPTIONS, NULL}},
      run_all);
}
