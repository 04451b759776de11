#pragma once
/** The trials that a study has finished while it runs: one small file per trial in a folder beside the study's file,
 * and claims to the trials, so that any number of groups and jobs share them out.  Local.
 *
 * OUTPUT.d/
 *   config.yaml           the study's, so that nothing of another study is taken for a part of this one
 *   claims                who does what, see tutti_claim
 *   00f3c2a49d81b7e6.h5   a trial that is done, by its tutti_space_hash; as a study's file, with one row of /trials and
 *                         one curve, whose number and setting are those of the study that wrote it; the attribute
 *                         "trial" of the root has the hash
 *   00f3c2a49d81b7e6.run  the run directory of a trial that is under way, or that a job has left before its end
 *   000017.h5             the same as the .h5 by an earlier version, with the number of the trial
 * A file is whole or absent, and stays until OUTPUT has all trials; then the folder is removed.  If the file system has
 * no locks, nobody can tell whether others are at work in the folder, so it stays. */
#include <dirent.h>

#include "tutti/fit.h"
#include "tutti/metrics.h"

// --- record.c ------------------------------------------------------------------------------------

/** The outcome of a trial: its row, and its curve. */
typedef struct {
  tutti_trial_result result;
  char metric[TUTTI_METRIC_NAME]; // of the curve's columns
  tutti_metrics_records curve;
} tutti_trial_record;

void tutti_trial_record_clear(tutti_trial_record *record); // Frees what it owns; zeroes it.

/** Write the record's curve as /curves/<trial>.  Does nothing if the file has one, or if the record has none. */
TUTTI_NODISCARD
tutti_status tutti_study_curve_write(tutti_file *file, const tutti_trial_record *record);

/** Read the curve of record->result.trial, with the columns of record->metric and all further ones.  Does nothing if
 * the file has none. */
TUTTI_NODISCARD
tutti_status tutti_study_curve_read(const tutti_file *file, tutti_trial_record *record);

// --- head.c --------------------------------------------------------------------------------------

/** Attributes of the root of a study's file; borrowed. */
typedef struct {
  const char *config;        // resolved YAML
  const char *goal, *budget; // as in a config
  const char *metric;        // "": not known yet
  const char *const *varied; // [n_varied] all varied keys
  int n_varied;
  const char *branches; // the varied key whose values are the branches; NULL: there are none
  int64_t ranks, ranks_per_trial, groups;
  int64_t data;   // fingerprint of the training rows by TUTTI_HASH_XXH64, if there are any
  double began;   // Unix time at which the first job began
  double seconds; // during which trials were computed
  double idle;    // NAN: not known yet
} tutti_study_head;

/** Write attributes of the root.  Other attributes stay as they are. */
TUTTI_NODISCARD
tutti_status tutti_study_head_write(tutti_file *file, const tutti_study_head *head);

// --- trial_folder.c ------------------------------------------------------------------------------

/** Make the path of the run directory that a trial under way has in the folder of the study's file `output`; the caller
 * frees it (tutti_free). */
TUTTI_NODISCARD
tutti_status tutti_study_trial_folder(const char *output, uint64_t hash, char **path);

/** Return whether a trial has begun and has left a run directory. */
bool tutti_study_trial_folder_exists(const char *output, uint64_t hash);

/** Remove the run directory of a trial, if there is one. */
void tutti_study_trial_folder_remove(const char *output, uint64_t hash);

/** Remove all run directories of trials in an open folder. */
void tutti_study_trial_folder_remove_all(DIR *folder);

// --- store.c -------------------------------------------------------------------------------------

/** The claims to a study. */
typedef enum {
  TUTTI_CLAIM_WRITING,       // the right to write OUTPUT and config.yaml
  TUTTI_CLAIM_PROBE,         // to see whether claims are seen
  TUTTI_CLAIM_EARLIER_START, // shared by jobs of earlier versions, which know trials by their numbers
  TUTTI_CLAIM_PRESENCE,      // shared by the jobs that are at work: the study does not grow
  TUTTI_CLAIM_TRIALS         // from here on, see tutti_study_store_claim: somebody computes the trial
} tutti_claim;

typedef struct {
  char *folder;         // owned
  tutti_claims *claims; // owned
  double flushed_at;    // clock at which the names of new trials were last flushed to disk
  bool has_new;         // there are names that were not flushed yet
} tutti_store;

/** Open the folder of the study's file `output`.
 * @param[in] create  make the folder if it is missing; else a missing folder belongs to a study that is done
 * @return ERR_CREATE; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_store_open(const char *output, bool create, tutti_store *store);
void tutti_study_store_close(tutti_store *store); // Gives all claims back.

/** Return whether the folder is still there; else the study's file has all trials. */
bool tutti_study_store_current(const tutti_store *store);

/** Take a claim that others hold for a moment only.  If one hangs with it, a warning says so, because only a user can
 * end it.
 * @param[out] taken  false: the folder is gone
 * @return ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_study_store_wait(const tutti_store *store, int64_t claim, bool *taken);

/** Return the claim to the trial of this hash. */
int64_t tutti_study_store_claim(uint64_t hash);

/** Make the path of a file of the folder; the caller frees it (tutti_free). */
TUTTI_NODISCARD
tutti_status tutti_study_store_path(const tutti_store *store, const char *name, char **path);

/** How the file of a trial is named. */
typedef enum {
  TUTTI_STORE_BY_HASH,
  TUTTI_STORE_BY_NUMBER // by an earlier version
} tutti_store_naming;

/** List the trials of the folder.
 * @param[out] names  [*n] hashes or numbers, ascending, also of trials that the study does not have; the caller frees
 * them (tutti_free)
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_store_list(const tutti_store *store, tutti_store_naming naming, uint64_t **names,
                                    int64_t *n);

/** Return whether a sorted list [n] has the name. */
bool tutti_study_store_lists(const uint64_t *names, int64_t n, uint64_t name);

/** Return whether the trial is done. */
bool tutti_study_store_has(const tutti_store *store, uint64_t hash);

/** Give a trial that an earlier version left its name by hash.  @return ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_study_store_rename(const tutti_store *store, uint64_t number, uint64_t hash);

/** Write the file of a trial.  Its name may have to wait for tutti_study_store_flush: if the machine fails before, the
 * file may be missing, but all that were there before the last flush are there.
 * @param[in] set   names and values of the varied keys
 * @return ERR_CREATE, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_study_store_put(tutti_store *store, uint64_t hash, const tutti_study_head *head,
                                   const tutti_trial_set *set, const tutti_trial_record *record);

/** Flush the names of new trials to disk, if there are any and this was not done in the last tenth of a second.  Cheap
 * enough to be called after each step.
 * @return ERR_IO  the next call tries it again */
TUTTI_NODISCARD
tutti_status tutti_study_store_flush_if_due(tutti_store *store);

/** Flush the names of new trials to disk now, if there are any.
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_study_store_flush(tutti_store *store);

/** Open the file of a trial.  The caller closes it. */
TUTTI_NODISCARD
tutti_status tutti_study_store_open_trial(const tutti_store *store, tutti_store_naming naming, uint64_t name,
                                          tutti_file **file);

/** Read the trial of this hash, without its curve, with the number and the setting that it has in its file.
 * @param[out] record  owned by the caller: tutti_trial_record_clear; empty after a failure
 * @return ERR_DATA the file does not hold one trial; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_store_read_hash(const tutti_store *store, uint64_t hash, tutti_trial_record *record);

/** Read trial i of a set, which is done, with the number and the setting that it has in the set.
 * @param[in]  with_curve  else record->curve stays empty
 * @param[out] record      as of tutti_study_store_read_hash
 * @return ERR_DATA, also if the file holds another trial than its name says; ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_store_get(const tutti_store *store, tutti_store_naming naming, uint64_t name,
                                   const tutti_trial_set *set, int64_t i, bool with_curve,
                                   tutti_trial_record *record);

/** Remove the folder with all files in it that are ours. */
void tutti_study_store_remove(const tutti_store *store);

/** Remove the folder if nothing but the claims is in it. */
void tutti_study_store_leave(const tutti_store *store);
