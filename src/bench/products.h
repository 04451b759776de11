#pragma once
/** The matrix products of a network's dense layers, and nothing else: the same functions, shapes and order as
 * in a step, on buffers of their own.  Local. */
#include "train/probe.h"

typedef struct tutti_products tutti_products;

/** Buffers for passes of up to max_rows samples.  @return ERR_MEMORY.  The caller
 * owns them. */
TUTTI_NODISCARD
tutti_status tutti_products_create(const tutti_model *model, int max_rows, tutti_products **products);
void tutti_products_destroy(tutti_products **products); // Accepts NULL inside; nulls the handle.

/** The products of one micro-batch: forward through all layers, then backward.
 * @param[in] by_blas  as the BLAS does them, else as training does */
void tutti_products_pass(tutti_products *products, const tutti_probe_pass *pass, bool by_blas);

/** Multiplications and additions of that: 2 rows n_in n_out for each of a layer's products, of which the
 * first trained layer has two (no gradient goes on to the input), the others three. */
double tutti_products_flops(const tutti_products *products, int64_t rows);
