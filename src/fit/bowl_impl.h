#pragma once
/** The shape that the bowls of a local model share: a polynomial of second and third degree in the keys.  Local. */
#include <stdbool.h>

enum { TUTTI_BOWL_KEYS = 8, TUTTI_BOWL_TERMS = TUTTI_BOWL_KEYS * (TUTTI_BOWL_KEYS + 3) / 2 };

/** Each term is the product of two or three keys; the third is -1 if there are two. */
typedef struct {
  int n_keys, n_terms;
  int keys[TUTTI_BOWL_TERMS][3];
} tutti_bowl;

/** Make all products of two keys, and with `skew` those of three.  With more than two keys, only the cubes are taken,
 * because the other products of three are many.
 * @param[in] n_keys  1 to TUTTI_BOWL_KEYS */
tutti_bowl tutti_fit_bowl_make(int n_keys, bool skew);

/** Get the values [n_terms] of the terms at the place t[n_keys]. */
void tutti_fit_bowl_terms(const tutti_bowl *bowl, const double *t, double *values);

/** Get the derivatives [n_terms] of the terms by one key. */
void tutti_fit_bowl_slopes(const tutti_bowl *bowl, const double *t, int key, double *slopes);

/** Find the minimum of slope' t + sum of factors * terms between low and high, with Newton steps from t[n_keys].
 * @param[out] bend    second derivatives there, as its Cholesky factor
 * @param[out] inside  false: the minimum lies at an end of low and high
 * @return false: there is no minimum, because the sum bends down */
bool tutti_fit_bowl_descend(const tutti_bowl *bowl, const double *slope, const double *factors,
                            const double *low, const double *high, double *t, double *bend, bool *inside);
