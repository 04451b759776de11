/** Values of options, from their texts.  Each message repeats the option and says what was expected.  Called by the
 * commands after tutti_cli_parse. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "cli/options_impl.h"

const char *const tutti_cli_weights_names[2] = {"last", "average"};

static tutti_status read_whole(const tutti_cli_option *option, const char *text, int64_t *value) {
  char range[64] = "";
  if (option->max < INT64_MAX) snprintf(range, sizeof range, " to %lld", (long long)option->max);
  TUTTI_CHECK(tutti_text_integer(text, value) && *value >= option->min && *value <= option->max,
              TUTTI_ERR_USAGE, "--%s=%s: expected a whole number from %lld%s", option->name, text,
              (long long)option->min, range);
  return TUTTI_OK;
}

/** Find the text among names; the message lists all of them, since the lists are short. */
static tutti_status read_name(const tutti_cli_option *option, const char *text, const char *const *names,
                              int n_names, int *index) {
  char list[128];
  *index = tutti_name_find(text, names, n_names);
  TUTTI_CHECK(*index >= 0, TUTTI_ERR_USAGE, "--%s=%s: expected %s", option->name, text,
              tutti_text_choice(list, sizeof list, names, n_names));
  return TUTTI_OK;
}

tutti_status tutti_cli_option_read(const tutti_cli_option *option, const char *text, void *values) {
  static const char *const switches[] = {"yes", "no"};
  void *value = values ? (char *)values + option->offset : NULL;
  int64_t whole = 0;
  int index = 0;
  switch (option->type) {
  case TUTTI_CLI_TEXT:
    *(const char **)value = text;
    break;
  case TUTTI_CLI_SWITCH:
    TUTTI_TRY(read_name(option, text, switches, 2, &index));
    *(bool *)value = index == 0;
    break;
  case TUTTI_CLI_EARLY:
    break;
  case TUTTI_CLI_WHOLE:
    return read_whole(option, text, value);
  case TUTTI_CLI_INT:
    TUTTI_TRY(read_whole(option, text, &whole));
    *(int *)value = (int)whole;
    break;
  case TUTTI_CLI_POSITIVE:
    TUTTI_CHECK(tutti_text_real(text, value) && *(double *)value > 0, TUTTI_ERR_USAGE,
                "--%s=%s: expected a number above 0", option->name, text);
    break;
  case TUTTI_CLI_CHOICE:
    TUTTI_TRY(read_name(option, text, option->names, option->n_names, &index));
    *(int *)value = (int)option->min + index;
    break;
  }
  return TUTTI_OK;
}

bool tutti_cli_next_item(const char **list, char item[TUTTI_CLI_ITEM_BYTES]) {
  const size_t bytes = strcspn(*list, ",");
  snprintf(item, TUTTI_CLI_ITEM_BYTES, "%.*s", (int)bytes, *list);
  *list = (*list)[bytes] ? *list + bytes + 1 : NULL;
  return bytes < TUTTI_CLI_ITEM_BYTES;
}
