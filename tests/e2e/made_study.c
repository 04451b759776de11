/** e2e_study FILE [alone]: writes the made-up study of support/study_file.h. */
#include "support/study_file.h"

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) return 64;
  study_file_write(argv[1], argc == 3);
  return 0;
}
