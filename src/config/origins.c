/** Where each key was set, for messages, and the key that was probably meant by an unknown one.  Called by the parser
 * and by all checks. */
#include "config/origins_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"

const char *tutti_config_place_print(const tutti_origins *origins, tutti_place place, const char *subject,
                                     char buffer[TUTTI_PLACE_BYTES]) {
  if (place.origin == TUTTI_FROM_FILE)
    snprintf(buffer, TUTTI_PLACE_BYTES, "%.400s:%d:%d: %s", origins->file, place.line, place.column, subject);
  else
    snprintf(buffer, TUTTI_PLACE_BYTES, "%s%s", place.origin == TUTTI_FROM_OPTION ? "--" : "", subject);
  return buffer;
}

/** Callers name keys of the list, so the key exists. */
const char *tutti_config_place_print_key(const tutti_origins *origins, const char *path,
                                         char buffer[TUTTI_PLACE_BYTES]) {
  return tutti_config_place_print(origins, origins->keys[tutti_config_key_at_path(path)], path, buffer);
}

tutti_place tutti_config_place_of_part(tutti_place whole, tutti_node part) {
  if (whole.origin == TUTTI_FROM_FILE) return (tutti_place){TUTTI_FROM_FILE, part.line, part.column};
  return whole;
}

/** Failures of another kind, such as no memory, are not about the place. */
tutti_status tutti_config_fail_at(tutti_status status, const tutti_origins *origins, tutti_place place,
                                  const char *subject) {
  char where[TUTTI_PLACE_BYTES];
  if (status != TUTTI_ERR_CONFIG) return status;
  TUTTI_FAIL(status, "%s: %s", tutti_config_place_print(origins, place, subject, where), tutti_fail_text());
}

/** The first key of this name, in any section; NULL: there is none. */
static const tutti_key *key_named(const char *name) {
  for (int i = 0; i < tutti_config_n_keys(); i++)
    if (strcmp(tutti_config_key_at(i)->name, name) == 0) return tutti_config_key_at(i);
  return NULL;
}

/** List the names of the keys of a section, or of all keys if it is NULL.  @return how many */
static int names_of(const char *section, const char *names[TUTTI_MAX_KEYS]) {
  int n = 0;
  for (int i = 0; i < tutti_config_n_keys(); i++)
    if (!section || strcmp(tutti_config_key_at(i)->section, section) == 0)
      names[n++] = tutti_config_key_at(i)->name;
  return n;
}

/** The key that was probably meant: one of this name in another section, or one of a similar name in this section, or
 * in any section; NULL: unknown. */
static const tutti_key *key_meant(const char *section, const char *name) {
  const char *names[TUTTI_MAX_KEYS];
  const tutti_key *key = key_named(name);
  if (key) return key;
  const char *nearest = tutti_name_nearest(name, names, names_of(section, names));
  if (nearest) return tutti_config_key_at(tutti_config_key_find(section, nearest));
  nearest = tutti_name_nearest(name, names, names_of(NULL, names));
  return nearest ? key_named(nearest) : NULL;
}

/** A key in the place of a section is a frequent slip, and the message says where the key belongs. */
tutti_status tutti_config_unknown_section(const char *name) {
  const char *names[TUTTI_MAX_SECTIONS];
  char list[256], quoted[TUTTI_QUOTE_BYTES], hint[TUTTI_HINT_BYTES];
  const int n = tutti_config_key_sections(names);
  const tutti_key *key = key_named(name);
  tutti_text_list(list, sizeof list, names, n);
  TUTTI_CHECK(!key, TUTTI_ERR_CONFIG, "the key %s belongs in a section; did you mean %s?",
              tutti_quote(name, quoted), key->path);
  const char *nearest = tutti_name_nearest(name, names, n);
  TUTTI_FAIL(TUTTI_ERR_CONFIG, "unknown section %s%s; the sections are: %s", tutti_quote(name, quoted),
             tutti_name_hint(nearest, hint), list);
}

/** All keys of the section are listed, because the nearest name is only a guess. */
tutti_status tutti_config_unknown_key(const char *section, const char *name) {
  const char *names[TUTTI_MAX_KEYS];
  char list[512], quoted[TUTTI_QUOTE_BYTES], hint[TUTTI_HINT_BYTES];
  const tutti_key *meant = key_meant(section, name);
  tutti_text_list(list, sizeof list, names, names_of(section, names));
  TUTTI_FAIL(TUTTI_ERR_CONFIG, "unknown key %s%s; the keys of %s are: %s", tutti_quote(name, quoted),
             tutti_name_hint(meant ? meant->path : NULL, hint), section, list);
}

tutti_status tutti_config_key_of_path(const char *path, int *i) {
  char section[64];
  *i = tutti_config_key_at_path(path);
  if (*i >= 0) return TUTTI_OK;
  const size_t letters = strcspn(path, ".");
  const char *name = path[letters] ? path + letters + 1 : "";
  snprintf(section, sizeof section, "%.*s", (int)(letters < 60 ? letters : 60), path);
  return tutti_config_section_find(section) >= 0 ? tutti_config_unknown_key(section, name)
                                                 : tutti_config_unknown_section(section);
}
