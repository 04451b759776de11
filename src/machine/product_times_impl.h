#pragma once
/** What the products of dense layers took on this machine: one line of text for each shape, in memory and in the user's
 * cache.  Local to a process. */
#include <stdbool.h>

#include "linalg/choices.h"
#include "machine/kernels.h"

typedef struct {
  tutti_matmul product;
  int rows, n_in, n_out, n_threads;
} tutti_product_shape;

enum { TUTTI_PRODUCT_MAX_LOOPS = 3 };
#define TUTTI_OWN_LOOPS "own"

/** The time of one shape by each of the loops that were tried. */
typedef struct {
  tutti_product_shape shape;
  int n; // loops
  struct {
    char name[TUTTI_MACHINE_KERNELS_NAME]; // "own", or kernels of the BLAS
    double ns;                             // a whole number >= 1, as the cache keeps it
  } by[TUTTI_PRODUCT_MAX_LOOPS];
} tutti_product_time;

enum { TUTTI_PRODUCT_LINE = 256 };

/** Write "forward 128 784 512 2 own 412000 Haswell 431000": product, rows, inputs, outputs, threads, then nanoseconds. */
void tutti_product_time_print(const tutti_product_time *time, char line[TUTTI_PRODUCT_LINE]);

/** Read what tutti_product_time_print has written, to the same numbers.
 * @return false: the line is not one of these */
bool tutti_product_time_parse(const char *line, tutti_product_time *time);

/** Nanoseconds by the loops of this name; 0: they were not tried. */
double tutti_product_time_by(const tutti_product_time *time, const char *name);

/** Nanoseconds by the fastest loops. */
double tutti_product_time_least(const tutti_product_time *time);

typedef struct {
  tutti_product_time *list; // owned
  int64_t n, room;
} tutti_product_times;

/** The first time of a shape by all loops of some names.
 * @param[in] like  with that shape and these names
 * @return NULL: it is not known */
const tutti_product_time *tutti_product_times_find(const tutti_product_times *times,
                                                   const tutti_product_time *like);

TUTTI_NODISCARD
tutti_status tutti_product_times_add(tutti_product_times *times, const tutti_product_time *time);
void tutti_product_times_clear(tutti_product_times *times);

// --- product_cache.c -----------------------------------------------------------------------------------------------

/** The file that keeps what was measured with this processor, BLAS and program: in $XDG_CACHE_HOME/tutti, or in
 * ~/.cache/tutti.
 * @return false: there is no such folder */
bool tutti_product_cache_path(char *path, size_t bytes);

/** Add the lines of the file.  A line that is damaged is passed over, and so is a file that cannot be read. */
TUTTI_NODISCARD
tutti_status tutti_product_cache_read(const char *path, tutti_product_times *times);

/** Append times to the file.  Programs that measure at the same time agree on the first line of a shape, so times that
 * another one has written meanwhile replace these.  A file that cannot be written is passed over. */
TUTTI_NODISCARD
tutti_status tutti_product_cache_write(const char *path, tutti_product_times *times);

// --- product_measure.c ---------------------------------------------------------------------------------------------

/** The arrays of a layer, to measure its products with. */
typedef struct tutti_product_arrays tutti_product_arrays;

/** Floats that they take. */
double tutti_product_arrays_floats(int rows, int n_in, int n_out);

/** @param[in]  most_rows  of the products that are measured with them
 * @param[out] arrays     owned by the caller
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_product_arrays_create(int most_rows, int n_in, int n_out, tutti_product_arrays **arrays);
void tutti_product_arrays_destroy(tutti_product_arrays **arrays);

/** Measure a shape by each of the loops that `time` names.  The BLAS is left with the last of them.
 * @param[in] arrays  of that layer, and of at least as many rows */
void tutti_product_measure(const tutti_product_arrays *arrays, tutti_product_time *time);
