#pragma once
/** Trials by their hashes: which trial of a study another one is, or a file in the folder.  Local. */
#include "study/study_impl.h"

/** Make the space of the study that wrote a file, from the attribute "config".  The caller destroys it.
 * @return ERR_DATA, ERR_IO; ERR_CONFIG the config does not parse */
TUTTI_NODISCARD
tutti_status tutti_study_identity_space(const tutti_file *file, tutti_space **space);

/** Return whether row i of a file has the values that its setting has in the space.  Another version may have drawn
 * others. */
bool tutti_study_identity_is_of(const tutti_space *space, const tutti_trial_set *set, int64_t i);

typedef struct {
  uint64_t hash;
  int64_t trial;
} tutti_identity;

/** List the trials of a study whose settings are known, sorted by hash.
 * @param[out] list  [*n] the caller frees it (tutti_free)
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_identity_list(const tutti_study *study, tutti_identity **list, int64_t *n);

/** Return the trial with this hash; -1 if there is none. */
int64_t tutti_study_identity_find(const tutti_identity *list, int64_t n, uint64_t hash);
