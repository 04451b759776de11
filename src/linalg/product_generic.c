#define TUTTI_PRODUCT tutti_product_generic
enum { WIDTH = 4, IN_PLACE = 12 };
#define PANEL 2
#include "linalg/product_loops.inc"
