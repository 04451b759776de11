/** A growable list of texts.  Names from files, texts of ranks, choices of a study and columns of tables are such
 * lists.  The capacity is not stored: it is the least power of two that holds n texts, so the list grows when n
 * reaches one. */
#include "tutti/texts.h"

#include <stdbool.h>
#include <string.h>

/** Doubling keeps the copies few, although the capacity is not stored. */
static tutti_status grow(tutti_texts *texts) {
  const bool is_full = (texts->n & (texts->n - 1)) == 0;
  char **longer = NULL;
  if (texts->list && !is_full) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(longer, texts->n > 0 ? 2 * (int64_t)texts->n : 1));
  if (texts->n > 0) memcpy(longer, texts->list, (size_t)texts->n * sizeof *longer);
  tutti_free(texts->list);
  texts->list = longer;
  return TUTTI_OK;
}

/** The list grows before the text is allocated, so a failure leaves the list as it was. */
char *tutti_texts_add_room(tutti_texts *texts, int64_t bytes) {
  char *room = NULL;
  if (grow(texts) == TUTTI_OK) room = tutti_calloc(bytes, 1);
  if (room) texts->list[texts->n++] = room;
  return room;
}

tutti_status tutti_texts_add(tutti_texts *texts, const char *text) {
  const size_t bytes = strlen(text) + 1;
  char *room = tutti_texts_add_room(texts, (int64_t)bytes);
  if (!room) return TUTTI_ERR_MEMORY;
  memcpy(room, text, bytes);
  return TUTTI_OK;
}

tutti_status tutti_texts_add_all(tutti_texts *texts, const char *const *more, int n) {
  for (int i = 0; i < n; i++) TUTTI_TRY(tutti_texts_add(texts, more[i]));
  return TUTTI_OK;
}

void tutti_texts_clear(tutti_texts *texts) {
  for (int i = 0; i < texts->n; i++) tutti_free(texts->list[i]);
  tutti_free(texts->list);
  *texts = (tutti_texts){0};
}
