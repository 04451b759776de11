#pragma once
/** Who computes the matrix products of a network: our own loops or the BLAS, with which of its kernels, and with how many
 * threads, as measured on this machine. */
#include "linalg/choices.h"
#include "machine/kernels.h"
#include "tutti/par.h"

/** Layers of one shape. */
typedef struct {
  int n_in, n_out;
  int n[TUTTI_N_MATMULS]; // how many of them need this product
} tutti_products_layer;

/** What a network needs.  All ranks give the same, but for `stored`. */
typedef struct {
  const tutti_products_layer *layers; // [n_layers]
  int n_layers;
  int most_rows;      // of a micro-batch
  tutti_sum_order by; // ANY: whoever is fastest; IN_ORDER, BY_BLAS: only the threads are chosen
  const char
      *stored; // on rank 0: the text of an earlier choice, which is taken where it fits; NULL: there is none
} tutti_products_wanted;

typedef struct {
  tutti_sum_order by;
  int n_threads;                            // of rank 0, from which each product takes some
  char kernels[TUTTI_MACHINE_KERNELS_NAME]; // of the BLAS; "": those that it has
  tutti_matmul_choices table;               // owned; n 0: nothing is measured
} tutti_products;

/** Collective.  Choose as wanted->stored says, or as rank 0 measures or has measured before: it looks into the user's
 * cache, measures what is not there, and adds it to the cache.  A layer takes some tenths of a second, less if it is small
 * and some seconds if it is very wide, for which a line is logged; one that would take much memory is not measured.  All
 * ranks get the same choice, and their BLAS takes the kernels.
 * @param[out] products  owned by the caller
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_products_choose(const tutti_comm *comm, const tutti_products_wanted *wanted,
                                   tutti_products **products);
void tutti_products_destroy(tutti_products **products); // Local.  Accepts NULL inside; nulls the handle.

/** Collective.  Give all ranks the choice of rank 0 in place of theirs, for the same network.  Their BLAS takes the
 * kernels. */
TUTTI_NODISCARD
tutti_status tutti_products_share(const tutti_comm *comm, tutti_products *products);

/** Local.  Whether the BLAS of this process may be told to take kernels of this name: those that it began with, and, unless
 * the user has set OPENBLAS_CORETYPE or TUTTI_VECTORS, others that the processor runs. */
bool tutti_products_allow(const char *kernels);

/** Local.  Take from such a text the kernels and the layers that are in `products`.  The rest, and what cannot be read, is
 * passed over, and so is a text of another `by`.  Kernels that are not allowed here, and the numbers of threads of a rank
 * that had more or fewer of them, are passed over with a line of log. */
void tutti_products_take_text(const char *text, tutti_products *products);

/** Local.  The choice as text, for the files of a run.
 * @param[out] text  owned by the caller
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_products_text(const tutti_products *products, char **text);
