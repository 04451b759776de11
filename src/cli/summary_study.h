#pragma once
/** `tutti info` of a study's file.  Local; prints to standard output. */
#include "tutti/io.h"

/** Whether it is a study's file. */
bool tutti_is_study(const tutti_file *file);

/** A row a batch size, then the fit.  @return ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_summary_study(const tutti_file *file);
