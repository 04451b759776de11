/** Times of products as lines of text, and the list of them. */
#include "machine/product_times_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"

void tutti_product_time_print(const tutti_product_time *time, char line[TUTTI_PRODUCT_LINE]) {
  const tutti_product_shape *s = &time->shape;
  snprintf(line, TUTTI_PRODUCT_LINE, "%s %d %d %d %d", tutti_matmul_names[s->product], s->rows, s->n_in,
           s->n_out, s->n_threads);
  for (int i = 0; i < time->n; i++)
    tutti_text_append(line, TUTTI_PRODUCT_LINE, " %s %.0f", time->by[i].name, time->by[i].ns);
}

/** The next word as a number of [1, 2^30]. */
static bool read_number(char **rest, int *number) {
  return tutti_text_int(tutti_text_word(rest), 1, 1 << 30, number);
}

static bool read_shape(char *first, char **rest, tutti_product_shape *shape) {
  const int product = tutti_name_find(first, tutti_matmul_names, TUTTI_N_MATMULS);
  if (product < 0) return false;
  shape->product = (tutti_matmul)product;
  return read_number(rest, &shape->rows) && read_number(rest, &shape->n_in) &&
         read_number(rest, &shape->n_out) && read_number(rest, &shape->n_threads);
}

bool tutti_product_time_parse(const char *line, tutti_product_time *time) {
  char copy[TUTTI_PRODUCT_LINE], *rest = copy;
  *time = (tutti_product_time){0};
  if (snprintf(copy, sizeof copy, "%s", line) >= (int)sizeof copy) return false;
  char *first = tutti_text_word(&rest);
  if (!first || !read_shape(first, &rest, &time->shape)) return false;
  for (const char *name = tutti_text_word(&rest); name; name = tutti_text_word(&rest)) {
    const char *ns = tutti_text_word(&rest);
    if (time->n == TUTTI_PRODUCT_MAX_LOOPS || strlen(name) >= sizeof time->by[0].name) return false;
    if (!ns || !tutti_text_real(ns, &time->by[time->n].ns) || time->by[time->n].ns <= 0) return false;
    memcpy(time->by[time->n++].name, name, strlen(name) + 1);
  }
  return time->n > 0;
}

double tutti_product_time_by(const tutti_product_time *time, const char *name) {
  for (int i = 0; i < time->n; i++)
    if (strcmp(time->by[i].name, name) == 0) return time->by[i].ns;
  return 0;
}

double tutti_product_time_least(const tutti_product_time *time) {
  double ns = time->by[0].ns;
  for (int i = 1; i < time->n; i++)
    if (time->by[i].ns < ns) ns = time->by[i].ns;
  return ns;
}

static bool is_same(const tutti_product_shape *a, const tutti_product_shape *b) {
  return a->product == b->product && a->rows == b->rows && a->n_in == b->n_in && a->n_out == b->n_out &&
         a->n_threads == b->n_threads;
}

static bool has_all(const tutti_product_time *time, const tutti_product_time *like) {
  for (int i = 0; i < like->n; i++)
    if (tutti_product_time_by(time, like->by[i].name) <= 0) return false;
  return true;
}

const tutti_product_time *tutti_product_times_find(const tutti_product_times *times,
                                                   const tutti_product_time *like) {
  for (int64_t i = 0; i < times->n; i++)
    if (is_same(&times->list[i].shape, &like->shape) && has_all(&times->list[i], like))
      return &times->list[i];
  return NULL;
}

tutti_status tutti_product_times_add(tutti_product_times *times, const tutti_product_time *time) {
  if (times->n == times->room) {
    tutti_product_time *longer = NULL;
    TUTTI_TRY(TUTTI_NEW(longer, 2 * times->n + 64));
    if (times->n > 0) memcpy(longer, times->list, (size_t)times->n * sizeof *longer);
    tutti_free(times->list);
    times->list = longer;
    times->room = 2 * times->n + 64;
  }
  times->list[times->n++] = *time;
  return TUTTI_OK;
}

void tutti_product_times_clear(tutti_product_times *times) {
  tutti_free(times->list);
  *times = (tutti_product_times){0};
}
