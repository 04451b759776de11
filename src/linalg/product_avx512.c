/** The loops of the matrix products for processors with AVX-512; product.c chooses them. */
#define TUTTI_PRODUCT tutti_linalg_product_avx512
#define NAME          "AVX-512"
#define WIDTH         16
enum { IN_PLACE = 256 };
#define PANEL 4
#include "linalg/product_loops.inc"
