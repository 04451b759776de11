#pragma once
/** Where each key was set: for messages, and for the checks that depend on what was said and what is a
 * default.  Local. */
#include "config/keys_impl.h"

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
} tutti_settings;

enum { TUTTI_PLACE_BYTES = 1024 };

/** "FILE:LINE:COLUMN: SUBJECT", "--SUBJECT" or "SUBJECT", as the place's origin is. */
const char *tutti_place_print(const tutti_settings *settings, tutti_place place, const char *subject,
                              char buffer[TUTTI_PLACE_BYTES]);

/** "FILE:LINE:COLUMN: section.name" where the key was set. */
const char *tutti_place_print_key(const tutti_settings *settings, const char *section, const char *name,
                                  char buffer[TUTTI_PLACE_BYTES]);

/** Put the place before the text of a failure that is the user's; pass the others on. */
TUTTI_NODISCARD
tutti_status tutti_fail_at(tutti_status status, const tutti_settings *settings, tutti_place place,
                           const char *subject);

/** @return ERR_CONFIG with what was probably meant */
TUTTI_NODISCARD
tutti_status tutti_unknown_section(const char *name);
TUTTI_NODISCARD
tutti_status tutti_unknown_key(const char *section, const char *name);

/** "train.batch_size" -> the number of the key.  @return ERR_CONFIG with what was probably meant */
TUTTI_NODISCARD
tutti_status tutti_key_of_path(const char *path, int *i);

// --- what only the whole can tell (check.c) ------------------------------------------------------

/** @param[in,out] config  its optimizer is resolved */
TUTTI_NODISCARD
tutti_status tutti_config_check(const tutti_settings *settings, tutti_config *config);

/** The part of it that is about the study (check_study.c).
 * @param[in,out] config  its study.overridden is set */
TUTTI_NODISCARD
tutti_status tutti_study_check(const tutti_settings *settings, tutti_config *config);

/** Why a key of the section study has no effect, NULL where it has one. */
const char *tutti_study_key_idle(const char *name, const tutti_study_options *study);

/** The goal or the monitor section.name is about `metric`, NULL or "" for none: where that is of validation rows,
 * there are such rows; where of averaged weights, such are kept. */
TUTTI_NODISCARD
tutti_status tutti_check_rows(const tutti_settings *settings, const tutti_config *config, const char *section,
                              const char *name, const char *metric);

/** Why the key has no effect on this config, NULL where it has one. */
const char *tutti_key_idle(const tutti_key *key, const tutti_config *config);

/** Does the learning rate reach its end with the end of the budget? */
bool tutti_decays_to_the_end(const tutti_config *config);
