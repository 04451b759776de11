#pragma once
/** The list of keys, and what reads and prints the value of one.  Local. */
#include "base/text.h"
#include "tutti/config.h"

typedef enum {
  TUTTI_KEY_WHOLE,      // int64_t; the key's `word` stands for 0
  TUTTI_KEY_REAL,       // double; the key's `word` stands for NAN
  TUTTI_KEY_SWITCH,     // bool
  TUTTI_KEY_CHOICE,     // an enum, by the names of its values
  TUTTI_KEY_TEXT,       // char *
  TUTTI_KEY_OPTIONAL,   // char *; NULL: none
  TUTTI_KEY_NAMES,      // the same; a list, or names separated by commas
  TUTTI_KEY_METRIC,     // char *; NULL: none
  TUTTI_KEY_WEIGHTS,    // char *; NULL: none; a mapping, or the same as a text
  TUTTI_KEY_RESUME,     // char *: auto, no or a path
  TUTTI_KEY_COUNT,      // tutti_count, written with its unit
  TUTTI_KEY_MILESTONES, // tutti_milestones; a list, or the same separated by commas
  TUTTI_KEY_BUDGET,     // tutti_count, a whole number in the one unit that the key is named for
  TUTTI_KEY_GOAL,       // tutti_goal
  TUTTI_KEY_LAYERS,     // config->model.layers and n_layers
  TUTTI_KEY_AXES,       // config->study.axes and n_axes; read from a mapping (axes_read.c)
  TUTTI_N_KEY_TYPES
} tutti_key_type;

/** Does another value make it another training, which cannot go on from the first one's checkpoint? */
typedef enum {
  TUTTI_EFFECT_NONE,
  TUTTI_EFFECT_TRAINING,
  TUTTI_EFFECT_BY_FILE_NAME, // only another last part of the path: data is often copied to a job's own disk
  TUTTI_EFFECT_BY_RUN // only other two last parts: all checkpoints are called alike, their runs' folders are not
} tutti_effect;

typedef struct {
  const char *section, *name;
  const char *path; // "train.batch_size"
  tutti_key_type type;
  size_t offset; // of its field in tutti_config
  const char *fallback;
  bool computed;                // parse works the default out; `fallback` says it in words
  int64_t whole_min, whole_max; // whole numbers, both allowed
  double min, max;              // reals
  bool above_min, below_max;    // the bound itself is not allowed; above_min of a count: not 0
  const char *word;             // see the type; for text: what kind of text, for help
  unsigned units;               // counts, budgets: a sum of tutti_unit
  const char *const *names;     // choices, metrics
  int n_names;
  tutti_effect effect;
  const char *sentence;
} tutti_key;

enum { TUTTI_MAX_KEYS = 128, TUTTI_MAX_SECTIONS = 16, TUTTI_VALUE_BYTES = 512 };

/** A count above this is a slip of the hand; below it, doubles hold it exactly and sums of a few do not
 * overflow. */
#define TUTTI_WHOLE_MAX INT64_C(1000000000000000)

const tutti_key *tutti_key_at(int i);

/** The number of the key, or -1. */
int tutti_key_find(const char *section, const char *name);

/** The number of the section, or -1. */
int tutti_section_find(const char *name);

/** The names of the sections in their order; how many. */
int tutti_key_sections(const char *names[TUTTI_MAX_SECTIONS]);

/** Metrics that can be watched. */
enum { TUTTI_N_METRICS = 16 };
extern const char *const tutti_metric_names[TUTTI_N_METRICS];

// --- the value of a key (value.c) ----------------------------------------------------------------

/** Read one scalar into the key's field; for layers: all of them, separated by commas.
 * @return ERR_CONFIG with the value and what is allowed; the field is then as it was */
TUTTI_NODISCARD
tutti_status tutti_value_read(const tutti_key *key, const char *text, tutti_config *config);

/** What is allowed, in words. */
void tutti_value_describe(const tutti_key *key, char *text, size_t bytes);

/** Parts of a value: 1, but the number of layers or axes for those. */
int64_t tutti_value_n_parts(const tutti_key *key, const tutti_config *config);

/** One part as tutti_value_read reads it, but an axis' key: `buffer` or a text of the config, borrowed. */
const char *tutti_value_part(const tutti_key *key, const tutti_config *config, int64_t i,
                             char buffer[TUTTI_VALUE_BYTES]);

/** Free the texts and the layers of the config. */
void tutti_value_free(const tutti_key *key, tutti_config *config);

// --- keys without an effect (unused.c) --------------------------------------------------------------

/** @return why the key has no effect on this config, for a message; NULL if it has one */
const char *tutti_key_unused(const tutti_key *key, const tutti_config *config);

/** Whether the learning rate reaches its end with the end of the budget. */
bool tutti_decays_to_the_end(const tutti_config *config);

// --- weights of classes (class_weight.c) ---------------------------------------------------------

/** `text` with each item as it is always written; the caller's (tutti_free).  @return ERR_CONFIG */
TUTTI_NODISCARD
tutti_status tutti_class_weights_normalise(const char *text, char **normal);

// --- layers (layers.c) ---------------------------------------------------------------------------

/** Replace the layers by n empty ones, which the caller sets. */
TUTTI_NODISCARD
tutti_status tutti_layers_renew(tutti_config *config, int64_t n);

/** Read layers that are separated by commas. */
TUTTI_NODISCARD
tutti_status tutti_layers_read(const char *text, tutti_config *config);

// --- axes of a study (axes.c) --------------------------------------------------------------------

enum { TUTTI_MAX_AXES = 64 };
extern const char *const tutti_axis_scale_names[TUTTI_N_AXIS_SCALES];

/** May study.vary name the key? */
bool tutti_key_varies(const tutti_key *key);

/** Free what the axis owns; zero it. */
void tutti_axis_clear(tutti_axis *axis);
void tutti_axes_clear(tutti_study_options *study);

/** " [32, 128]" or " {from: 0.003, to: 3, points: 10}", of branches " {sgd, adam}"; a list with commas in its values
 * goes over several lines, each after `indent` blanks. */
void tutti_axis_write(const tutti_axis *axis, int indent, FILE *out);

/** All axes as the mapping that they are read from, each line after `indent` blanks. */
void tutti_axes_write(const tutti_study_options *study, int indent, FILE *out);

// --- text for YAML (quote.c) ----------------------------------------------------

/** Write `text` as one YAML scalar: plain where that is safe, else in double quotes. */
void tutti_quote_yaml(const char *text, FILE *out);
