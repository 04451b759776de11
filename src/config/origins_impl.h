#pragma once
/** Where each key was set: for messages, and for checks that distinguish a given value from a default.  Local. */
#include "config/keys_impl.h"
#include "config/yaml_impl.h"

typedef enum { TUTTI_FROM_DEFAULT, TUTTI_FROM_FILE, TUTTI_FROM_OPTION } tutti_origin;

typedef struct {
  tutti_origin origin;
  int line, column; // in the file, from 1
} tutti_place;

typedef struct {
  const char *file; // for messages, borrowed; NULL: there is none
  tutti_place keys[TUTTI_MAX_KEYS];
  tutti_place sections[TUTTI_MAX_SECTIONS];
  tutti_place axes[TUTTI_MAX_AXES]; // of study.vary, in their order
} tutti_origins;

enum { TUTTI_PLACE_BYTES = 1024 };

/** Print "FILE:LINE:COLUMN: SUBJECT", "--SUBJECT" or "SUBJECT", according to the origin.  @return buffer */
const char *tutti_config_place_print(const tutti_origins *origins, tutti_place place, const char *subject,
                                     char buffer[TUTTI_PLACE_BYTES]);

/** Print the place where a key was set: "FILE:LINE:COLUMN: section.name".
 * @param[in] path  of a key that exists, "section.name"
 * @return buffer */
const char *tutti_config_place_print_key(const tutti_origins *origins, const char *path,
                                         char buffer[TUTTI_PLACE_BYTES]);

/** Return the place of a part of a value: its own in a file, that of the option on the command line. */
tutti_place tutti_config_place_of_part(tutti_place whole, tutti_node part);

/** Put the place before the text of a failure with ERR_CONFIG.  @return status */
TUTTI_NODISCARD
tutti_status tutti_config_fail_at(tutti_status status, const tutti_origins *origins, tutti_place place,
                                  const char *subject);

/** Fail with what was probably meant.  @return ERR_CONFIG */
TUTTI_NODISCARD
tutti_status tutti_config_unknown_section(const char *name);
TUTTI_NODISCARD
tutti_status tutti_config_unknown_key(const char *section, const char *name);

/** Find the key of a path, "train.batch_size".
 * @param[out] i  its number
 * @return ERR_CONFIG with what was probably meant */
TUTTI_NODISCARD
tutti_status tutti_config_key_of_path(const char *path, int *i);

// --- checks of the whole config (check.c) ------------------------------------------------------

/** Check the keys of the whole config against each other, except those of a study and of the optimizer.
 * @param[in,out] config  train.chooses_last_batch is set
 * @return ERR_CONFIG with the place of one of the keys */
TUTTI_NODISCARD
tutti_status tutti_config_check(const tutti_origins *origins, tutti_config *config);

/** Resolve the optimizer; config->written keeps the options as they were.
 * @return ERR_CONFIG with the place of the key that the optimizer refuses */
TUTTI_NODISCARD
tutti_status tutti_config_resolve(const tutti_origins *origins, tutti_config *config);

/** The part of it that is about the study (check_study.c).
 * @param[in,out] config  its study.overridden is set */
TUTTI_NODISCARD
tutti_status tutti_config_study_check(const tutti_origins *origins, tutti_config *config);

/** Check that the metric of a goal or of the monitor can be evaluated: there are validation rows, train_rows or
 * averaged weights if it needs them.
 * @param[in] path    of the key that names the metric, for the message
 * @param[in] metric  NULL or "": none, which is fine
 * @return ERR_CONFIG with the place of the key */
TUTTI_NODISCARD
tutti_status tutti_config_check_rows(const tutti_origins *origins, const tutti_config *config,
                                     const char *path, const char *metric);
