#pragma once
/** A list of texts that owns them.  Local.  {0} is the empty list. */
#include "tutti/base.h"

typedef struct {
  char **list; // [n]
  int n;
} tutti_texts;

/** Append a copy of `text`.
 * @return ERR_MEMORY; the list is then as it was */
TUTTI_NODISCARD
tutti_status tutti_texts_add(tutti_texts *texts, const char *text);

/** Append copies of more[n].
 * @return ERR_MEMORY; the list then has some of them */
TUTTI_NODISCARD
tutti_status tutti_texts_add_all(tutti_texts *texts, const char *const *more, int n);

/** Append a text of `bytes` zero bytes, at least 1, which the caller fills and ends with a NUL.
 * @return the text, which belongs to the list; NULL without memory */
char *tutti_texts_add_room(tutti_texts *texts, int64_t bytes);

/** Free all texts; the list is empty afterwards. */
void tutti_texts_clear(tutti_texts *texts);
