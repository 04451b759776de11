/** The command that starts a training in the fastest layout that `tutti bench` has found.  Called by bench_tables.c. */
#include <stdio.h>
#include <string.h>

#include "cli/bench_tables_impl.h"

/** Print one word of a POSIX shell.  YAML allows tabs and line ends in a value; in this table they become blanks, since
 * they would end the field. */
static void print_word(const char *text) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=,:+@%-";
  if (*text && !text[strspn(text, plain)]) {
    fputs(text, stdout);
    return;
  }
  putchar('\'');
  for (; *text; text++)
    if (*text == '\'')
      fputs("'\\''", stdout);
    else
      putchar(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text);
  putchar('\'');
}

/** Print where mpirun puts the ranks.  By default it binds each rank to one core, which leaves none for other
 * threads. */
static void print_mapping(const tutti_bench_report *r, const tutti_bench_layout *best) {
  const bool several = best->threads > 1, fits = best->ranks * best->threads <= r->cores;
  if (r->nodes > 1)
    printf(" --map-by ppr:%d:node", best->ranks);
  else if (several && fits)
    printf(" --map-by slot");
  if (several && fits) printf(":PE=%d", best->threads);
  if (several && !fits) printf(" --bind-to none");
}

/** Print the keys of this run's command line, except those that the layout decides. */
static void print_overrides(const tutti_cli_arguments *arguments) {
  for (int i = 0; i < arguments->n_overrides; i++) {
    const tutti_override *given = &arguments->overrides[i];
    if (strcmp(given->key, "train.batch_size") == 0 || strcmp(given->key, "parallel.threads") == 0) continue;
    printf(" --%s=", given->key);
    print_word(given->value);
  }
}

/** Print why this layout is the best.  If rounds were disturbed, or a prediction exceeds what idle cores can add, the
 * sentence does not claim a factor. */
static void print_reason(const tutti_bench_report *r, const tutti_bench_layout *best) {
  const double now = r->steps[0].step_min_s;
  printf("a step takes %.4g s (%s)", best->step_s, best->measured ? "measured" : "predicted");
  if (best->ranks == r->node_ranks && best->threads == r->threads) {
    printf(" as in this run, %s\n", r->disturbed
                                        ? "whose rounds differ too much to say which layout is the fastest"
                                        : "which is the fastest");
    return;
  }
  if (r->best_gain > 0)
    printf(", %s%.2f times as fast as", r->best_gain < 0.999 * now / best->step_s ? "up to " : "",
           r->best_gain);
  else
    printf(", to compare with");
  printf(" %.4g s in this run (%d rank%s of %d thread%s)", now, r->ranks, r->ranks > 1 ? "s" : "", r->threads,
         r->threads > 1 ? "s" : "");
  printf("%s\n", r->disturbed ? "; but its rounds differ too much to say how much faster it would be" : "");
}

void tutti_cli_print_best_command(const tutti_bench_report *r, const tutti_cli_arguments *arguments) {
  const tutti_bench_layout *best = &r->layouts[r->best_layout];
  printf("\nbest_command\twhy\nmpirun -np %d", best->ranks * r->nodes);
  print_mapping(r, best);
  printf(" tutti train");
  if (arguments->n_positional > 0) {
    putchar(' ');
    print_word(arguments->positional[0]);
  }
  print_overrides(arguments);
  printf(" --train.batch_size=%lld --parallel.threads=%d\t", (long long)r->layout_batch, best->threads);
  print_reason(r, best);
}
