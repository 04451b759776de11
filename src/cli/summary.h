#pragma once
/** Summaries for `tutti info`: one function a kind of file.  Local; they print to standard output. */
#include "tutti/config.h"
#include "tutti/io.h"

/** The table that Keras' summary() prints.  n_in: features of a sample. */
TUTTI_NODISCARD
tutti_status tutti_summary_model(const tutti_config *config, int64_t n_in);

/** @param[in] overrides  [n] keys that win over the file's */
TUTTI_NODISCARD
tutti_status tutti_summary_config(const char *path, const tutti_override *overrides, int n);
TUTTI_NODISCARD
tutti_status tutti_summary_dataset(const tutti_file *file);
TUTTI_NODISCARD
tutti_status tutti_summary_checkpoint(const char *path);
TUTTI_NODISCARD
tutti_status tutti_summary_metrics(const tutti_file *file);
