/** A warning of short last batches: with train.last_batch=short, an epoch may end with a step of few samples, which
 * counts as a step of the whole batch and distorts the steps of that batch size. */
#include "base/log.h"
#include "base/text.h"
#include "study/study_impl.h"

/** Return whether the last batch of an epoch has less than half of the samples of the others.
 * @param[out] last  number of its samples */
static bool is_far_too_short(const tutti_study *study, const tutti_trial *trial, int64_t *last) {
  tutti_config config = {0};
  bool is_short = false;
  if (tutti_trial_parse(study, trial, &config) == TUTTI_OK) {
    *last = tutti_training_set_last_batch(study->data, &config);
    is_short = 2 * *last < config.train.batch_size;
  }
  tutti_config_clear(&config);
  return is_short;
}

void tutti_study_warn_of_short_batches(const tutti_study *study) {
  char text[512] = "";
  int64_t before = 0, last = 0;
  if (!study->data) return;
  for (int64_t i = 0; i < study->n_searched; i++) {
    const tutti_trial *trial = tutti_space_trial(study->space, i);
    if (trial->batch_size == before) continue;
    before = trial->batch_size;
    if (is_far_too_short(study, trial, &last))
      tutti_text_append(text, sizeof text, "%s%lld of %lld samples", text[0] ? ", " : "", (long long)last,
                        (long long)trial->batch_size);
  }
  if (text[0])
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "train.last_batch: short: an epoch ends with a step of %s, which is taken as one of a whole "
        "batch; train.last_batch=carry, in another study.output, gives each step its whole batch",
        text);
}
