/** Runs that continue from a checkpoint that the user names, as another training: other batches, warmup, options of the
 * optimizer, data. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/training.h"

static void a_named_checkpoint_continues_with_other_numbers(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "small", training_yaml, (training_overrides){"train.epochs=2"}, &result));
  char resume[TRAINING_TEXT];
  training_path(&folder, "run.resume=", "small/checkpoint.h5", resume);
  EXPECT_OK(training_run(comm, &folder, "large", training_yaml,
                         (training_overrides){resume, "train.batch_size=100"}, &result));
  EXPECT(result.row.epoch == 4, "epoch %lld", (long long)result.row.epoch);
  EXPECT_FAILS(training_run(comm, &folder, "spent", training_yaml,
                            (training_overrides){resume, "train.batch_size=100", "train.epochs=2"}, &result),
               TUTTI_ERR_CONFIG, "nothing would be trained");
  // another model's weights do not fit
  EXPECT_FAILS(training_run(comm, &folder, "other", training_yaml,
                            (training_overrides){resume, "model.layers=dense 5, dense 3 softmax"}, &result),
               TUTTI_ERR_DATA, "/model/weights/");
  training_folder_remove(comm, &folder);
}

/** The rate rises from step 16 on over an epoch, 7 batches of 40 and one of 20, to what the decay gives. */
static void check_warmed(const training_folder *folder, const char *name, int64_t latest) {
  enum { MAX = 64 };
  tutti_metrics_row rows[MAX];
  const int64_t n = training_rows(folder, name, "steps", rows, MAX);
  EXPECT(n > 0 && rows[0].step > 16 && rows[0].step <= latest && rows[n - 1].step == 32, "%s: %lld rows",
         name, (long long)n);
  for (int64_t i = 0; i < n; i++) {
    const double step = (double)rows[i].step, part = fmin((step - 16) * 40 / 300, 1);
    const double rate = 0.001 * part * pow(0.9, (step - 1 - 8) / 10);
    EXPECT(fabs(rows[i].learning_rate - rate) <= 1e-12, "%s: step %g: rate %g and %g", name, step,
           rows[i].learning_rate, rate);
  }
}

/** If the warmup differs from that of the checkpoint, it begins where the run continues, and only there, even if the run
 * is stopped again. */
static void another_warmup_begins_where_a_run_continues(const tutti_comm *comm) {
  static const char *const warmup = "schedule.warmup=1 epoch", *const each = "run.metrics_every=1 step";
  training_folder folder;
  tutti_train_result result;
  char resume[TRAINING_TEXT], again[TRAINING_TEXT], end[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "first", training_yaml, (training_overrides){"train.epochs=2"}, &result));
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  training_path(&folder, "run.resume=", "part/checkpoint.prev.h5", again);
  training_path(&folder, "run.resume=", "part/checkpoint.h5", end);
  EXPECT_OK(training_run(comm, &folder, "straight", training_yaml, (training_overrides){resume, warmup, each},
                         &result));
  if (training_is_root(comm))
    EXPECT_OK(training_run(folder.self, &folder, "part", training_yaml,
                           (training_overrides){resume, warmup, each, "train.steps=24"}, &result));
  EXPECT_OK(tutti_comm_barrier(comm));
  // from the middle of the warmup, and from its end as another training with the same warmup
  EXPECT_OK(training_run(comm, &folder, "midst", training_yaml, (training_overrides){again, warmup, each},
                         &result));
  EXPECT_OK(training_run(comm, &folder, "end", training_yaml,
                         (training_overrides){end, warmup, each, "train.seed=3"}, &result));
  if (training_is_root(comm)) {
    EXPECT(training_difference(&folder, "straight", "midst") <= 1e-4, "the weights differ");
    check_warmed(&folder, "straight", 17);
    check_warmed(&folder, "midst", 24);
    check_warmed(&folder, "end", 25);
  }
  EXPECT_FAILS(training_run(comm, &folder, "long", training_yaml,
                            (training_overrides){resume, "schedule.warmup=2.5 epochs"}, &result),
               TUTTI_ERR_CONFIG,
               "schedule.warmup is 2.5 epochs, longer than the 2 epochs that are left from step 16");
  training_folder_remove(comm, &folder);
}

/** A velocity may contain the learning rate, contain a corrected one, or not contain it.  At a constant rate these are the
 * same training. */
static void a_velocity_is_converted_to_the_unit_of_the_options(const tutti_comm *comm) {
  static const char *const forms[][2] = {
      {"optimizer.dialect=keras", "optimizer.momentum_correction=no"},
      {"optimizer.dialect=keras", "optimizer.momentum_correction=yes"},
      {"optimizer.dialect=torch", "optimizer.momentum_correction=no"},
  };
  static const char sgd[] = "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                            "optimizer: {name: sgd, learning_rate: 0.01, momentum: 0.9}\n"
                            "train: {batch_size: 40, epochs: 2}\n";
  training_folder folder;
  tutti_train_result result;
  char resume[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  for (int i = 0; i < 9; i++) {
    const char *const *from = forms[i / 3], *const *to = forms[i % 3];
    char first[16], second[16], straight[16];
    snprintf(first, sizeof first, "first-%d", i / 3);
    snprintf(second, sizeof second, "second-%d", i);
    snprintf(straight, sizeof straight, "straight-%d", i % 3);
    EXPECT_OK(training_run(comm, &folder, first, sgd,
                           (training_overrides){"train.epochs=1", from[0], from[1]}, &result));
    EXPECT_OK(training_run(comm, &folder, straight, sgd, (training_overrides){to[0], to[1]}, &result));
    snprintf(resume, sizeof resume, "run.resume=%s/%s/checkpoint.h5", folder.path, first);
    EXPECT_OK(training_run(comm, &folder, second, sgd, (training_overrides){resume, to[0], to[1]}, &result));
    if (tutti_comm_rank(comm) == 0) // the velocities are compared too
      EXPECT(training_difference(&folder, straight, second) <= 1e-5, "%d: they differ by %g", i,
             training_difference(&folder, straight, second));
  }
  // at another rate, a velocity that shall contain the rate gets the new one, as if it had never contained one
  for (int i = 0; i < 2; i++) {
    const char *const *to = forms[2 - 2 * i];
    snprintf(resume, sizeof resume, "run.resume=%s/first-2/checkpoint.h5", folder.path);
    EXPECT_OK(training_run(comm, &folder, i ? "inside" : "outside", sgd,
                           (training_overrides){resume, to[0], to[1], "optimizer.learning_rate=0.001"},
                           &result));
  }
  if (tutti_comm_rank(comm) == 0) {
    tutti_metrics_row a[4], b[4];
    const int64_t n = training_rows(&folder, "outside", "epochs", a, 4);
    EXPECT(training_rows(&folder, "inside", "epochs", b, 4) == n && n == 2, "%lld rows", (long long)n);
    EXPECT(fabs(a[1].loss - b[1].loss) <= 1e-4 * a[1].loss, "loss %g with the rate outside, %g inside",
           a[1].loss, b[1].loss);
  }
  EXPECT_FAILS(
      training_run(comm, &folder, "other", sgd, (training_overrides){resume, "optimizer.name=lars"}, &result),
      TUTTI_ERR_CONFIG,
      "slot 'momentum' is a sum of gradients there, these options keep a sum of gradients * trust ratio * "
      "learning_rate");
  training_folder_remove(comm, &folder);
}

/** Earlier versions did not store the learning rate of the last update. */
static void a_velocity_whose_rate_is_not_told_is_refused(const tutti_comm *comm) {
  static const char sgd[] = "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                            "optimizer: {name: sgd, learning_rate: 0.01, momentum: 0.9}\n"
                            "train: {batch_size: 40, epochs: 2}\n";
  training_folder folder;
  tutti_train_result result;
  char resume[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", sgd, (training_overrides){"train.epochs=1"}, &result));
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  if (training_is_root(comm)) {
    const hid_t file = H5Fopen(strchr(resume, '=') + 1, H5F_ACC_RDWR, H5P_DEFAULT);
    EXPECT(H5Adelete(file, "learning_rate") >= 0 && H5Fclose(file) >= 0, "the rate stays in %s", resume);
  }
  EXPECT_OK(tutti_comm_barrier(comm));
  EXPECT_FAILS(training_run(comm, &folder, "second", sgd,
                            (training_overrides){resume, "optimizer.dialect=torch"}, &result),
               TUTTI_ERR_CONFIG,
               "the learning rate (0 or, in a file of an earlier version, unknown) does not convert");
  EXPECT_OK(training_run(comm, &folder, "second", sgd, (training_overrides){resume, "train.batch_size=50"},
                         &result));
  training_folder_remove(comm, &folder);
}

static const char held_out[] = "data: {validation_split: 0.25, scale: standardize}\n"
                               "model: {layers: [dense 8 relu, dense 3 softmax]}\n"
                               "optimizer: {name: sgd, learning_rate: 0.05}\n"
                               "train: {batch_size: 40, epochs: 3}\n";

/** With a rate of almost 0 the weights stay the same, so the validation loss shows which rows it is computed on. */
static void validation_rows_stay_those_of_a_named_checkpoint(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result first, second;
  tutti_evaluation again;
  char resume[TRAINING_TEXT], path[TRAINING_TEXT], metric[32];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, NULL, &first));
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  training_path(&folder, "", "second/checkpoint.h5", path);
  for (int epochs = 4; epochs <= 5; epochs++) { // the second one continues from its own checkpoint
    char budget[32];
    snprintf(budget, sizeof budget, "train.epochs=%d", epochs);
    EXPECT_OK(training_run(
        comm, &folder, "second", held_out,
        (training_overrides){resume, budget, "train.seed=9", "optimizer.learning_rate=1e-9"}, &second));
    EXPECT(second.row.epoch == epochs, "epoch %lld", (long long)second.row.epoch);
    EXPECT(fabs(first.validation.loss - second.validation.loss) <= 1e-5, "%.9g and %.9g",
           first.validation.loss, second.validation.loss);
  }
  EXPECT_OK(tutti_train_evaluate_checkpoint(comm, path, NULL, false, TUTTI_SPLIT_VALIDATION,
                                            TUTTI_WEIGHTS_OF_FILE, metric, &again));
  EXPECT(fabs(first.validation.loss - again.loss) <= 1e-5, "%.9g and %.9g", first.validation.loss,
         again.loss);
  training_folder_remove(comm, &folder);
}

/** With a rate of almost 0 the loss of an epoch shows which rows the classes were counted on. */
static void balanced_classes_are_those_of_the_rows_that_are_kept(const tutti_comm *comm) {
  static const char balanced[] = "data.class_weight=balanced", still[] = "optimizer.learning_rate=1e-9";
  training_folder folder;
  tutti_train_result same, other;
  char resume[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, (training_overrides){balanced}, &same));
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  const training_overrides all = {balanced, still, resume, "train.epochs=4", "train.seed=0"},
                           drawn = {balanced, still, resume, "train.epochs=4", "train.seed=9"};
  EXPECT_OK(training_run(comm, &folder, "same", held_out, all, &same));
  EXPECT_OK(training_run(comm, &folder, "other", held_out, drawn, &other));
  EXPECT(fabs(same.row.loss - other.row.loss) <= 1e-5, "%.9g and %.9g", same.row.loss, other.row.loss);
  training_folder_remove(comm, &folder);
}

static void rows_that_were_trained_on_are_not_validated_on(const tutti_comm *comm) {
  static const char *const refused[][2] = {
      {"data.validation_split=0.5", "data.validation_split was 0.25 there and is 0.5 now; leave"},
      {"data.validation_take=last", "data.validation_take was shuffled there and is last now"},
      {"data.limit_train=200", "data.limit_train was 0 there and is 200 now"},
  };
  static const char *const taken[] = {"data.validation_split=0.1", "data.validation_split=0",
                                      "data.limit_train=5000"};
  training_folder folder;
  tutti_train_result result;
  char resume[TRAINING_TEXT], all[TRAINING_TEXT];
  training_folder_make(comm, &folder);
  EXPECT_OK(training_run(comm, &folder, "first", held_out, (training_overrides){"train.epochs=1"}, &result));
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  for (int i = 0; i < 3; i++)
    EXPECT_FAILS(
        training_run(comm, &folder, "second", held_out, (training_overrides){resume, refused[i][0]}, &result),
        TUTTI_ERR_CONFIG, refused[i][1]);
  for (int i = 0; i < 3; i++)
    EXPECT_OK(training_run(comm, &folder, i ? i > 1 ? "c" : "b" : "a", held_out,
                           (training_overrides){resume, taken[i]}, &result));
  // run b was trained on all rows
  training_path(&folder, "run.resume=", "b/checkpoint.h5", all);
  EXPECT_FAILS(
      training_run(comm, &folder, "d", held_out, (training_overrides){all, "train.epochs=4"}, &result),
      TUTTI_ERR_CONFIG, "data.validation_split was 0 there");
  EXPECT_OK(training_run(comm, &folder, "none", held_out, (training_overrides){"train.steps=0"}, &result));
  training_path(&folder, "run.resume=", "none/checkpoint.h5", resume);
  EXPECT_OK(
      training_run(comm, &folder, "some", held_out, (training_overrides){resume, refused[0][0]}, &result));
  training_folder_remove(comm, &folder);
}

static void named_checkpoint_gives_way_to_the_directory_s_own(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  tutti_metrics_row rows[8];
  training_folder_make(comm, &folder);
  EXPECT_OK(
      training_run(comm, &folder, "first", training_yaml, (training_overrides){"train.epochs=1"}, &result));
  char resume[TRAINING_TEXT];
  training_path(&folder, "run.resume=", "first/checkpoint.h5", resume);
  for (int epochs = 2; epochs <= 4; epochs++) {
    char budget[32];
    snprintf(budget, sizeof budget, "train.epochs=%d", epochs);
    EXPECT_OK(
        training_run(comm, &folder, "second", training_yaml, (training_overrides){resume, budget}, &result));
  }
  EXPECT_OK(training_run(comm, &folder, "straight", training_yaml, NULL, &result));
  if (tutti_comm_rank(comm) == 0) {
    EXPECT(training_difference(&folder, "straight", "second") <= 1e-6, "the weights differ");
    const int64_t n = training_rows(&folder, "second", "epochs", rows, 8);
    EXPECT(n == 4, "%lld rows", (long long)n);
    for (int64_t i = 0; i < n; i++)
      EXPECT(rows[i].epoch == i + 1, "row %lld: epoch %lld", (long long)i, (long long)rows[i].epoch);
  }
  training_folder_remove(comm, &folder);
}

/** If weights continue with other data, no value of the old data decides when the run stops. */
static void another_training_s_values_do_not_end_this_one(const tutti_comm *comm) {
  training_folder folder;
  tutti_train_result result;
  training_folder_make(comm, &folder);
  const training_overrides ends = {"train.patience=1", "optimizer.learning_rate=1", "train.epochs=50",
                                   "train.evaluate_every=1 epoch"};
  EXPECT_OK(training_run(comm, &folder, "old", training_yaml, ends, &result));
  EXPECT(result.stop == TUTTI_STOP_PATIENCE, "%s", result.reason);
  const int64_t step = result.row.step;
  EXPECT_OK(tutti_comm_barrier(comm));
  if (tutti_comm_rank(comm) == 0) training_data_write(&folder, 77);
  EXPECT_OK(tutti_comm_barrier(comm));
  char resume[TRAINING_TEXT];
  training_path(&folder, "run.resume=", "old/best.h5", resume);
  EXPECT_OK(training_run(comm, &folder, "new", training_yaml,
                         (training_overrides){resume, "train.epochs=50", "train.stop_at=val_loss < 1e-9",
                                              "train.evaluate_every=1 epoch", "optimizer.learning_rate=0.01",
                                              "train.patience=40"},
                         &result));
  EXPECT(result.stop == TUTTI_STOP_BUDGET && result.row.epoch == 50, "%s at epoch %lld, step %lld, then %lld",
         result.reason, (long long)result.row.epoch, (long long)result.row.step, (long long)step);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(a_named_checkpoint_continues_with_other_numbers),
      MPI_TEST(another_warmup_begins_where_a_run_continues),
      MPI_TEST(a_velocity_is_converted_to_the_unit_of_the_options),
      MPI_TEST(a_velocity_whose_rate_is_not_told_is_refused),
      MPI_TEST(validation_rows_stay_those_of_a_named_checkpoint),
      MPI_TEST(balanced_classes_are_those_of_the_rows_that_are_kept),
      MPI_TEST(rows_that_were_trained_on_are_not_validated_on),
      MPI_TEST(named_checkpoint_gives_way_to_the_directory_s_own),
      MPI_TEST(another_training_s_values_do_not_end_this_one),
  };
  return mpi_main("resume_named", tests, sizeof tests / sizeof tests[0]);
}
