#pragma once
/** Who computes the products of dense layers, and with how many threads: a table by shape.  The room machine fills it
 * with what it has measured; matmul.c reads it.  Local. */
#include "tutti/linalg.h"

/** The three products of a dense layer, see matmul.h. */
typedef enum {
  TUTTI_MATMUL_FORWARD,
  TUTTI_MATMUL_WEIGHT_GRADIENT,
  TUTTI_MATMUL_INPUT_GRADIENT,
  TUTTI_N_MATMULS
} tutti_matmul;

extern const char *const tutti_matmul_names[TUTTI_N_MATMULS]; // "forward", ...

/** Products of 2^c / 2 + 1 to 2^c rows are of class c; those of more rows than the last class are of the last. */
enum { TUTTI_ROW_CLASSES = 14 };

/** The class of a number of rows, at least 1. */
int tutti_matmul_row_class(int rows);

/** By the rule of this room, which knows shapes alone; by our own loops; by the BLAS. */
typedef enum { TUTTI_BY_RULE, TUTTI_BY_OWN, TUTTI_BY_BLAS, TUTTI_N_WHO } tutti_matmul_who;

typedef struct {
  tutti_matmul_who who;
  int n_threads; // at most; 0: all of this rank
} tutti_matmul_choice;

/** Layers of one shape. */
typedef struct {
  int n_in, n_out;
  tutti_matmul_choice of[TUTTI_N_MATMULS][TUTTI_ROW_CLASSES];
} tutti_layer_choices;

struct tutti_matmul_choices {
  tutti_layer_choices *layers; // [n] owned by who has made the table
  int n;
};

/** @return NULL if the table has no such layer, or if there is no table */
const tutti_matmul_choice *tutti_matmul_find_choice(const tutti_matmul_choices *choices, tutti_matmul product,
                                                    int rows, int n_in, int n_out);
