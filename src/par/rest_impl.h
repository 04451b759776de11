#pragma once
/** Pauses of a thread that looks for messages.  Local. */

/** {0}: there was just something to do. */
typedef struct {
  int n; // looks since then
} tutti_rest;

/** In a thread that will rest often: let its pauses be as short as they say. */
void tutti_par_rest_prepare(void);

/** Wait for a moment, which is the longer the longer there was nothing to do. */
void tutti_par_rest(tutti_rest *rest);
