#pragma once
/** Short ways to parse a config in a test. */
#include <string.h>

#include "support/check.h"
#include "tutti/config.h"

/** What every config needs. */
#define NEEDED "data: {file: d.h5}\nmodel: {layers: [dense 2 softmax]}\n"

/** Parse NEEDED and `text` as the file run.yaml. */
#define PARSE(text, config) tutti_config_parse(NEEDED text, "run.yaml", NULL, 0, (config))

/** The same is refused with `part` in the text, and leaves nothing behind. */
#define CHECK_REFUSED(text, part)                                                                            \
  do {                                                                                                       \
    tutti_config refused;                                                                                    \
    CHECK_FAILS(PARSE(text, &refused), TUTTI_ERR_CONFIG, part);                                              \
    assert_null(refused.data.file);                                                                          \
    assert_null(refused.model.layers);                                                                       \
  } while (0)

/** The first of all differences: its key and values; NULL: there is none. */
static inline const char *first_of(const tutti_differences *found, char then[128], char now[128]) {
  if (found->n == 0) return NULL;
  memcpy(then, found->list[0].then, 128);
  memcpy(now, found->list[0].now, 128);
  return found->list[0].key;
}

static inline const char *first_difference(const tutti_config *a, const tutti_config *b, char then[128],
                                           char now[128]) {
  tutti_differences found;
  tutti_config_differences(a, b, &found);
  return first_of(&found, then, now);
}

static inline const char *first_study_difference(const tutti_config *a, const tutti_config *b, char then[128],
                                                 char now[128], bool *extent) {
  tutti_differences found;
  *extent = tutti_config_study_differences(a, b, &found);
  return first_of(&found, then, now);
}

/** A file and some options, "key", "value", ... */
#define PARSE_WITH(text, config, ...)                                                                        \
  tutti_config_parse((text), "run.yaml", (const tutti_override[]){__VA_ARGS__},                              \
                     (int)(sizeof((tutti_override[]){__VA_ARGS__}) / sizeof(tutti_override)), (config))
