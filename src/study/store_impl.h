#pragma once
/** What a study has finished, while it runs: one small file a trial in a folder beside the study's file, and claims to
 * the trials, so that any number of groups and jobs share them out.  Local.
 *
 * OUTPUT.d/
 *   config.yaml   the study's, so that nothing of another study is ever taken for a part of this one
 *   claims        who does what, see tutti_claim
 *   000017.h5     trial 17 is done; as a study's file, with that row of /trials and that curve alone
 * A file is whole or absent, and stays until OUTPUT has all trials: then the folder goes.  Where the file system has no
 * locks nobody can tell whether others are at work in it, so that it stays. */
#include "tutti/fit.h"
#include "tutti/metrics.h"

/** How a trial went: its row, and what there was to see on the way. */
typedef struct {
  tutti_trial_result result;
  char metric[TUTTI_METRIC_NAME]; // of the curve's columns
  tutti_metrics_records curve;
} tutti_trial_record;

void tutti_trial_record_clear(tutti_trial_record *record); // Frees what it owns; zeroes it.

/** What the attributes of the root say of a study; borrowed. */
typedef struct {
  const char *config;        // resolved YAML
  const char *goal, *budget; // as they are written in a config
  const char *metric;        // "": not known yet
  const char *const *varied; // [n_varied] all varied keys
  int n_varied;
  const char *branches; // the one whose values are the branches; NULL: there are none
  int64_t ranks, ranks_per_trial, groups;
  int64_t data;   // fingerprint of the training rows, by TUTTI_HASH_XXH64, where there are any
  double began;   // when its first job did, Unix time
  double seconds; // that trials took, those side by side once
  double idle;    // NAN: not known yet
} tutti_study_head;

/** Attributes of the root; the others stay as they are. */
TUTTI_NODISCARD
tutti_status tutti_study_head_write(tutti_file *file, const tutti_study_head *head);

/** The claims to a study; their numbers are the same in a study of any extent. */
typedef enum {
  TUTTI_CLAIM_WRITING,  // the right to write OUTPUT and config.yaml
  TUTTI_CLAIM_PROBE,    // to see whether claims are seen
  TUTTI_CLAIM_PRESENCE, // shared by the jobs that are at work: the trials keep their numbers
  TUTTI_CLAIM_TRIALS    // and trial i: somebody computes it
} tutti_claim;

typedef struct {
  char *folder;         // owned
  tutti_claims *claims; // owned
} tutti_store;

/** Open the folder of the study's file `output`.
 * @param[in] create  make it where it is missing; else a missing folder is a study that is done
 * @return ERR_CREATE; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_store_open(const char *output, bool create, tutti_store *store);
void tutti_store_close(tutti_store *store); // Gives all claims back.

/** Whether the folder is still there; else the study's file has all trials. */
bool tutti_store_current(const tutti_store *store);

/** Take a claim that whoever has it needs for a moment.  One that hangs with it is told of, since only a user can end it.
 * @param[out] taken  false: the folder is gone
 * @return ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_store_wait(const tutti_store *store, int64_t claim, bool *taken);

/** A file of the folder; the text is the caller's (tutti_free). */
TUTTI_NODISCARD
tutti_status tutti_store_path(const tutti_store *store, const char *name, char **path);

/** Numbers of the trials that are there, in any order, also of those that the study does not have.
 * @param[out] trials  [*n] the caller's (tutti_free)
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_store_list(const tutti_store *store, int64_t **trials, int64_t *n);
bool tutti_store_has(const tutti_store *store, int64_t trial);

/** @param[in] set   names and values of the varied keys
 * @return ERR_CREATE, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_store_put(const tutti_store *store, const tutti_study_head *head,
                             const tutti_trial_set *set, const tutti_trial_record *record);

/** Read a trial of `set` that is there.
 * @param[in] with_curve  else record->curve stays empty
 * @return ERR_DATA, also where the file has another trial of that number; ERR_IO.  The caller clears it. */
TUTTI_NODISCARD
tutti_status tutti_store_get(const tutti_store *store, const tutti_trial_set *set, int64_t trial,
                             bool with_curve, tutti_trial_record *record);

/** The same for one that may be a trial of another set, in parts: its file, and what it holds.
 * @param[out] one  the set of that trial alone */
TUTTI_NODISCARD
tutti_status tutti_store_open_trial(const tutti_store *store, int64_t trial, tutti_file **file);
TUTTI_NODISCARD
tutti_status tutti_store_read_trial(const tutti_file *file, int64_t trial, bool with_curve,
                                    tutti_trial_set *one, tutti_trial_record *record);

/** Whether trial i of a set is trial k of another one: by its number, and by what it is. */
bool tutti_trial_is_same(const tutti_trial_set *a, int64_t i, const tutti_trial_set *b, int64_t k);

/** Remove all trials; the folder stays. */
void tutti_store_empty(const tutti_store *store);

/** Remove the folder with all that is ours in it. */
void tutti_store_remove(const tutti_store *store);

/** Remove it where nothing but the claims is in it. */
void tutti_store_leave(const tutti_store *store);

/** Write the record's curve as /curves/<trial>; nothing where the file has one, or there is nothing to write. */
TUTTI_NODISCARD
tutti_status tutti_curve_write(tutti_file *file, const tutti_trial_record *record);

/** Read the curve of record->result.trial, with the columns of record->metric and all further ones; nothing where there is none. */
TUTTI_NODISCARD
tutti_status tutti_curve_read(const tutti_file *file, tutti_trial_record *record);
