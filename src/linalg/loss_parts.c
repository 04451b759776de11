/** The sums of a loss over parts of a batch, which the threads of this rank compute.  The files of the losses call it. */
#include "linalg/loss_impl.h"
#include "linalg/parallel.h"

enum { AT_ONCE = 2048 }; // parts whose losses are kept on the stack

typedef struct {
  tutti_loss_part *part;
  const void *context;
  int64_t first; // part of this loop
  double *losses, *metrics;
} part_loop;

static void some_parts(void *context, int64_t begin, int64_t end) {
  const part_loop *l = context;
  l->part(l->context, l->first + begin, l->first + end, l->losses + begin, l->metrics + begin);
}

void tutti_loss_add_parts(int64_t n, int64_t unit, double ns, tutti_loss_part *part, const void *context,
                          double *loss_sum, double *metric_sum) {
  double losses[AT_ONCE], metrics[AT_ONCE];
  for (int64_t first = 0; first < n; first += AT_ONCE) {
    const int64_t count = n - first < AT_ONCE ? n - first : AT_ONCE;
    tutti_linalg_parallel(count, unit, ns, some_parts, &(part_loop){part, context, first, losses, metrics});
    for (int64_t i = 0; i < count; i++) {
      *loss_sum += losses[i];
      *metric_sum += metrics[i];
    }
  }
}
