#include "parse.h"

static void what_is_needed_is_asked_for(void **state) {
  (void)state;
  tutti_config c;
  CHECK_FAILS(tutti_config_parse("", "f.yaml", NULL, 0, &c), TUTTI_ERR_CONFIG,
              "f.yaml: data.file is missing");
  CHECK_FAILS(tutti_config_parse("", "f.yaml", NULL, 0, &c), TUTTI_ERR_CONFIG, "--data.file=data/mnist.h5");
  CHECK_FAILS(tutti_config_parse(NULL, NULL, NULL, 0, &c), TUTTI_ERR_CONFIG,
              "no config file: data.file is missing");
  CHECK_FAILS(tutti_config_parse("data: {file: d}\n", "f", NULL, 0, &c), TUTTI_ERR_CONFIG,
              "--model.layers='dense 512");
  CHECK_FAILS(tutti_config_parse("data: {file: d}\nmodel: {layers: []}\n", "f", NULL, 0, &c),
              TUTTI_ERR_CONFIG, "model.layers is missing");
}

static void metrics_of_validation_want_its_rows(void **state) {
  (void)state;
  tutti_config c;
  CHECK_REFUSED(
      "train: {stop_at: val_accuracy >= 0.9}\n",
      "run.yaml:3:18: train.stop_at: val_accuracy needs validation rows; hold some out, for example with "
      "data.validation_split: 0.1, or use accuracy");
  CHECK_REFUSED("train: {monitor: val_loss}\n",
                "run.yaml:3:18: train.monitor: val_loss needs validation rows");
  CHECK_OK(PARSE("train: {monitor: loss, stop_at: accuracy > 0.9, patience: 2}\n", &c));
  tutti_config_clear(&c);
  const tutti_override split = {"data.validation_split", "0.1"};
  CHECK_FAILS(
      tutti_config_parse(NEEDED "train: {monitor: val_loss, evaluate_every: 0}\n", "run.yaml", &split, 1, &c),
      TUTTI_ERR_CONFIG, "val_loss is never evaluated");
  CHECK_OK(tutti_config_parse(NEEDED "train: {monitor: val_loss, patience: 2}\n", "run.yaml", &split, 1, &c));
  tutti_config_clear(&c);
  CHECK_REFUSED("train: {monitor: ema_val_loss}\n",
                "run.yaml:3:18: train.monitor: ema_val_loss needs an average of the weights; set "
                "optimizer.ema_momentum");
  CHECK_REFUSED("train: {stop_at: ema_val_loss < 1}\noptimizer: {ema_momentum: 0.9}\n",
                "ema_val_loss needs validation rows");
  CHECK_OK(tutti_config_parse(NEEDED "train: {monitor: ema_val_loss}\noptimizer: {ema_momentum: 0.9}\n",
                              "run.yaml", &split, 1, &c));
  tutti_config_clear(&c);
}

static void keys_that_need_another_ask_for_it(void **state) {
  (void)state;
  CHECK_REFUSED("train: {patience: 3}\n", "run.yaml:3:19: train.patience: patience watches train.monitor");
  CHECK_REFUSED("schedule: {scaling: adascale, base_batch_size: 8}\noptimizer: {name: adam}\n",
                "adascale works with optimizer.name sgd");
  CHECK_REFUSED("schedule: {scaling: adascale, base_batch_size: 64}\noptimizer: {name: sgd}\n",
                "base_batch_size is 64 and train.batch_size is 32");
  CHECK_REFUSED(
      "schedule: {scaling: adascale, base_batch_size: 8, batch_growth: geometric}\noptimizer: {name: sgd}\n",
      "schedule.batch_growth adapts the batch size; keep one");
  CHECK_REFUSED("schedule: {scaling: linear}\n",
                "run.yaml:3:21: schedule.scaling: scaling needs schedule.base_batch");
  CHECK_REFUSED(
      "schedule: {base_batch_size: 64}\n",
      "run.yaml:3:29: schedule.base_batch_size: base_batch_size has no effect without schedule.scaling");
  CHECK_REFUSED("schedule: {batch_growth: step}\n",
                "run.yaml:3:26: schedule.batch_growth: step needs schedule.batch_milestones");
}

static void a_batch_grows_in_the_place_of_a_decay(void **state) {
  (void)state;
  tutti_config c;
  CHECK_REFUSED("schedule: {decay: cosine, batch_growth: geometric}\n",
                "run.yaml:3:19: schedule.decay: schedule.batch_growth replaces the decay");
  CHECK_REFUSED("schedule: {batch_growth: geometric, batch_max: 31}\n",
                "run.yaml:3:48: schedule.batch_max: 31 is below train.batch_size, 32");
  CHECK_REFUSED("schedule: {batch_growth: geometric, batch_factor: 1}\n", "'1' is out of range");
  CHECK_OK(PARSE("schedule: {batch_growth: geometric, batch_max: 32}\n", &c));
  assert_true(c.schedule.batch_factor == 5 && c.schedule.batch_every.value == 10 &&
              c.schedule.batch_max == 32);
  tutti_config_clear(&c);
  CHECK_OK(PARSE("schedule: {batch_growth: step, batch_milestones: [60, 120, 160 epochs], warmup: 3 steps}\n",
                 &c));
  assert_true(c.schedule.batch_milestones.n == 3 && c.schedule.batch_milestones.values[1] == 120);
  assert_true(c.schedule.batch_growth == TUTTI_GROWTH_STEP && c.schedule.batch_max == 0);
  tutti_config_clear(&c);
}

static void keys_without_an_effect_are_refused(void **state) {
  (void)state;
  tutti_config c;
  CHECK_REFUSED(
      "schedule: {decay_rate: 0.1}\n",
      "run.yaml:3:24: schedule.decay_rate: it has an effect only with schedule.decay step or exponential");
  CHECK_REFUSED("schedule: {decay: step, decay_patience: 3}\n",
                "schedule.decay_patience: it has an effect only with schedule.decay plateau");
  CHECK_REFUSED("schedule: {decay: plateau}\n", "hold rows out, for example with data.validation_split");
  CHECK_REFUSED("schedule: {decay: cosine, decay_every: 1 epochs}\n",
                "schedule.decay_every: it has an effect only");
  CHECK_REFUSED("schedule: {decay: exponential, decay_milestones: 3 epochs}\n",
                "only with schedule.decay step");
  CHECK_REFUSED("schedule: {decay: step, decay_every: 1 epochs, decay_milestones: 3 epochs}\n",
                "run.yaml:3:38: schedule.decay_every: schedule.decay_milestones decides when the rate falls");
  CHECK_REFUSED("schedule: {decay: step, decay_milestones: 3}\n", "lacks a unit");
  CHECK_REFUSED("schedule: {decay: step, decay_milestones: [3 epochs, 2 epochs]}\n",
                "2 does not come after 3");
  CHECK_REFUSED("schedule: {decay: step, decay_milestones: [3 epochs, [2]]}\n", "item 2 is not a count");
  CHECK_REFUSED("schedule: {decay: step, decay_milestones: 1.5 steps}\n", "is not whole");
  CHECK_REFUSED("schedule: {batch_factor: 2}\n",
                "schedule.batch_factor: it has an effect only with schedule.batch_growth step or geometric");
  CHECK_REFUSED("schedule: {batch_growth: step, batch_milestones: 1 epoch, batch_every: 1 epochs}\n",
                "schedule.batch_every: it has an effect only with schedule.batch_growth geometric");
  CHECK_REFUSED("schedule: {batch_growth: geometric, batch_milestones: 1 epoch}\n",
                "schedule.batch_milestones: it has an effect only with schedule.batch_growth step");
  CHECK_REFUSED("schedule: {decay: cosine, decay_power: 2}\n", "only with schedule.decay polynomial");
  CHECK_REFUSED("schedule: {decay: step, decay_over: 5 epochs}\n", "polynomial or cosine");
  CHECK_REFUSED("schedule: {decay: exponential, decay_end: 0}\n", "polynomial or cosine");
  CHECK_FAILS(tutti_config_parse("data: {file: d, validation_take: last}\nmodel: {layers: dense 1}\n", "f",
                                 NULL, 0, &c),
              TUTTI_ERR_CONFIG,
              "f:1:34: data.validation_take: it has an effect only with data.validation_split");
  CHECK_OK(PARSE("schedule: {decay: step, decay_rate: 0.5, decay_every: 2 epochs}\n", &c));
  assert_true(c.schedule.decay_rate == 0.5 && c.schedule.decay_every.value == 2);
  tutti_config_clear(&c);
}

static void the_optimizer_is_resolved_or_refused_in_place(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE("optimizer: {name: adam, dialect: torch}\n", &c));
  assert_true(c.optimizer.epsilon == 1e-8 && c.optimizer.beta_2 == 0.999 && c.optimizer.weight_decay == 0);
  tutti_config_clear(&c);
  CHECK_REFUSED("optimizer: {name: adam, momentum: 0.9}\n",
                "run.yaml:3:35: optimizer.momentum is 0.9, but adam");
  CHECK_REFUSED("optimizer: {name: adam, nesterov: yes}\n", "run.yaml:3:35: optimizer.nesterov");
  CHECK_REFUSED("optimizer: {name: sgd, nesterov: yes}\n", "momentum");
  CHECK_REFUSED("optimizer: {clipnorm: 1, clipvalue: 2}\n",
                "run.yaml:3:23: optimizer.clipnorm and optimizer.clipvalue");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_needed_is_asked_for),
      cmocka_unit_test(metrics_of_validation_want_its_rows),
      cmocka_unit_test(keys_that_need_another_ask_for_it),
      cmocka_unit_test(a_batch_grows_in_the_place_of_a_decay),
      cmocka_unit_test(keys_without_an_effect_are_refused),
      cmocka_unit_test(the_optimizer_is_resolved_or_refused_in_place),
  };
  return cmocka_run_group_tests_name("config.check", tests, NULL, check_no_leak);
}
