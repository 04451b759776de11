/** The values of an axis, from a list.
 *
 * Each value is read as the key reads its own, into a scratch config, and kept as the key prints it, so that equal
 * values have equal texts.  axis_read.c calls this for lists and for the names of branches. */
#include <stdio.h>
#include <string.h>

#include "config/axes_impl.h"

/** Print the parts of the value separated by commas, which tutti_config_value_read takes. */
static void print_parts(const tutti_key *key, const tutti_config *config, FILE *out) {
  char buffer[TUTTI_VALUE_BYTES];
  for (int64_t i = 0; i < tutti_config_value_n_parts(key, config); i++)
    fprintf(out, "%s%s", i > 0 ? ", " : "", tutti_config_value_part(key, config, i, buffer));
}

/** Copy a value as the key prints it, quoted for YAML. */
static tutti_status copy_canonical(const tutti_key *key, const tutti_config *config, char **value) {
  tutti_config_stream stream;
  char *text = NULL;
  *value = NULL;
  TUTTI_TRY(tutti_config_stream_open(&stream));
  print_parts(key, config, stream.out);
  TUTTI_TRY(tutti_config_stream_close(&stream, TUTTI_OK, &text));
  tutti_status status = tutti_config_stream_open(&stream);
  if (status == TUTTI_OK) {
    tutti_config_quote_yaml(text, stream.out);
    status = tutti_config_stream_close(&stream, TUTTI_OK, value);
  }
  tutti_free(text);
  return status;
}

/** Read one value into a scratch config, so that all rules of the key hold for it. */
static tutti_status read_item(const tutti_axis_reader *r, tutti_node item, char **value) {
  tutti_status status = TUTTI_OK;
  tutti_config scratch = {0}; // only the field of the key is used
  char *joined = NULL, at[TUTTI_PLACE_BYTES];
  int bad = -1;
  const bool list = item.kind == TUTTI_NODE_LIST && r->key->type == TUTTI_KEY_LAYERS;
  TUTTI_CHECK(item.kind == TUTTI_NODE_SCALAR || list, TUTTI_ERR_CONFIG,
              "%s: an item of the list is not a single value, which %s takes",
              tutti_config_axis_where(r, item, at), r->key->path);
  // The layers of one value may be a list within the list.
  if (list) TUTTI_TRY_GOTO(done, tutti_config_yaml_join(r->yaml, item, &bad, &joined));
  TUTTI_CHECK_GOTO(
      done, bad < 0, TUTTI_ERR_CONFIG,
      "%s: layer %d is not a line of words; expected one such as 'dense 512 relu'",
      tutti_config_axis_where(r, bad < 0 ? item : tutti_config_yaml_item(r->yaml, item, bad), at), bad + 1);
  status = tutti_config_value_read(r->key, list ? joined : item.text, &scratch);
  if (status != TUTTI_OK) {
    status = tutti_config_fail_at(status, r->origins, tutti_config_place_of_part(r->place, item), r->subject);
    goto done;
  }
  TUTTI_TRY_GOTO(done, copy_canonical(r->key, &scratch, value));
done:
  tutti_free(joined);
  tutti_config_value_free(r->key, &scratch);
  return status;
}

/** The values are compared in the form in which the key prints them, so 0.1 and 1e-1 are found to be equal. */
tutti_status tutti_config_axis_add_value(const tutti_axis_reader *r, tutti_node item, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  const int i = axis->n_values;
  TUTTI_TRY(read_item(r, item, &axis->values[i]));
  axis->n_values = i + 1;
  for (int k = 0; k < i; k++)
    TUTTI_CHECK(strcmp(axis->values[k], axis->values[i]) != 0, TUTTI_ERR_CONFIG,
                "%s: %s appears twice in the list; keep one", tutti_config_axis_where(r, item, at),
                axis->values[i]);
  return TUTTI_OK;
}

/** An empty list is refused: a study of it would have no trials. */
tutti_status tutti_config_axis_read_list(const tutti_axis_reader *r, tutti_node list, tutti_axis *axis) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(list.n > 0, TUTTI_ERR_CONFIG, "%s: the list is empty; expected values of %s",
              tutti_config_axis_where(r, list, at), r->key->path);
  TUTTI_TRY(TUTTI_NEW(axis->values, list.n));
  for (int i = 0; i < list.n; i++)
    TUTTI_TRY(tutti_config_axis_add_value(r, tutti_config_yaml_item(r->yaml, list, i), axis));
  return TUTTI_OK;
}
