/** The terminal of the user.  Launchers give their ranks pipes, so it is found through the launcher: an ancestor
 * process by its name, and the file that this process has as its standard error.  The progress line is written
 * there. */
#include "base/terminal.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/process.h"

/** Ranks run in the background of the terminal, which stops them when they write if it is set to (stty tostop). */
static bool is_writable_terminal(int fd) {
  struct termios settings;
  return isatty(fd) && tcgetattr(fd, &settings) == 0 && (settings.c_lflag & TOSTOP) == 0;
}

/** The standard error of the launcher, if this user may open it and it is a terminal. */
static int open_launcher_stderr(void) {
  const long launcher = tutti_process_launcher();
  if (launcher == 0) return -1;
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/fd/2", launcher);
  // O_NONBLOCK: opening a pipe must not wait for a reader
  const int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  if (!is_writable_terminal(fd)) {
    close(fd);
    return -1;
  }
  fcntl(fd, F_SETFL, 0);
  return fd;
}

FILE *tutti_terminal_open(void) {
  const int fd = isatty(STDERR_FILENO) ? dup(STDERR_FILENO) : open_launcher_stderr();
  if (fd < 0) return NULL;
  FILE *stream = fdopen(fd, "w");
  if (stream == NULL) {
    close(fd);
    return NULL;
  }
  setvbuf(stream, NULL, _IOLBF, BUFSIZ);
  return stream;
}
