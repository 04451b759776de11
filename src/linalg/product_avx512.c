#define TUTTI_PRODUCT tutti_product_avx512
#define WIDTH         16
enum { IN_PLACE = 128 };
#define PANEL 4
#include "linalg/product_loops.inc"
