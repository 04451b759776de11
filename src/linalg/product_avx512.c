#define TUTTI_PRODUCT tutti_product_avx512
enum { WIDTH = 16, IN_PLACE = 128 };
#define PANEL 4
#include "linalg/product_loops.inc"
