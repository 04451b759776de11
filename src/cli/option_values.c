/** Values of options, from their texts.  Each message repeats the option and says what was expected.  Called by the
 * commands after tutti_cli_parse. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "cli/options_impl.h"

tutti_status tutti_cli_read_switch(const char *name, const char *text, bool *on) {
  static const char *const names[] = {"yes", "no"};
  int which = !*on;
  TUTTI_TRY(tutti_cli_read_choice(name, text, names, 2, &which));
  *on = which == 0;
  return TUTTI_OK;
}

tutti_status tutti_cli_read_whole(const char *name, const char *text, int64_t min, int64_t max,
                                  int64_t *value) {
  char range[64] = "";
  if (!text) return TUTTI_OK;
  if (max < INT64_MAX) snprintf(range, sizeof range, " to %lld", (long long)max);
  TUTTI_CHECK(tutti_text_integer(text, value) && *value >= min && *value <= max, TUTTI_ERR_USAGE,
              "--%s=%s: expected a whole number from %lld%s", name, text, (long long)min, range);
  return TUTTI_OK;
}

tutti_status tutti_cli_read_int(const char *name, const char *text, int min, int max, int *value) {
  int64_t number = *value;
  TUTTI_TRY(tutti_cli_read_whole(name, text, min, max, &number));
  *value = (int)number;
  return TUTTI_OK;
}

tutti_status tutti_cli_read_positive(const char *name, const char *text, double *value) {
  TUTTI_CHECK(!text || (tutti_text_real(text, value) && *value > 0), TUTTI_ERR_USAGE,
              "--%s=%s: expected a number above 0", name, text);
  return TUTTI_OK;
}

tutti_status tutti_cli_read_choice(const char *name, const char *text, const char *const *names, int n,
                                   int *which) {
  char list[128];
  const int found = text ? tutti_name_find(text, names, n) : *which;
  TUTTI_CHECK(found >= 0, TUTTI_ERR_USAGE, "--%s=%s: expected %s", name, text,
              tutti_text_choice(list, sizeof list, names, n));
  *which = found;
  return TUTTI_OK;
}

tutti_status tutti_cli_read_weights(const char *text, tutti_weights *weights) {
  static const char *const names[] = {"last", "average"};
  int which = 0;
  TUTTI_TRY(tutti_cli_read_choice("weights", text, names, 2, &which));
  if (text) *weights = which == 0 ? TUTTI_WEIGHTS_LAST : TUTTI_WEIGHTS_AVERAGE;
  return TUTTI_OK;
}

bool tutti_cli_next_item(const char **list, char item[TUTTI_CLI_ITEM_BYTES]) {
  const size_t bytes = strcspn(*list, ",");
  snprintf(item, TUTTI_CLI_ITEM_BYTES, "%.*s", (int)bytes, *list);
  *list = (*list)[bytes] ? *list + bytes + 1 : NULL;
  return bytes < TUTTI_CLI_ITEM_BYTES;
}
