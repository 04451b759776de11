/** The identity of a trial: the hash of the overrides that distinguish it.  The numbers of trials and settings change
 * if a study grows, but the hashes do not. */
#include "study/identity_impl.h"

#include <math.h>
#include <stdlib.h>

#include "fit/trial_set.h"

uint64_t tutti_study_hash(const tutti_study *study, int64_t i) {
  const tutti_trial_result *result = &study->set.results[i];
  return tutti_space_hash(study->space, result->batch_size, result->setting, result->seed);
}

tutti_status tutti_study_identity_space(const tutti_file *file, tutti_space **space) {
  tutti_config config;
  *space = NULL;
  TUTTI_TRY(tutti_fit_config_read(file, &config));
  const tutti_status status = tutti_space_create(&config, space);
  tutti_config_clear(&config);
  return status;
}

bool tutti_study_identity_is_of(const tutti_space *space, const tutti_trial_set *set, int64_t i) {
  const tutti_trial_result *result = &set->results[i];
  const tutti_trial *like = tutti_space_find(space, result->batch_size, result->setting);
  const double *varied = set->varied + i * set->n_varied;
  bool same = like != NULL && set->n_varied == tutti_space_n_varied(space);
  for (int k = 0; same && k < set->n_varied; k++)
    same = varied[k] == like->values[k] || (isnan(varied[k]) && isnan(like->values[k]));
  return same;
}

static int compare(const void *a, const void *b) {
  const uint64_t x = ((const tutti_identity *)a)->hash, y = ((const tutti_identity *)b)->hash;
  return (x > y) - (x < y);
}

tutti_status tutti_study_identity_list(const tutti_study *study, tutti_identity **list, int64_t *n) {
  *n = 0;
  TUTTI_TRY(TUTTI_NEW(*list, study->set.n_trials));
  for (int64_t i = 0; i < study->set.n_trials; i++)
    if (tutti_study_is_due(study, i)) (*list)[(*n)++] = (tutti_identity){tutti_study_hash(study, i), i};
  qsort(*list, (size_t)*n, sizeof **list, compare);
  return TUTTI_OK;
}

int64_t tutti_study_identity_find(const tutti_identity *list, int64_t n, uint64_t hash) {
  const tutti_identity wanted = {.hash = hash};
  const tutti_identity *found = n > 0 ? bsearch(&wanted, list, (size_t)n, sizeof wanted, compare) : NULL;
  return found ? found->trial : -1;
}
