#pragma once
/** The list of keys, and the functions that read, print and describe the value of a key.  Local. */
#include "base/text.h"
#include "tutti/config.h"

typedef enum {
  TUTTI_KEY_WHOLE,      // int64_t; the `word` of the key stands for 0
  TUTTI_KEY_REAL,       // double; the `word` of the key stands for NAN
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
  TUTTI_KEY_BUDGET,     // tutti_count, a whole number in the unit that is the name of the key
  TUTTI_KEY_GOAL,       // tutti_goal
  TUTTI_KEY_LAYERS,     // config->model.layers and n_layers
  TUTTI_KEY_AXES,       // config->study.axes and n_axes; read from a mapping (axes_read.c)
  TUTTI_N_KEY_TYPES
} tutti_key_type;

/** Whether another value makes another training, which cannot continue from the checkpoint of the first one. */
typedef enum {
  TUTTI_EFFECT_NONE,
  TUTTI_EFFECT_TRAINING,
  TUTTI_EFFECT_BY_FILE_NAME, // if the last part of the path differs: data is often copied to the disk of a job
  TUTTI_EFFECT_BY_RUN // if the last two parts differ: all checkpoints have the same name, but their folders do not
} tutti_effect;

typedef struct {
  const char *section, *name;
  const char *path; // "train.batch_size"
  tutti_key_type type;
  size_t offset; // of its field in tutti_config
  const char *fallback;
  bool computed;                // parse computes the default; `fallback` describes it
  int64_t whole_min, whole_max; // whole numbers, both allowed
  double min, max;              // reals; for a count, min is the least one beside 0
  bool above_min, below_max;    // the bound itself is not allowed; for a count, above_min excludes 0
  const char *word;             // see the type; for a text: the kind of text, for help
  unsigned units;               // counts, budgets: a sum of tutti_unit
  const char *const *names;     // choices, metrics
  int n_names;
  tutti_effect effect;
  const char *sentence;
} tutti_key;

enum { TUTTI_MAX_KEYS = 128, TUTTI_MAX_SECTIONS = 16, TUTTI_VALUE_BYTES = 512 };

/** Larger counts are mistakes.  Up to this one, doubles are exact and sums of a few counts do not overflow. */
#define TUTTI_WHOLE_MAX INT64_C(1000000000000000)

const tutti_key *tutti_config_key_at(int i);

/** The number of the key, by its section and name or by its path; -1: there is none. */
int tutti_config_key_find(const char *section, const char *name);
int tutti_config_key_at_path(const char *path);

/** The number of the section, or -1. */
int tutti_config_section_find(const char *name);

/** List the names of the sections in their order.  @return how many */
int tutti_config_key_sections(const char *names[TUTTI_MAX_SECTIONS]);

/** Metrics that train.monitor and goals can name. */
enum { TUTTI_N_METRICS = 16 };
extern const char *const tutti_config_metric_names[TUTTI_N_METRICS];

// --- the value of a key (value.c) ----------------------------------------------------------------

/** Read a text into the field of the key; layers are separated by commas.
 * @return ERR_CONFIG with the value and what is allowed; the field is then as it was */
TUTTI_NODISCARD
tutti_status tutti_config_value_read(const tutti_key *key, const char *text, tutti_config *config);

/** Print what is allowed, in words. */
void tutti_config_value_describe(const tutti_key *key, char *text, size_t bytes);

/** Number of parts of a value: the number of layers or of axes for these keys, otherwise 1. */
int64_t tutti_config_value_n_parts(const tutti_key *key, const tutti_config *config);

/** Print one part so that tutti_config_value_read reads it; of an axis, its key.
 * @return `buffer`, or a text of the config (borrowed) */
const char *tutti_config_value_part(const tutti_key *key, const tutti_config *config, int64_t i,
                                    char buffer[TUTTI_VALUE_BYTES]);

/** Free the memory that the field of the key owns. */
void tutti_config_value_free(const tutti_key *key, tutti_config *config);

// --- keys without an effect (unused.c) --------------------------------------------------------------

/** @return why the key has no effect on this config, for a message; NULL if it has one */
const char *tutti_config_key_unused(const tutti_key *key, const tutti_config *config);

/** Whether the learning rate reaches its end with the end of the budget. */
bool tutti_config_decays_to_the_end(const tutti_config *config);

// --- weights of classes (class_weight.c) ---------------------------------------------------------

/** Write the items of `text` in their normal form.
 * @param[out] normal  the caller's (tutti_free)
 * @return ERR_CONFIG an item is not valid; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_class_weights_normalise(const char *text, char **normal);

// --- layers (layers.c) ---------------------------------------------------------------------------

/** Replace the layers by n empty ones, which the caller fills. */
TUTTI_NODISCARD
tutti_status tutti_config_layers_resize(tutti_config *config, int64_t n);

/** Read layers that are separated by commas. */
TUTTI_NODISCARD
tutti_status tutti_config_layers_read(const char *text, tutti_config *config);

// --- axes of a study (axes.c) --------------------------------------------------------------------

enum { TUTTI_MAX_AXES = 64 };
extern const char *const tutti_config_axis_scale_names[TUTTI_N_AXIS_SCALES];

/** Whether study.vary may name the key. */
bool tutti_config_key_varies(const tutti_key *key);

/** The number of the axis of this key that the branch alone varies, or that all branches vary (TUTTI_EVERY_BRANCH);
 * n_axes if there is none. */
int64_t tutti_config_axis_find(const tutti_study_options *study, const char *path, int branch);

/** Free what the axis owns; zero it. */
void tutti_config_axis_clear(tutti_axis *axis);
void tutti_config_axes_clear(tutti_study_options *study);

/** " [32, 128]" or " {from: 0.003, to: 3, points: 10}", of branches " {sgd, adam}"; a list with commas in its values
 * goes over several lines, each after `indent` blanks. */
void tutti_config_axis_write(const tutti_axis *axis, int indent, FILE *out);

/** All axes as the mapping that they are read from, each line after `indent` blanks. */
void tutti_config_axes_write(const tutti_study_options *study, int indent, FILE *out);

// --- texts (quote.c) -----------------------------------------------------------------------------

/** Write `text` as one YAML scalar: plain if that is safe, else in double quotes. */
void tutti_config_quote_yaml(const char *text, FILE *out);

/** A text that grows while it is written. */
typedef struct {
  FILE *out; // to write to
  char *memory;
  size_t bytes;
} tutti_config_stream;

/** Begin a text.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_stream_open(tutti_config_stream *stream);

/** End a text, and free the stream.
 * @param[in]  status  of writing; after a failure there is no text
 * @param[out] text    the caller's (tutti_free); NULL after a failure
 * @return status; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_stream_close(tutti_config_stream *stream, tutti_status status, char **text);
