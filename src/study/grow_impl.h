#pragma once
/** A study of more batch sizes, values, settings or seeds than its file has: what is done there is done here, under
 * other numbers.  Local. */
#include "tutti/fit.h"

/** The trials of a set, to be found by batch size, seed and varied values. */
typedef struct tutti_grow_index tutti_grow_index;

/** @param[in] set  borrowed
 * @return ERR_MEMORY.  The caller owns the index. */
TUTTI_NODISCARD
tutti_status tutti_grow_index_create(const tutti_trial_set *set, tutti_grow_index **index);
void tutti_grow_index_destroy(tutti_grow_index **index); // Accepts NULL inside; nulls the handle.

/** The number of the trial that is trial i of `then`, which may have other branches and their keys; -1: there is none. */
int64_t tutti_grow_find(tutti_grow_index *index, const tutti_trial_set *then, int64_t i);

/** Take a finished trial's result over, as that of trial `number`. */
void tutti_grow_result(const tutti_trial_result *then, int64_t number, tutti_trial_set *now);

/** Which trial of `now` each finished trial of `then` is, by batch size, seed and varied values.
 * @param[out] numbers  [then->n_trials] -1: it is not finished, or `now` has none like it
 * @param[out] n_lost   how many finished ones `now` has none like
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_grow_match(const tutti_trial_set *then, const tutti_trial_set *now, int64_t *numbers,
                              int64_t *n_lost);

/** Take the results of all of them over. */
void tutti_grow_results(const tutti_trial_set *then, const int64_t *numbers, tutti_trial_set *now);

/** Copy their curves.
 * @param[in] metric  of the columns */
TUTTI_NODISCARD
tutti_status tutti_grow_curves(const tutti_file *from, const tutti_trial_set *then, const int64_t *numbers,
                               const char *metric, tutti_file *to);
