#pragma once
/** Lines on standard error, each prefixed with the program's name and, in a job of several ranks, the rank.
 * Local. */
#include "tutti/base.h"

typedef enum { TUTTI_LOG_ERROR, TUTTI_LOG_WARNING, TUTTI_LOG_INFO, TUTTI_LOG_DEBUG } tutti_log_level;

/** Messages above `level` are dropped; the default is TUTTI_LOG_INFO. */
void tutti_log_set_level(tutti_log_level level);

/** Set the rank of this process in the job, for prefixes and for fault injection; 0 of 1 until it is set. */
void tutti_log_set_rank(int rank, int size);
int tutti_log_rank(void);

void tutti_log(tutti_log_level level, const char *format, ...) TUTTI_PRINTF(2, 3);

/** Log on rank 0 alone, for facts that every rank knows. */
void tutti_log_root(tutti_log_level level, const char *format, ...) TUTTI_PRINTF(2, 3);

/** Log on rank 0 alone, and each text once per job, for facts that each training of a study would report again. */
void tutti_log_once(tutti_log_level level, const char *format, ...) TUTTI_PRINTF(2, 3);
