#include "bench/endless.h"

#include <stdio.h>

#include "bench/samples.h"

tutti_status endless_parse(const bench *b, const char *file, int64_t batch, const char *measure,
                           tutti_config *config) {
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)batch);
  const tutti_override overrides[] = {
      {"data.file", file},
      {"model.layers",
       bench_option(b, "layers",
                    b->is_short ? "dense 16 relu, dense 10 softmax" : "dense 512 relu, dense 10 softmax")},
      {"optimizer.name", bench_option(b, "optimizer", "rmsprop")},
      {"parallel.reduce", bench_option(b, "reduce", "auto")},
      {"train.batch_size", text},
      {"train.steps", "1000000000"},
      {"run.measure", measure}};
  return tutti_config_parse(NULL, NULL, overrides, sizeof overrides / sizeof *overrides, config);
}

tutti_status endless_step(tutti_run *run, tutti_train_step_result *result) {
  TUTTI_TRY(tutti_train_step(run, NULL, result));
  TUTTI_CHECK(result->finite, TUTTI_ERR_INTERNAL, "the loss is not finite at step %lld",
              (long long)run->state.at.step);
  const int64_t next = tutti_plan_move(&run->plan, tutti_run_position(run), 1).place;
  run->state.at.step++;
  run->state.at.place = next % run->plan.epoch.n; // the first epoch, over and over
  run->state.at.step_in_epoch = run->state.at.place > 0 ? run->state.at.step_in_epoch + 1 : 0;
  return TUTTI_OK;
}

static tutti_status run_batches(const bench *b, const char *what, const int64_t *batches, int n,
                                endless_batch *run, const char *file) {
  for (int i = 0; i < n; i++) {
    char shape[32];
    snprintf(shape, sizeof shape, "%lld", (long long)batches[i]);
    if (bench_wants(b, what, shape)) TUTTI_TRY(run(b, file, batches[i], shape));
  }
  return TUTTI_OK;
}

tutti_status endless_batches(const bench *b, const char *what, const int64_t *batches, int n,
                             endless_batch *run) {
  const char *given = bench_option(b, "file", NULL);
  if (given) return run_batches(b, what, batches, n, run, given);
  const samples_size size = b->is_short ? (samples_size){200, 33, 10} : (samples_size){16384, 784, 10};
  char path[256] = "";
  TUTTI_TRY(samples_write(b->comm, size, path));
  const tutti_status status = run_batches(b, what, batches, n, run, path);
  samples_remove(b->comm, path);
  return status;
}

tutti_status endless_train(const bench *b, const char *file, int64_t batch, const char *shape,
                           endless_measure *measure) {
  tutti_config config = {0};
  tutti_run run = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, endless_parse(b, file, batch, "none", &config)));
  TUTTI_TRY_GOTO(done, tutti_train_create(b->comm, &config, &run));
  TUTTI_TRY_GOTO(done, tutti_train_begin(&run));
  TUTTI_TRY_GOTO(done, measure(b, &run, shape));
done:
  tutti_train_destroy(&run);
  tutti_config_clear(&config);
  return status;
}
