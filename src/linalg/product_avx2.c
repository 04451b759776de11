#define TUTTI_PRODUCT tutti_product_avx2
enum { WIDTH = 8, IN_PLACE = 12 };
#define PANEL 2
#include "linalg/product_loops.inc"
