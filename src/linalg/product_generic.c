/** The loops of the matrix products for any processor, in vectors of four floats; product.c chooses them. */
#define TUTTI_PRODUCT tutti_linalg_product_generic
#define NAME          "generic"
#define WIDTH         4
enum { IN_PLACE = 12 };
#define PANEL 2
#include "linalg/product_loops.inc"
