/* Reads the value of an option that is one of several names.  The formats call it; it is apart from format.c, which
 * lists them. */
#include <stdio.h>

#include "base/names.h"
#include "data/import_impl.h"

tutti_status tutti_format_choice(const char *option, const char *text, const char *const *names, int n,
                                 int *index) {
  char what[64];
  *index = 0;
  if (!text) return TUTTI_OK;
  snprintf(what, sizeof what, "a value of --%s", option);
  return tutti_name_choose(&(tutti_choice){what, names, n}, text, TUTTI_ERR_USAGE, "", index);
}
