/** The list of the formats that are imported, and how they read the values of their options. */
#include "data/format.h"

#include <stdio.h>

#include "base/names.h"

const char *const tutti_format_names[TUTTI_N_FORMATS] = {
#define X(code, word, sentence) #word,
#include "tutti/formats.def"
};

const char *const tutti_format_sentences[TUTTI_N_FORMATS] = {
#define X(code, word, sentence) sentence,
#include "tutti/formats.def"
};

const tutti_format *tutti_format_of(tutti_format_code code) {
  static const tutti_format *const formats[TUTTI_N_FORMATS] = {
#define X(code, word, sentence) [TUTTI_FORMAT_##code] = &tutti_format_##word,
#include "tutti/formats.def"
  };
  return formats[code];
}

tutti_status tutti_format_choice(const char *option, const char *text, const char *const *names, int n,
                                 int *index) {
  char what[64];
  *index = 0;
  if (!text) return TUTTI_OK;
  snprintf(what, sizeof what, "a value of --%s", option);
  return tutti_name_choose(&(tutti_choice){what, names, n}, text, TUTTI_ERR_USAGE, "", index);
}
