/** e2e_study FILE: writes the made-up study of support/study_file.h. */
#include "support/study_file.h"

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  study_file_write(argv[1]);
  return 0;
}
