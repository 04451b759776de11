/** The range of an axis, {from: A, to: B, points: N, scale: S}.
 *
 * Both ends must be values of the key.  A log scale needs positive values, and reverse_log, log(1 - value), values
 * below 1. axis_read.c calls this. */
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "config/axes_impl.h"

enum { FROM, TO, POINTS, SCALE, N_WORDS };
static const char *const words[N_WORDS] = {"from", "to", "points", "scale"};

/** A mapping with `from` or `to` is a range, even if another word in it is misspelt. */
bool tutti_config_axis_is_range(const tutti_yaml *yaml, tutti_node mapping) {
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, value;
    tutti_config_yaml_pair(yaml, mapping, i, &name, &value);
    if (strcmp(name.text, words[FROM]) == 0 || strcmp(name.text, words[TO]) == 0) return true;
  }
  return false;
}

/** Find the values of the words, each of which may be given once. */
static tutti_status find_words(const tutti_axis_reader *r, tutti_node mapping, tutti_node found[N_WORDS],
                               bool given[N_WORDS]) {
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES], hint[TUTTI_HINT_BYTES];
  for (int i = 0; i < mapping.n; i++) {
    tutti_node name, value;
    tutti_config_yaml_pair(r->yaml, mapping, i, &name, &value);
    const int word = tutti_name_find(name.text, words, N_WORDS);
    const char *nearest = word < 0 ? tutti_name_nearest(name.text, words, N_WORDS) : NULL;
    TUTTI_CHECK(word >= 0, TUTTI_ERR_CONFIG,
                "%s: a range has no %s%s; expected from, to, and if wanted points and scale",
                tutti_config_axis_where(r, name, at), tutti_quote(name.text, quoted),
                tutti_name_hint(nearest, hint));
    TUTTI_CHECK(!given[word], TUTTI_ERR_CONFIG, "%s: %s is given twice; keep one",
                tutti_config_axis_where(r, name, at), words[word]);
    TUTTI_CHECK(value.kind == TUTTI_NODE_SCALAR, TUTTI_ERR_CONFIG, "%s: %s is not a single value",
                tutti_config_axis_where(r, value, at), words[word]);
    given[word] = true;
    found[word] = value;
  }
  for (int word = FROM; word <= TO; word++)
    TUTTI_CHECK(given[word], TUTTI_ERR_CONFIG, "%s: the range lacks '%s'; write {from: A, to: B, points: N}",
                tutti_config_axis_where(r, mapping, at), words[word]);
  return TUTTI_OK;
}

/** Read one end of the range, which is itself a value of the key. */
static tutti_status read_end(const tutti_axis_reader *r, tutti_node node, double *end) {
  tutti_config scratch = {0};
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  const tutti_status status = tutti_config_value_read(r->key, node.text, &scratch);
  if (status != TUTTI_OK)
    return tutti_config_fail_at(status, r->origins, tutti_config_place_of_part(r->place, node), r->subject);
  TUTTI_CHECK(tutti_text_real(node.text, end), TUTTI_ERR_CONFIG,
              "%s: %s is not a number, so it cannot end a range", tutti_config_axis_where(r, node, at),
              tutti_quote(node.text, quoted));
  return TUTTI_OK;
}

/** Read the scale; an unknown one gets the nearest name. */
static tutti_status read_scale(const tutti_axis_reader *r, tutti_node node, tutti_axis_scale *scale) {
  static const tutti_choice scales = {"a scale", tutti_config_axis_scale_names, TUTTI_N_AXIS_SCALES};
  char at[TUTTI_PLACE_BYTES];
  int i;
  TUTTI_TRY(
      tutti_name_choose(&scales, node.text, TUTTI_ERR_CONFIG, tutti_config_axis_where(r, node, at), &i));
  *scale = (tutti_axis_scale)i;
  return TUTTI_OK;
}

/** Check the ends against each other and against the scale, on which both must have a place. */
static tutti_status check_range(const tutti_axis_reader *r, tutti_node range, const tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(axis->from < axis->to, TUTTI_ERR_CONFIG,
              "%s: the range ends at %g, which is not above its start, %g; for one value write a list, [%g]",
              tutti_config_axis_where(r, range, at), axis->to, axis->from, axis->from);
  TUTTI_CHECK(axis->scale != TUTTI_AXIS_LOG || axis->from > 0, TUTTI_ERR_CONFIG,
              "%s: a range in log scale starts above 0, not at %g; start higher, or add 'scale: linear'",
              tutti_config_axis_where(r, range, at), axis->from);
  TUTTI_CHECK(axis->scale != TUTTI_AXIS_REVERSE_LOG || axis->to < 1, TUTTI_ERR_CONFIG,
              "%s: a range in reverse_log scale, log(1 - value), ends below 1, not at %g",
              tutti_config_axis_where(r, range, at), axis->to);
  TUTTI_CHECK(axis->scale != TUTTI_AXIS_REVERSE_LOG || axis->kind == TUTTI_AXIS_REAL, TUTTI_ERR_CONFIG,
              "%s: reverse_log is for values below 1, such as momentum",
              tutti_config_axis_where(r, range, at));
  return TUTTI_OK;
}

/** Fewer than two points are no range, and a very large number of them is a mistake. */
tutti_status tutti_config_axis_read_range(const tutti_axis_reader *r, tutti_node mapping, tutti_axis *axis) {
  enum { MAX_POINTS = 10000 };
  tutti_node found[N_WORDS];
  bool given[N_WORDS] = {false};
  char at[TUTTI_PLACE_BYTES], quoted[TUTTI_QUOTE_BYTES];
  TUTTI_CHECK(axis->kind != TUTTI_AXIS_CHOICE, TUTTI_ERR_CONFIG,
              "%s: a range consists of numbers, but %s is not a number; write a list of its values, [A, B]",
              tutti_config_axis_where(r, mapping, at), r->key->path);
  TUTTI_TRY(find_words(r, mapping, found, given));
  TUTTI_TRY(read_end(r, found[FROM], &axis->from));
  TUTTI_TRY(read_end(r, found[TO], &axis->to));
  if (given[SCALE]) TUTTI_TRY(read_scale(r, found[SCALE], &axis->scale));
  if (given[POINTS])
    TUTTI_CHECK(tutti_text_integer(found[POINTS].text, &axis->points) && axis->points >= 2 &&
                    axis->points <= MAX_POINTS,
                TUTTI_ERR_CONFIG, "%s: %s points; expected a whole number from 2 to %d",
                tutti_config_axis_where(r, found[POINTS], at), tutti_quote(found[POINTS].text, quoted),
                MAX_POINTS);
  return check_range(r, mapping, axis);
}
