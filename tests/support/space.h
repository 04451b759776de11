#pragma once
/** Short ways to make the space of a study in a test. */
#include "support/check.h"
#include "tutti/space.h"

/** What every study needs, up to its varied keys. */
#define STUDY                                                                                                \
  "data: {file: d.h5, validation_split: 0.1}\nmodel: {layers: [dense 2 softmax]}\noptimizer: {name: sgd}\n"  \
  "study:\n  goal: val_accuracy >= 0.9\n  budget: 50 steps\n"

/** The space of STUDY and `text`, which goes on with the study's keys. */
static inline tutti_status make_space(const char *text, tutti_space **space) {
  tutti_config config;
  tutti_status status = tutti_config_parse(text, "study.yaml", NULL, 0, &config);
  *space = NULL;
  if (status == TUTTI_OK) status = tutti_space_create(&config, space);
  tutti_config_clear(&config);
  return status;
}

#define CHECK_NO_SPACE(text, part)                                                                           \
  do {                                                                                                       \
    tutti_space *refused;                                                                                    \
    CHECK_FAILS(make_space((text), &refused), TUTTI_ERR_CONFIG, part);                                       \
    assert_null(refused);                                                                                    \
  } while (0)
