#pragma once
/** Lines on standard error, each prefixed with the program's name and, in a job of several ranks, the rank.
 * Local. */
#include "tutti/base.h"

typedef enum { TUTTI_LOG_ERROR, TUTTI_LOG_WARNING, TUTTI_LOG_INFO, TUTTI_LOG_DEBUG } tutti_log_level;

/** Messages above `level` are dropped; the default is TUTTI_LOG_INFO. */
void tutti_log_set_level(tutti_log_level level);

/** Which rank this process is, of how many: for prefixes and for fault injection.  0 of 1 until it is set. */
void tutti_log_set_rank(int rank, int size);
int tutti_log_rank(void);

void tutti_log(tutti_log_level level, const char *format, ...) TUTTI_PRINTF(2, 3);

/** The same on rank 0 alone: for what every rank knows. */
void tutti_log_root(tutti_log_level level, const char *format, ...) TUTTI_PRINTF(2, 3);

/** The same once for each text in the life of the job: for what each training of a study would say again, in each of its
 * groups. */
void tutti_log_once(tutti_log_level level, const char *format, ...) TUTTI_PRINTF(2, 3);
