/** The order of the trials, and how groups share them out.
 *
 * The longest trials come first, so that no long one is left at the end.  A group claims a trial before it computes it;
 * a claim is a lock in a file, which ends with its process.  If the file system has no locks, group g of n computes the
 * trials at the places g, g + n, ... of the order.  run.c takes trials from here. */
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "study/study_impl.h"

/** Cost of a step apart from its samples, in samples: some tens for small networks, less for large ones.  A rough value
 * is enough, because it only sorts the trials. */
static const double STEP_OVERHEAD = 16;

/** Estimate the cost of the budget of a trial, in samples. */
static double cost(const tutti_config *config, int64_t batch_size) {
  const tutti_count budget = config->study.budget;
  const double batch = (double)batch_size;
  if (budget.unit == TUTTI_UNIT_STEPS) return budget.value * (batch + STEP_OVERHEAD);
  return budget.value * (1 + STEP_OVERHEAD / batch);
}

typedef struct {
  double cost;
  int64_t trial;
} entry;

static int longest_first(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
  return x->trial < y->trial ? -1 : x->trial > y->trial;
}

tutti_status tutti_study_queue_make(tutti_study *study) {
  const int64_t n = study->set.n_trials;
  entry *entries = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(entries, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(study->order, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(study->cost, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(study->elsewhere, n));
  for (int64_t i = 0; i < n; i++) {
    study->cost[i] = cost(study->config, study->set.results[i].batch_size);
    entries[i] = (entry){study->cost[i], i};
  }
  qsort(entries, (size_t)n, sizeof *entries, longest_first);
  for (int64_t i = 0; i < n; i++) study->order[i] = entries[i].trial;
done:
  tutti_free(entries);
  return status;
}

/** Rank 0 makes a claim, and the leaders of the other groups look for it.  They do not see it if the file system has no
 * locks, or only locks within a host.  A single group can only find out whether there are locks at all. */
tutti_status tutti_study_queue_probe(tutti_study *study) {
  const int64_t probe = TUTTI_CLAIM_PROBE;
  const bool first = tutti_comm_rank(study->world) == 0;
  bool taken = false;
  tutti_status local = first ? tutti_study_store_wait(&study->store, probe, &taken) : TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree_from(study->world, 0, local));
  double seen = 1;
  if (study->leads)
    seen =
        first ? tutti_io_claims_work(study->store.claims) : tutti_io_claims_held(study->store.claims, probe);
  TUTTI_TRY(tutti_comm_min(study->world, &seen, 1));
  if (taken) tutti_io_claims_give_back(study->store.claims, probe);
  study->claims_reach = seen > 0;
  if (study->claims_reach || !tutti_study_store_current(&study->store)) return TUTTI_OK;
  tutti_log_root(
      TUTTI_LOG_WARNING,
      "%s: the file system has no locks between hosts, so trials are dealt out to the groups beforehand, "
      "and a second job on the same study would repeat its trials",
      study->store.folder);
  return TUTTI_OK;
}

/** Return whether this group may compute the trial at this place of the order. */
static bool is_mine(const tutti_study *study, int64_t place) {
  return study->claims_reach || place % study->n_groups == study->number;
}

/** Claim a trial, unless another group has it or has done it.  A trial that is done is noted, because looking for the
 * files of many trials before each trial takes seconds on a network file system. */
static tutti_status claim(tutti_study *study, int64_t trial, bool *got) {
  tutti_claims *claims = study->store.claims;
  const uint64_t hash = tutti_study_hash(study, trial);
  TUTTI_TRY(tutti_io_claims_take(claims, tutti_study_store_claim(hash), got));
  if (!*got || !tutti_study_store_has(&study->store, hash)) return TUTTI_OK;
  tutti_io_claims_give_back(claims, tutti_study_store_claim(hash));
  study->elsewhere[trial] = true;
  *got = false;
  return TUTTI_OK;
}

/** Seconds before its deadline that a training keeps for its last checkpoint, if that is not known better. */
static const double FOR_CHECKPOINT_S = 4;

/** Return whether the job has time for a trial.  The first trial of a group is always begun: otherwise a trial that
 * needs nearly the time of a whole job would never be. */
static bool is_in_time(tutti_study *study, int64_t trial) {
  if (study->deadline <= 0 || !study->has_begun) return true;
  const double rate = tutti_study_seconds_per_cost(study->set.results, study->cost, study->set.n_trials,
                                                   study->head.ranks_per_trial);
  const double needed = rate * study->cost[trial], left = tutti_study_seconds_left(study) - FOR_CHECKPOINT_S;
  if (tutti_study_worth_beginning(needed, left, study->whole)) return true;
  // Another job has left it, and what is done of it counts.
  if (tutti_study_trial_folder_exists(study->config->study.output, tutti_study_hash(study, trial)))
    return true;
  if (study->passed_over == 0 || needed < study->passed_over) study->passed_over = needed;
  return false;
}

tutti_status tutti_study_queue_take(tutti_study *study, int64_t *trial) {
  *trial = -1;
  for (int64_t place = 0; place < study->set.n_trials; place++) {
    const int64_t i = study->order[place];
    bool got = false;
    if (study->elsewhere[i] || study->set.results[i].status != TUTTI_TRIAL_WAITING) continue;
    if (!is_mine(study, place) || !tutti_study_is_due(study, i)) continue;
    if (!is_in_time(study, i)) continue;
    TUTTI_TRY(claim(study, i, &got));
    if (!got) continue;
    // The folder is removed when the study is done, and then this trial is done too.
    if (tutti_study_store_current(&study->store)) *trial = i;
    study->has_begun = true;
    return TUTTI_OK;
  }
  return TUTTI_OK;
}
