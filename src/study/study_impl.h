#pragma once
/** A running study, shared by the files of this room.  Private to it. */
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
  int n_groups, number; // number of this group, from 0
  tutti_alarm *failed;  // raised by a group that has failed
  tutti_alarm *ending;  // raised by a rank that knows that the job has to end now
  bool leads; // this rank is the first of its group; only such ranks use the members below, except for `set`

  tutti_store store;
  tutti_trial_set set; // all trials as this rank knows them: those of the search, then those of confirm.c
  int64_t n_searched;  // trials of the search
  int n_rows;          // batch sizes of all branches
  int64_t planned;     // number of done trials of the search that confirm.c knows
  tutti_trial_result *carried; // [n_carried] owned, on rank 0: the fresh seeds in the study's file
  int64_t n_carried;
  tutti_trial_record **curves; // [n_trials] owned, on rank 0, see curves.c; NULL: no curve is in memory
  int64_t curve_bytes;         // of them all
  bool curves_are_full;        // there was no room for one, so no more are kept
  tutti_trial_result *written; // owned: the fresh seeds that tutti_study_results has put together
  tutti_override *fresh;       // owned: the overrides of the last trial of tutti_study_trial
  char fresh_seed[32];
  tutti_study_head head;
  char *resolved; // text to which the head points
  char goal[128], budget[64], metric[TUTTI_METRIC_NAME];
  const char **varied;
  bool claims_reach; // each group sees the claims of the others; else trials are dealt out

  int64_t *order;           // [n_trials] the longest first
  bool *elsewhere;          // [n_trials] done by others, as far as this leader has noticed
  double *cost;             // [n_trials] estimate for each trial
  double start;             // clock when the groups began
  double busy;              // seconds during which this group had a trial
  double cost_before;       // of the trials that were done then
  double shown_at;          // clock of the last progress line
  uint64_t at_hash;         // of the last trial of this group
  int64_t at_trial;         // that this group computes, once it has a first evaluation; -1: none
  double at_step, at_value; // its last evaluation: step, and value of the goal's metric
  double merge_at;          // clock before which the study's file is not written again
  bool warned;              // of files that could not be read or written

  double whole;       // seconds from the begin of the job to its deadline
  bool has_begun;     // this group has taken a trial in this job
  double passed_over; // seconds of the shortest trial that this group has not begun for lack of time; 0: none
  double deadline;    // clock at which the job ends; 0: there is no limit
  double merge_s;     // seconds of the last merge
  double looked_at;   // clock at which this leader has looked at `ending`
  bool ends;          // this rank knows that the job has to end
  bool left_trial;    // the trial of this group was left before its end
} tutti_study;

// --- prepare.c -----------------------------------------------------------------------------------

/** Make all that the trials need: space, groups, data and the study's file.  Collective over study->world.  The config
 * of every trial is checked.
 * @param[in,out] study  has world, config and source; the caller destroys the rest, also after a failure
 * @return as tutti_study_run */
TUTTI_NODISCARD
tutti_status tutti_study_prepare(tutti_study *study);

/** Make space and data, and check all trials, without MPI.  Local.
 * @param[in]     n_ranks  of the job; 0: unknown
 * @param[in,out] study    has config and source; the caller destroys the rest, also after a failure */
TUTTI_NODISCARD
tutti_status tutti_study_prepare_check(tutti_study *study, int n_ranks);

/** Give all ranks what rank 0 knows of all trials.  Collective over study->world. */
TUTTI_NODISCARD
tutti_status tutti_study_share(tutti_study *study);

// --- check.c -------------------------------------------------------------------------------------

/** Check the configs of every size-th trial, beginning with trial `rank`, so that ranks share the work.  Local.
 * @return ERR_CONFIG, ERR_DATA with the number and the values of the trial */
TUTTI_NODISCARD
tutti_status tutti_study_check_trials(const tutti_study *study, int rank, int size);

// --- short_batches.c -----------------------------------------------------------------------------

/** Warn, on rank 0, of batch sizes whose epochs end with less than half a batch.  Local. */
void tutti_study_warn_of_short_batches(const tutti_study *study);

// --- confirm.c; local ----------------------------------------------------------------------------

/** Add trials that run the best settings again with fresh seeds.  Seed j of row r of /best has the number
 * n_searched + j n_rows + r, so that more seeds do not change the numbers of the others.  The `setting` of such a trial
 * is -1 until all trials of its batch size are done, and stays so if none reached the goal.
 * @param[in,out] study  has the trials of the search in its set
 * @return ERR_CONFIG too many trials; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_confirm_make(tutti_study *study);

/** Set the settings of those whose batch size is complete.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_confirm_plan(tutti_study *study);

/** Return whether the setting of trial i is known. */
bool tutti_study_is_due(const tutti_study *study, int64_t i);

/** Return the trial with this batch size, setting and fresh seed; -1 if there is none, or if its setting is not known
 * yet. */
int64_t tutti_study_confirm_find(const tutti_study *study, const tutti_trial_result *result);

/** Return whether a trial of this study, or of one that it continues, has a fresh seed. */
bool tutti_study_confirm_is(const tutti_study *study, const tutti_trial_result *result);

/** Keep the fresh seeds of the study's file instead of those kept before.  Those that are trials of the study are
 * taken, now or when their batch size is complete; the others stay in the file as they are.
 * @param[in] results  [n] copied
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_confirm_keep(tutti_study *study, const tutti_trial_result *results, int64_t n);

/** Put together the trials for the study's file.
 * @param[out] set  borrowed from `study` until the next call
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_results(tutti_study *study, tutti_trial_set *set);

/** Get a trial by its number.
 * @param[in]  setting  of the trial, as only the leader may know it
 * @param[out] trial    borrowed from `study` until the next call
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_trial(tutti_study *study, int64_t number, int64_t setting, tutti_trial *trial);

// --- queue.c -------------------------------------------------------------------------------------

/** Estimate the costs of the trials and sort them, the longest first.  Local.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_queue_make(tutti_study *study);

/** Find out whether all groups see the claims of rank 0.  Collective over study->world. */
TUTTI_NODISCARD
tutti_status tutti_study_queue_probe(tutti_study *study);

/** Claim the longest trial that is neither done nor claimed.  Local, on a leader.
 * @param[out] trial  -1: there is none
 * @return ERR_CREATE, and errors of reading a trial */
TUTTI_NODISCARD
tutti_status tutti_study_queue_take(tutti_study *study, int64_t *trial);

// --- forecast.c; local ---------------------------------------------------------------------------

/** Return whether to begin a trial.
 * @param[in] needed  seconds that it is expected to need; NAN: not known, so it is begun
 * @param[in] left    seconds that the job has left for it
 * @param[in] whole   seconds that the job had at its start, as another one may have */
bool tutti_study_worth_beginning(double needed, double left, double whole);

/** Return the seconds that the trials which are done took for a unit of their cost; NAN: none is done.  Trials that
 * diverged do not count, because they stop at once.  If some had this number of ranks, only those count.
 * @param[in] results, cost  [n] */
double tutti_study_seconds_per_cost(const tutti_trial_result *results, const double *cost, int64_t n,
                                    int64_t ranks);

// --- ending.c ------------------------------------------------------------------------------------

/** Return the seconds that the job has left for trials; infinite without a limit.  Local. */
double tutti_study_seconds_left(const tutti_study *study);

/** Return whether this rank knows that the job has to end now.  Local; cheap enough for each step.
 * @param[in] study  a tutti_study */
bool tutti_study_ends(tutti_study *study);

/** Find out, between two trials, whether the job has to end, and tell the other groups.  Collective over
 * study->group. */
TUTTI_NODISCARD
tutti_status tutti_study_check_end(tutti_study *study);

/** Wait for the other groups.  A rank that gets a signal meanwhile tells them.  Collective over study->world.
 * @return ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_study_meet(tutti_study *study);

/** Find out whether the job ends before the trials of the study are done.  Collective over study->world, when all
 * groups have stopped. */
TUTTI_NODISCARD
tutti_status tutti_study_is_cut_short(tutti_study *study, bool *cut_short);

/** Say what is kept and what is left, and merge if there is time.  Collective over study->world, if the study is cut
 * short. */
TUTTI_NODISCARD
tutti_status tutti_study_end_early(tutti_study *study, tutti_study_outcome *outcome);

// --- record.c ------------------------------------------------------------------------------------

/** Return the row of a trial that waits.  Local. */
tutti_trial_result tutti_trial_waiting(const tutti_trial *trial);

/** Take a result over as that of trial i, which keeps its number and its setting here.  Local. */
void tutti_study_take(tutti_study *study, int64_t i, const tutti_trial_result *result);

// --- curves.c; local, on rank 0 -------------------------------------------------------------------

/** Keep the curve of a trial of the search or of confirm.c until tutti_study_curves_forget.  If there is no memory for
 * it, it is read again when it is needed.
 * @param[in,out] record  its curve may be taken out */
void tutti_study_curves_keep(tutti_study *study, tutti_trial_record *record);

/** Return trial i with its curve, borrowed until tutti_study_curves_forget; NULL if it is not in memory. */
const tutti_trial_record *tutti_study_curves_find(const tutti_study *study, int64_t i);

/** Forget all curves, because the study's file has them. */
void tutti_study_curves_forget(tutti_study *study);

// --- trial_run.c ---------------------------------------------------------------------------------

/** Make the config of a trial of this study; the caller clears it.  Local.  As tutti_space_trial_config. */
TUTTI_NODISCARD
tutti_status tutti_trial_parse(const tutti_study *study, const tutti_trial *trial, tutti_config *config);

/** Put the number and the values of a trial before the text of its failure.  Local.  @return status */
tutti_status tutti_trial_name_failure(const tutti_study *study, const tutti_trial *trial,
                                      tutti_status status);

/** Where a trial begins. */
typedef struct {
  uint64_t hash;
  bool continues; // it has a run directory
} tutti_trial_start;

/** Compute a trial.  Collective over study->group.  If the job ends before the trial, study->left_trial is set.
 * @param[out] record  complete on the leader; the caller clears it */
TUTTI_NODISCARD
tutti_status tutti_trial_run(tutti_study *study, const tutti_trial *trial, const tutti_trial_start *start,
                             tutti_trial_record *record);

// --- identity.c; local ---------------------------------------------------------------------------

/** Return the hash of trial i, whose setting is known. */
uint64_t tutti_study_hash(const tutti_study *study, int64_t i);

// --- compatible.c; local, on a leader ------------------------------------------------------------

/** How the config of a file differs from that of this study. */
typedef struct {
  bool any, extent; // see tutti_config_study_differences
  char text[1024];  // tutti_config_differences_text
} tutti_study_difference;

/** Compare the config in the folder.
 * @param[out] marked  false: there is none
 * @param[out] found   a difference of the extent, which is no reason to refuse the folder
 * @return ERR_CONFIG the folder is of another study; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_study_check_folder(const tutti_study *study, bool *marked, tutti_study_difference *found);

/** Put the study's config into the folder.  @return ERR_IO, ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_study_mark_folder(const tutti_study *study);

/** Compare the config and the data of a study's file, or of the file of a trial.
 * @param[out] found  a difference of the extent, which is no reason to refuse the file
 * @return ERR_CONFIG the file is of another study; ERR_CREATE it is not of a study; ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_study_check_file(const tutti_study *study, const tutti_file *file,
                                    tutti_study_difference *found);

// --- output.c; local, on rank 0 ------------------------------------------------------------------

/** Read the study's file.
 * @param[out] found  a difference of the extent; if there is one, only the head is read
 * @return as tutti_study_check_file */
TUTTI_NODISCARD
tutti_status tutti_study_output_read(tutti_study *study, tutti_study_difference *found);

/** Take the results of a file, whose trials must be those of the study.
 * @param[in]  there  as the file has them
 * @param[out] known  [study->set.n_trials] whether the file has the result of a trial; NULL: not wanted
 * @return ERR_DATA the trials are others; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_output_adopt(tutti_study *study, const tutti_file *file,
                                      const tutti_trial_set *there, bool *known);

/** Add the curve of trial i to the file, if the folder has the trial and the file does not have the curve. */
TUTTI_NODISCARD
tutti_status tutti_study_output_add_curve(const tutti_study *study, tutti_file *file, int64_t i);

/** Write all of the study's file except the curves. */
TUTTI_NODISCARD
tutti_status tutti_study_output_write(tutti_study *study, tutti_file *file);

/** Read the trials of the folder that are done since the last time. */
TUTTI_NODISCARD
tutti_status tutti_study_output_collect_trials(tutti_study *study);

/** Set the name of the metric, unless it is known. */
void tutti_study_output_set_metric(tutti_study *study, const char *metric);

/** Count the trials in each state.  @return how many there are, as far as that is known */
int64_t tutti_study_output_count(const tutti_study *study, int64_t counts[TUTTI_N_TRIAL_STATES]);

// --- merge.c; local, on rank 0 -------------------------------------------------------------------

/** Merge the trials that are done into the study's file if it is time: not while another process writes, nor shortly
 * after one has, nor so often that merges take more than a small part of the time.  A failure is a warning, given once,
 * because the trials are safe in the folder and the next merge may succeed. */
void tutti_study_output_merge_if_due(tutti_study *study);

/** Return the seconds to wait after a merge that took `cost` seconds. */
double tutti_study_output_pause(double cost);

/** Merge the trials that are done, unless another process writes just now.  A failure is a warning. */
void tutti_study_output_merge_now(tutti_study *study);

/** Merge all trials that are done, after waiting for other processes that write.  If the file has all trials then,
 * remove the folder. */
TUTTI_NODISCARD
tutti_status tutti_study_output_merge(tutti_study *study);

/** Warn of the last failure, unless there was a warning before, and say that nothing is lost. */
void tutti_study_output_warn(tutti_study *study);

// --- numbered.c; local, on rank 0 ----------------------------------------------------------------

/** Rename the trials that an earlier version left in the folder with numbers for names.
 * @return ERR_CONFIG a job of an earlier version is at work, or a trial is of another study; ERR_DATA, ERR_IO,
 * ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_study_take_numbered(const tutti_study *study);

// --- grow.c; local, on rank 0 --------------------------------------------------------------------

/** Continue a study of another extent, with its file and the trials of the folder.
 * @param[in] found  how it differs
 * @return ERR_CONFIG trials that are done would be lost; ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_grow(tutti_study *study, bool has_file, const tutti_study_difference *found);

// --- open.c; local, on rank 0 --------------------------------------------------------------------

/** Open the folder, and read the study's file or make it.  A study of another extent is continued if nobody else is at
 * work.
 * @return ERR_CONFIG the file is of another study, or somebody is at work; ERR_CREATE it is not a study; ERR_DATA,
 * ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_study_output_open(tutti_study *study);

// --- progress.c ----------------------------------------------------------------------------------

/** Log a line of progress, at most every few seconds.  Local, on rank 0. */
void tutti_study_show(tutti_study *study);

/** Print the trial of this group, and those that others have claimed:
 * "; under way: 17 (batch_size 64, step 1200, val_accuracy 0.931), 18 (batch_size 64)".  Local, on a leader.  "" if
 * nothing is known. */
void tutti_study_print_under_way(const tutti_study *study, char *text, size_t bytes);
