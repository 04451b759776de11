#pragma once
/** A YAML text as a tree of nodes with their places.  Local; the only user of libyaml. */
#include "tutti/base.h"

typedef enum {
  TUTTI_NODE_NOTHING, // empty, ~ or null
  TUTTI_NODE_SCALAR,
  TUTTI_NODE_LIST,
  TUTTI_NODE_MAPPING
} tutti_node_kind;

typedef struct {
  tutti_node_kind kind;
  const char *text; // of a scalar, else ""; borrowed from the tree
  int n;            // items of a list, pairs of a mapping
  int id;
  int line, column; // from 1
} tutti_node;

typedef struct tutti_yaml tutti_yaml;

/** Parse a text.
 * @param[in]  name  for messages, "NAME:LINE:COLUMN: ..."
 * @param[out] yaml  the caller's: tutti_config_yaml_close
 * @return ERR_CONFIG it is not YAML or not UTF-8, or has more than one document, more than 256 KiB or 16 levels, or a
 * tag;
 *         ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_yaml_open(const char *text, const char *name, tutti_yaml **yaml);
void tutti_config_yaml_close(tutti_yaml **yaml); // Accepts NULL inside; nulls the handle.

/** The root of the tree; item i of a list; pair i of a mapping. */
tutti_node tutti_config_yaml_root(const tutti_yaml *yaml);
tutti_node tutti_config_yaml_item(const tutti_yaml *yaml, tutti_node list, int i);
void tutti_config_yaml_pair(const tutti_yaml *yaml, tutti_node mapping, int i, tutti_node *key,
                            tutti_node *value);

/** Join the items of a list, "A, B", or the pairs of a mapping, "A: 1, B: 2", which is the form of the command line.
 * @param[out] bad   the first of them that is not made of scalars, where the text ends; -1: there is none
 * @param[out] text  the caller's (tutti_free); NULL after a failure
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_config_yaml_join(const tutti_yaml *yaml, tutti_node node, int *bad, char **text);
