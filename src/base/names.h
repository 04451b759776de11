#pragma once
/** Names to choose from: which one a user gave, and which one a misspelt word probably means.  Local, no allocation. */
#include "tutti/base.h"

/** What the messages need to know about a list of names. */
typedef struct {
  const char *what;         // one of the names, with its article: "an activation"
  const char *const *names; // [n]
  int n;
} tutti_choice;

/** The index of `given` in names [n], or -1. */
int tutti_name_find(const char *given, const char *const *names, int n);

/** The name of names [n] that `given` probably means: one whose words begin with the letters of `given` ("lr" is
 * learning_rate), else one that differs in the case of letters only, else the one with the fewest edits.
 * @return NULL if more than a third of the letters differ from each name */
const char *tutti_name_nearest(const char *given, const char *const *names, int n);

enum { TUTTI_HINT_BYTES = 128 };

/** " (did you mean NAME?)" for a message, "" if `name` is NULL.  @return text */
const char *tutti_name_hint(const char *name, char text[TUTTI_HINT_BYTES]);

/** Find `given` in the list, or fail with the nearest name and all names:
 * "PLACE: 'reul' is not an activation (did you mean relu?); expected one of: linear, relu, ...".
 * @param code      status of that failure
 * @param place     what the message begins with (file, line, key), or ""
 * @param[out] index  of the name; -1 after a failure */
TUTTI_NODISCARD
tutti_status tutti_name_choose(const tutti_choice *from, const char *given, tutti_status code,
                               const char *place, int *index);
