#pragma once
/** Short ways to parse a config in a test. */
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

/** A file and some options, "key", "value", ... */
#define PARSE_WITH(text, config, ...)                                                                        \
  tutti_config_parse((text), "run.yaml", (const tutti_override[]){__VA_ARGS__},                              \
                     (int)(sizeof((tutti_override[]){__VA_ARGS__}) / sizeof(tutti_override)), (config))
