#pragma once
/** Names and files of an export.  Private to this room.  Local. */
#include <stdio.h>

#include "fit/trial_set.h"
#include "tutti/study.h"

enum { TUTTI_EXPORT_NAME = 128 };

/** All that is exported. */
typedef struct {
  const tutti_file *file; // borrowed
  tutti_trial_set set;
  tutti_config config;
  tutti_trial_order order;
  char *text; // of the config
  char *metric;
  int branch; // that is exported now
  char dataset[TUTTI_EXPORT_NAME], model[TUTTI_EXPORT_NAME], optimizer[TUTTI_EXPORT_NAME]; // fit for a folder
} tutti_export;

/** Dataset, model and optimizer of the branch e->branch: "mnist", "fc_512_10", "nesterov_momentum"; "various" where it
 * varies them.  No other branch has the same; one of another key has its value behind the optimizer: "sgd_cosine".
 * @return as tutti_config_parse */
TUTTI_NODISCARD
tutti_status tutti_export_names(tutti_export *e);

/** study.json of one batch size, whose trials are those of the settings [first, end) of the order. */
void tutti_export_study(const tutti_export *e, int64_t first, int64_t end, FILE *out);

/** metadata.json of a trial. */
void tutti_export_metadata(const tutti_export *e, int64_t trial, FILE *out);

/** measurements.csv of a trial: its evaluations, the last one with the test set's.
 * @return ERR_DATA, ERR_IO reading the study */
TUTTI_NODISCARD
tutti_status tutti_export_measurements(const tutti_export *e, int64_t trial, FILE *out);
