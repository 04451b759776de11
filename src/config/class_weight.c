/** Weights of classes, "CLASS: WEIGHT, CLASS: WEIGHT".  Called by value.c, and by the training, which knows the
 * classes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/keys_impl.h"

enum { ITEM_BYTES = 128 };

/** Cut the blanks at both ends, in place.  @return the first letter */
static char *trim(char *text) {
  text += strspn(text, " ");
  for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--) text[n - 1] = '\0';
  return text;
}

tutti_status tutti_config_class_weight_next(const char **text, tutti_class_weight *item) {
  char copy[ITEM_BYTES], quoted[TUTTI_QUOTE_BYTES];
  const size_t length = strcspn(*text, ",");
  snprintf(copy, sizeof copy, "%.*s", (int)(length < ITEM_BYTES ? length : ITEM_BYTES), *text);
  char *colon = strrchr(copy, ':');
  if (colon) *colon = '\0';
  const char *name = trim(copy), *number = colon ? trim(colon + 1) : "";
  TUTTI_CHECK(colon && name[0] && strlen(name) < sizeof item->name && length < ITEM_BYTES, TUTTI_ERR_CONFIG,
              "%s is not of the form 'CLASS: WEIGHT' (give a class whose name has a comma by its number)",
              tutti_quote(copy, quoted));
  TUTTI_CHECK(tutti_text_real(number, &item->weight) && isfinite(item->weight) && item->weight >= 0,
              TUTTI_ERR_CONFIG, "the weight of class '%s' is %s; expected a finite number of at least 0",
              name, tutti_quote(number, quoted));
  snprintf(item->name, sizeof item->name, "%s", name);
  *text = (*text)[length] == ',' ? *text + length + 1 : NULL;
  return TUTTI_OK;
}

/** Write items one after another, which checks each of them. */
static tutti_status write_items(const char *text, FILE *out) {
  for (const char *left = text; left;) {
    tutti_class_weight item;
    char number[32];
    const bool first = left == text;
    TUTTI_TRY(tutti_config_class_weight_next(&left, &item));
    fprintf(out, "%s%s: %s", first ? "" : ", ", item.name,
            tutti_text_print_real(number, sizeof number, item.weight));
  }
  return TUTTI_OK;
}

tutti_status tutti_config_class_weights_normalise(const char *text, char **normal) {
  tutti_config_stream stream;
  *normal = NULL;
  TUTTI_TRY(tutti_config_stream_open(&stream));
  return tutti_config_stream_close(&stream, write_items(text, stream.out), normal);
}
