#pragma once
/** Communicators whose ranks stand on several nodes, made from the ranks of one machine. */
#include "par/par_impl.h"

typedef struct {
  const char *name;
  int max_node_size; // as tutti_comm_create_from has it
  int stride;        // 0: the ranks of a node follow one another; else every so many ranks are one node's
  int uneven;        // 1: with a stride, the last node takes all ranks but those of the first
} layout;

/** All on one node; one a node; 2 + 2 + ...; 3 + 3 + ... + rest; round robin over 2; two nodes of very different
 * size whose ranks alternate. */
enum { N_LAYOUTS = 6 };
extern const layout layouts[N_LAYOUTS];

/** Collective over MPI_COMM_WORLD. */
tutti_status layout_create(const layout *wanted, tutti_comm **comm);
