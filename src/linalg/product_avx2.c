/** The loops of the matrix products for processors with AVX2 and FMA; product.c chooses them. */
#define TUTTI_PRODUCT tutti_linalg_product_avx2
#define NAME          "AVX2"
#define WIDTH         8
enum { IN_PLACE = 12 };
#define PANEL 2
#include "linalg/product_loops.inc"
