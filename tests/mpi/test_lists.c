/** Promise 1 for each update rule and each kind of layer of the lists: a training with all of it comes to the same bits by
 * rank 0 alone and by all ranks. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "model/model_impl.h"
#include "support/training.h"

enum { YAML_BYTES = 2048 };

/** Each kind of layer between two dense ones.  A bias in front of a normalisation has no effect, and its gradient is
 * nothing but rounding. */
static void write_config(const char *rule, char *yaml) {
  yaml[0] = '\0';
  tutti_text_append(yaml, YAML_BYTES, "model: {layers: [dense 8 tanh");
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++)
    tutti_text_append(yaml, YAML_BYTES, ", %s, dense 8 tanh bias=no",
                      tutti_layer_ops_of((tutti_layer_kind)kind)->example);
  tutti_text_append(yaml, YAML_BYTES,
                    ", dense 3 softmax]}\n"
                    "optimizer: {name: %s}\n"
                    "parallel: {reduce: tree, leaves: 5}\n"
                    "train: {batch_size: 50, steps: 10, seed: 5}\n"
                    "run: {checkpoint_every: 10 steps}\n",
                    rule);
}

static void check_rule(const tutti_comm *comm, const training_folder *folder, const char *rule) {
  char yaml[YAML_BYTES], alone[64], all[64];
  tutti_train_result result;
  write_config(rule, yaml);
  snprintf(alone, sizeof alone, "%s-alone", rule);
  snprintf(all, sizeof all, "%s-all", rule);
  if (tutti_comm_rank(comm) == 0) EXPECT_OK(training_run(folder->self, folder, alone, yaml, NULL, &result));
  EXPECT_OK(training_run(comm, folder, all, yaml, NULL, &result));
  if (tutti_comm_rank(comm) > 0) return;
  const double difference = training_difference(folder, alone, all);
  EXPECT(difference == 0, "%s: weights differ by %g", rule, difference);
}

static void each_rule_trains_each_kind_of_layer_to_the_same_bits(const tutti_comm *comm) {
  training_folder folder;
  training_folder_make(comm, &folder);
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) check_rule(comm, &folder, tutti_optim_names[rule]);
  training_folder_remove(comm, &folder);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(each_rule_trains_each_kind_of_layer_to_the_same_bits),
  };
  return mpi_main("lists", tests, sizeof tests / sizeof tests[0]);
}
