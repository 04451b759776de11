/* Loss and metric of the network in a checkpoint, for one split of the data set that it was trained with or of another.
 * The command `tutti eval` calls this. */
#include <stdio.h>

#include "run/samples.h"
#include "rundir/restore.h"
#include "tutti/train.h"

const char *const tutti_train_split_names[TUTTI_N_SPLITS] = {"test", "validation", "train"};

tutti_status tutti_train_evaluate_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *file,
                                             tutti_trust trust, tutti_split split, tutti_weights weights,
                                             char metric[32], tutti_evaluation *result) {
  tutti_rundir_restored restored = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_rundir_restore_config(comm, checkpoint, &restored));
  TUTTI_TRY_GOTO(done, tutti_rundir_restore_data(comm, file, trust, split, &restored));
  TUTTI_TRY_GOTO(done, tutti_rundir_restore_network(comm, checkpoint, weights, &restored));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, tutti_network_check_labels(&restored.network)));
  // The split is that of the training: by its seed, else the network would be judged by rows that it was trained on.
  const tutti_samples_all all =
      tutti_samples_divide(&restored.config, restored.dataset, restored.state.split_seed);
  const tutti_samples *const set = split == TUTTI_SPLIT_TEST         ? &all.test
                                   : split == TUTTI_SPLIT_VALIDATION ? &all.validation
                                                                     : &all.train;
  TUTTI_CHECK_GOTO(done, set->n > 0, TUTTI_ERR_CONFIG,
                   "--split=%s: %s has no such samples with the data.validation_split %g and data.x_val %s "
                   "of the training",
                   tutti_train_split_names[split], tutti_dataset_file(restored.dataset),
                   restored.config.data.validation_split, restored.config.data.x_val);
  snprintf(metric, 32, "%s", tutti_model_metric_name(restored.network.model));
  status = tutti_network_evaluate(&restored.network, restored.params, set, result);
done:
  tutti_rundir_restored_clear(&restored);
  return status;
}
