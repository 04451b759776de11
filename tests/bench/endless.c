#include "bench/endless.h"

#include <stdio.h>

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
