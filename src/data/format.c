/* The list of the formats to import, from formats.def.  `tutti import` calls it. */
#include "data/import_impl.h"

const char *const tutti_format_names[TUTTI_N_FORMATS] = {
#define X(code, word, sentence) #word,
#include "tutti/formats.def"
};

const char *const tutti_format_sentences[TUTTI_N_FORMATS] = {
#define X(code, word, sentence) sentence,
#include "tutti/formats.def"
};

/** The list stands in formats.def alone, so a new format cannot be forgotten in one of these tables. */
const tutti_format *tutti_format_of(tutti_format_code code) {
  static const tutti_format *const formats[TUTTI_N_FORMATS] = {
#define X(code, word, sentence) [TUTTI_FORMAT_##code] = &tutti_format_##word,
#include "tutti/formats.def"
  };
  return formats[code];
}
