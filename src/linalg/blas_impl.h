#pragma once
/** What the BLAS offers besides its products.  Private to this room. */

/** Threads of one call of the BLAS from now on, where the library lets itself be told. */
void tutti_blas_set_threads(int n);
