#pragma once
/** What the files of the formats share: values of options, and the list.  Local. */
#include "tutti/data.h"

#define X(code, word, sentence) extern const tutti_format tutti_format_##word;
#include "tutti/formats.def"

/** The index of a text in names[n].
 * @param[in] text    NULL: not given, which is the first one
 * @param[in] option  "kind"
 * @return ERR_USAGE, with the names */
TUTTI_NODISCARD
tutti_status tutti_format_choice(const char *option, const char *text, const char *const *names, int n,
                                 int *index);
