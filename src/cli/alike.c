/** Whether all ranks were started alike.
 *
 * Rank 0 broadcasts its program and its arguments as one text, and each rank compares this text with its own.  The hash
 * of the program's file is a part of the text, because another build of the same version may call other collectives.
 * Called by main.c before anything else. */
#include "cli/start_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

// The end of a word.  A line break would not do, since an option may contain one.
enum { END = '\x1e' };

/** Hash of the file of the running program; 0 if the system does not provide it. */
static uint64_t fingerprint_program(void) {
  char piece[1 << 14];
  uint64_t hash = 0;
  FILE *file = fopen("/proc/self/exe", "rb");
  if (!file) return 0;
  for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;) hash = tutti_hash(hash, piece, (int64_t)n);
  fclose(file);
  return hash;
}

/** A debug and a release build of the same version differ in their checks, so the kind is a part of the text. */
static void print_program(char *text, size_t bytes) {
#ifdef NDEBUG
  const char *kind = "release";
#else
  const char *kind = "debug";
#endif
  snprintf(text, bytes, "tutti " TUTTI_VERSION ", %s build %016llx", kind,
           (unsigned long long)fingerprint_program());
}

/** The program and its arguments, each with END.  The path of the program is left out: it may differ between nodes. */
static tutti_status join_words(int argc, char **argv, char **text) {
  char program[80];
  print_program(program, sizeof program);
  int64_t bytes = (int64_t)strlen(program) + 2;
  for (int i = 1; i < argc; i++) bytes += (int64_t)strlen(argv[i]) + 1;
  TUTTI_TRY(TUTTI_NEW(*text, bytes));
  char *end = *text + sprintf(*text, "%s%c", program, END);
  for (int i = 1; i < argc; i++) end += sprintf(end, "%s%c", argv[i], END);
  return TUTTI_OK;
}

/** Print the word at `word` for a message; it is empty if the text is over. */
static void print_word(const char *word, char *shown, size_t bytes) {
  const int length = (int)strcspn(word, (char[]){END, '\0'});
  if (*word)
    snprintf(shown, bytes, "'%.*s'", length < 100 ? length : 100, word);
  else
    snprintf(shown, bytes, "no further word");
}

/** Compare the words of this rank with those of rank 0.  Local. */
static tutti_status compare(const char *own, const char *root) {
  char shown[128], expected[128];
  const char *own_word = own, *root_word = root;
  for (int64_t i = 0; own[i] == root[i]; i++) {
    if (!own[i]) return TUTTI_OK;
    if (own[i] != END) continue;
    own_word = &own[i + 1];
    root_word = &root[i + 1];
  }
  print_word(own_word, shown, sizeof shown);
  print_word(root_word, expected, sizeof expected);
  TUTTI_FAIL(TUTTI_ERR_USAGE,
             "was started with %s where rank 0 has %s; start all ranks with the same program, command and "
             "options, in the same order",
             shown, expected);
}

tutti_status tutti_cli_check_alike(const tutti_comm *comm, int argc, char **argv) {
  char *own = NULL, *root = NULL;
  const bool is_root = tutti_comm_rank(comm) == 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, join_words(argc, argv, &own)));
  if (is_root) root = own;
  TUTTI_TRY_GOTO(done, tutti_comm_bcast_text(comm, 0, &root));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, compare(own, root)));
done:
  if (!is_root) tutti_free(root);
  tutti_free(own);
  return status;
}
