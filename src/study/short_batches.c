/** Batch sizes whose curve would have false points, since an epoch ends with a step of few samples. */
#include "base/log.h"
#include "base/text.h"
#include "study/study_impl.h"

/** What a trial's last batch lacks; false where it is at least half of the others, or cannot be told. */
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
