#pragma once
/** A data set file made up for a measurement: features are bytes that look random. */
#include "tutti/par.h"

typedef struct {
  int64_t n, n_in;
  int n_classes;
} samples_size;

/** Local.  Feature j of sample i. */
uint8_t samples_byte(int64_t i, int64_t j);

/** Collective.  A file with x_train [n, n_in] as bytes, floats [n, n_in] the same / 255, and y_train [n], where
 * temporary files go; its path, the same on all ranks.  To be removed when it has been read. */
TUTTI_NODISCARD
tutti_status samples_write(const tutti_comm *comm, samples_size size, char path[256]);
void samples_remove(const tutti_comm *comm, const char *path); // Collective.
