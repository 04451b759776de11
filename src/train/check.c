/* The check before a job: whether config and data of a training fit together, on a login node and without MPI.  It does
 * what the set-up of a training does, except what takes memory or reads the features.  `tutti train --check` calls it. */
#include "run/samples.h"
#include "train/train_impl.h"

/** After tutti_train_check has passed, so only memory can be missing. */
static tutti_status count(const tutti_config *config, const tutti_dataset *dataset, int n_ranks,
                          tutti_train_facts *facts) {
  const tutti_samples_all samples = tutti_samples_divide(config, dataset, config->train.seed);
  tutti_plan plan;
  tutti_network network = {0};
  TUTTI_TRY(tutti_plan_make(config, samples.train.n, n_ranks, &plan));
  TUTTI_TRY(tutti_network_create_bare(config, dataset, &network));
  *facts = (tutti_train_facts){.n_train = samples.train.n,
                               .n_params = tutti_model_n_params(network.model),
                               .n_steps = plan.total_steps,
                               .labels = tutti_dataset_has_labels(dataset)};
  tutti_samples_warn_batch(config, &samples.train);
  if (facts->labels) tutti_train_warn_network(config, &network);
  tutti_network_destroy(&network);
  return TUTTI_OK;
}

tutti_status tutti_train_check_alone(const tutti_config *config, int n_ranks, tutti_train_facts *facts) {
  tutti_dataset *dataset = NULL;
  tutti_status status = TUTTI_OK;
  *facts = (tutti_train_facts){0};
  TUTTI_TRY_GOTO(done, tutti_samples_open_labels(config, &dataset));
  TUTTI_TRY_GOTO(done, tutti_train_check(config, dataset, n_ranks, true));
  TUTTI_TRY_GOTO(done, count(config, dataset, n_ranks, facts));
done:
  tutti_dataset_close(&dataset);
  return status;
}
