#pragma once
/** Help about a list that a config names: `tutti help TOPIC`.  Local. */
#include <stdbool.h>

typedef struct {
  const char *name, *summary;
  void (*print)(void);
} tutti_cli_topic;

enum { TUTTI_N_CLI_TOPICS = 2 };
extern const tutti_cli_topic tutti_cli_topics[TUTTI_N_CLI_TOPICS];

/** Print the help of a topic to standard output.
 * @param[in] print  false: only find out
 * @return whether there is such a topic */
bool tutti_cli_print_topic(const char *name, bool print);
