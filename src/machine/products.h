#pragma once
/** Who computes the matrix products of a network: our own loops or the BLAS, with which of its kernels, and with how many
 * threads, as measured on this machine. */
#include "linalg/choices.h"
#include "machine/kernels.h"
#include "tutti/par.h"

/** What a network needs. */
typedef struct {
  const tutti_layer_choices *layers; // [n_layers] their n_in and n_out alone; one of each shape
  int n_layers;
  int most_rows;      // of a micro-batch
  tutti_sum_order by; // ANY: whoever is fastest; IN_ORDER, BY_BLAS: only the threads are chosen
} tutti_products_wanted;

typedef struct {
  char kernels[TUTTI_MACHINE_KERNELS_NAME]; // of the BLAS; "": those that it has
  tutti_matmul_choices table;               // owned; n 0: nothing is measured
} tutti_products;

/** Collective.  Choose as rank 0 measures, or as it has measured before: it looks into the user's cache, measures what
 * is not there, some milliseconds for each layer, and adds it to the cache.  All ranks get the same choice, and their
 * BLAS takes the kernels.
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

/** Local.  Whether the BLAS of this process may be told to take kernels of this name: those that it began with, and others
 * that the processor runs. */
bool tutti_products_allow(const char *kernels);

/** Local.  Take from such a text the kernels and the layers that are in `products`; the rest, and what cannot be read, is
 * passed over. */
void tutti_products_take_text(const char *text, tutti_products *products);

/** Local.  The choice as text, for the files of a run.
 * @param[out] text  owned by the caller
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_products_text(const tutti_products *products, char **text);
