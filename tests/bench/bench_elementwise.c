/** What the loops over elements cost, beside a copy of memory of the same size. */
#include <string.h>

#include "bench/elementwise.h"

/** What the copy moves. */
typedef struct {
  float *from, *to;
  size_t bytes;
} copy;

static tutti_status run_copy(void *context) {
  copy *c = context;
  memcpy(c->to, c->from, c->bytes);
  return TUTTI_OK;
}

static tutti_status check_copy(void *context, double *checksum) {
  copy *c = context;
  TUTTI_TRY(run_copy(c));
  TUTTI_CHECK(memcmp(c->from, c->to, c->bytes) == 0, TUTTI_ERR_INTERNAL, "a copy is not what was copied");
  *checksum = bench_checksum(c->to, (int64_t)(c->bytes / sizeof *c->to));
  return TUTTI_OK;
}

static tutti_status allocate(copy *c) {
  const int64_t n = (int64_t)(c->bytes / sizeof *c->from) + 1;
  TUTTI_TRY(TUTTI_NEW(c->from, n));
  TUTTI_TRY(TUTTI_NEW(c->to, n));
  for (int64_t i = 0; i < n; i++) c->from[i] = (float)(i % 8);
  return TUTTI_OK;
}

tutti_status elementwise_case(const bench *b, const char *what, const char *shape, double n, double bytes,
                              bench_variant kernel) {
  copy c = {.bytes = (size_t)(bytes / 2)};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, allocate(&c)));
  const bench_variant variants[] = {{.name = "copy", .run = run_copy, .check = check_copy, .context = &c},
                                    kernel};
  TUTTI_TRY_GOTO(done, bench_run(b, &(bench_case){what, shape, n, bytes, "GB/s", variants, 2}));
done:
  tutti_free(c.from);
  tutti_free(c.to);
  return status;
}

static tutti_status run_all(const bench *b) {
  TUTTI_TRY(elementwise_layers(b));
  return elementwise_optim(b);
}

int main(int argc, char **argv) {
  return bench_main(argc, argv,
                    &(bench_program){.name = "bench_elementwise",
                                     .question = "What do activations, losses, sums over columns and the "
                                                 "optimizers' updates cost?  The baseline is\n"
                                                 "a copy of memory (memcpy) that moves as many bytes as the "
                                                 "kernel reads and writes.  Shapes are\n"
                                                 "rows x columns, or parameters."},
                    run_all);
}
