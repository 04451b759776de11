#pragma once
/** A study under way: what its pieces (queue, trials, files, progress) share.  Private to this room. */
#include "study/store_impl.h"
#include "tutti/fit.h"
#include "tutti/space.h"
#include "tutti/study.h"
#include "tutti/train.h"

typedef struct {
  const tutti_comm *world;          // borrowed
  const tutti_config *config;       // borrowed
  const tutti_study_source *source; // borrowed
  tutti_space *space;
  tutti_training_set *data; // NULL: the problem needs none

  tutti_comm *group;
  int n_groups, number; // this group's, from 0
  tutti_alarm *failed;  // raised by a group that has failed
  bool leads;           // this rank is the first of its group: the rest is its alone, but for `set`

  tutti_store store;
  tutti_trial_set
      set; // all trials, as far as this rank knows of them: those of the search, then those of confirm.c
  int64_t n_searched;          // trials of the search
  int n_rows;                  // batch sizes of all branches
  int64_t planned;             // of how many finished trials of the search confirm.c knows
  tutti_trial_result *carried; // [n_carried] owned, on rank 0: the fresh seeds that the study's file has
  int64_t n_carried;
  tutti_trial_result *written; // owned: what tutti_study_results has of confirm
  tutti_override *fresh;       // owned: the overrides of the last trial of tutti_study_trial
  char fresh_seed[32];
  tutti_study_head head;
  char *resolved; // what the head's texts point into
  char goal[128], budget[64], metric[TUTTI_METRIC_NAME];
  const char **varied;
  bool claims_reach; // from each group to each other one; else trials are dealt out

  int64_t *order;           // [n_trials] the longest first
  bool *elsewhere;          // [n_trials] others have done it, as far as this leader has met with it
  double *cost;             // [n_trials] estimated, in the order of trials
  double start;             // clock when the groups began
  double busy;              // seconds that this group had a trial
  double cost_before;       // of those that were done then
  double shown_at;          // clock of the last line of progress
  int64_t at_trial;         // that this group is at, as far as there is something to tell; -1: none
  double at_step, at_value; // where it is, and its value of the goal's metric
  double merge_at;          // clock before which the study's file is not written again
  bool warned;              // of files that could not be read or written
} tutti_study;

// --- prepare.c

/** Collective over study->world.  Space, groups, data, the study's file: with world, config and source given, all that
 * the trials need.  Every trial's config is looked at.  Also where it fails, the caller destroys what there is.
 * @return as tutti_study_run */
TUTTI_NODISCARD
tutti_status tutti_study_prepare(tutti_study *study);

/** Collective over study->world.  What rank 0 knows of all trials goes to all. */
TUTTI_NODISCARD
tutti_status tutti_study_share(tutti_study *study);

/** Local.  One line, on rank 0, about batch sizes whose epochs end with less than half a batch. */
void tutti_study_warn_of_short_batches(const tutti_study *study);

// --- confirm.c; local

/** With the trials of the search in the set, put those after them that run the best settings again with fresh seeds:
 * seed j of row r of /best has the number n_searched + j n_rows + r, so that more seeds leave the others as they are.
 * Until all trials of its batch size are done, which setting it is, is not known: its `setting` is -1, and stays so where
 * none reached the goal.
 * @return ERR_CONFIG too many trials; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_confirm_make(tutti_study *study);

/** Settle the settings of those whose batch size has come to its end.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_confirm_plan(tutti_study *study);

/** Whether it is known what trial i is. */
bool tutti_study_is_due(const tutti_study *study, int64_t i);

/** The trial with a fresh seed of a setting of this study; -1: there is none, or its setting is not known to be that. */
int64_t tutti_confirm_find(const tutti_study *study, const tutti_trial_result *result);

/** Whether a trial of this study, or of another extent of it, is one with a fresh seed. */
bool tutti_confirm_is(const tutti_study *study, const tutti_trial_result *result);

/** Keep fresh seeds of the study's file, results[n], in place of those that are kept.  Those that are a trial of the
 * study, now or when its batch size has come to its end, are taken; the others stay in the file as they are.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_confirm_keep(tutti_study *study, const tutti_trial_result *results, int64_t n);

/** What is written into the study's file; borrowed from `study` until the next call.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_results(tutti_study *study, tutti_trial_set *set);

/** Trial `number`, which is one of this setting; borrowed from `study` until the next call.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_trial(tutti_study *study, int64_t number, int64_t setting, tutti_trial *trial);

// --- queue.c

/** Local.  Estimate costs and make the order.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_queue_make(tutti_study *study);

/** Collective over study->world.  Whether claims of one group are seen by the others. */
TUTTI_NODISCARD
tutti_status tutti_queue_probe(tutti_study *study);

/** Local, on a leader.  The longest trial that is neither done nor claimed, claimed for this group; -1: there is none.
 * @return ERR_CREATE, and what reading a trial returns */
TUTTI_NODISCARD
tutti_status tutti_queue_take(tutti_study *study, int64_t *trial);

// --- trial_run.c

/** Local.  The row of a trial of which nothing is known but what it is. */
tutti_trial_result tutti_trial_waiting(const tutti_trial *trial);

/** Local.  tutti_trial_config of a trial of this study. */
TUTTI_NODISCARD
tutti_status tutti_trial_parse(const tutti_study *study, const tutti_trial *trial, tutti_config *config);

/** Local.  Put what the trial is before the text of its failure; gives `status` back. */
tutti_status tutti_trial_name_failure(const tutti_study *study, const tutti_trial *trial,
                                      tutti_status status);

/** Collective over study->group.  Compute a trial.
 * @param[out] record  on the leader; to be cleared */
TUTTI_NODISCARD
tutti_status tutti_trial_run(tutti_study *study, const tutti_trial *trial, tutti_trial_record *record);

// --- same.c; local, on a leader

/** Between the config of a file and that of this study. */
typedef struct {
  bool any, extent; // see tutti_config_study_differences
  char text[1024];  // tutti_differences_text
} tutti_study_difference;

/** The trials in the folder have the numbers of its config.
 * @param[out] marked  false: there is none
 * @param[out] found   a difference of the extent
 * @return ERR_CONFIG they are of another study; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_study_check_folder(const tutti_study *study, bool *marked, tutti_study_difference *found);

/** Put the study's config there.  @return ERR_IO, ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_study_mark_folder(const tutti_study *study);

/** @param[out] found  a difference of the extent, which is no reason to refuse the file
 * @return ERR_CONFIG it is of another study; ERR_CREATE it is no study; ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_study_check_file(const tutti_study *study, const tutti_file *file,
                                    tutti_study_difference *found);

// --- output.c; local, on rank 0

/** Read the study's file.
 * @param[out] found  a difference of the extent: then nothing but the head is taken
 * @return as tutti_study_check_file */
TUTTI_NODISCARD
tutti_status tutti_output_read(tutti_study *study, tutti_study_difference *found);

/** Add the curve of trial i to the file, if the folder has the trial and the file does not have the curve. */
TUTTI_NODISCARD
tutti_status tutti_output_add_curve(const tutti_study *study, tutti_file *file, int64_t i);

/** Write all of it but the curves. */
TUTTI_NODISCARD
tutti_status tutti_output_write(tutti_study *study, tutti_file *file);

/** Read the trials of the folder that are done since the last time. */
TUTTI_NODISCARD
tutti_status tutti_output_collect_trials(tutti_study *study);

/** Bring what is finished into the study's file, now and then: not while another process writes, nor shortly after one
 * has, nor so often that it takes more than a small part of the time.  A failure is warned of, once: the trials are in
 * the folder, and it may be gone the next time. */
void tutti_output_merge_if_due(tutti_study *study);

/** The seconds from a merge that took so many to the next one. */
double tutti_output_pause(double cost);

/** Bring all that is finished into it, waiting for others who write; where all trials are in, remove the folder. */
TUTTI_NODISCARD
tutti_status tutti_output_merge(tutti_study *study);

/** Tell of the last failure, where it is the first of its kind, and that nothing is lost. */
void tutti_output_warn(tutti_study *study);

/** Where the name of the metric is not known yet. */
void tutti_output_take_metric(tutti_study *study, const char *metric);

/** How many trials are in each state.  @return how many there are, as far as that is known */
int64_t tutti_output_count(const tutti_study *study, int64_t counts[TUTTI_N_TRIAL_STATES]);

// --- identity.c; local

/** Return the hash of trial i, whose setting is known. */
uint64_t tutti_study_hash(const tutti_study *study, int64_t i);

// --- numbered.c; local, on rank 0

/** Rename the trials that an earlier version left in the folder, which have numbers.
 * @return ERR_CONFIG a job of an earlier version is at work, or a trial is of another study; ERR_DATA, ERR_IO, ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_study_take_numbered(const tutti_study *study);

// --- grow.c; local, on rank 0

/** Continue a study of another extent, with its file and the trials of the folder.
 * @param[in] found  how it differs
 * @return ERR_CONFIG trials that are done would be lost; ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_grow(tutti_study *study, bool has_file, const tutti_study_difference *found);

// --- open.c; local, on rank 0

/** The folder; the study's file as it stands, or a new one.  What was done by a study of another extent is taken over,
 * from its file and from the folder: then nobody else may be at work.
 * @return ERR_CONFIG it is of another study, or somebody is; ERR_CREATE it is no study; ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_output_open(tutti_study *study);

// --- progress.c

/** Local, on rank 0.  A line of progress, not more often than every few seconds. */
void tutti_study_show(tutti_study *study);

/** Local, on a leader.  "; under way: 17 (batch_size 64, step 1200, val_accuracy 0.931), 18 (batch_size 64)": the trial
 * of this group, as far as it has been seen, and those that others have a claim to; "" where nothing is known. */
void tutti_study_print_under_way(const tutti_study *study, char *text, size_t bytes);
