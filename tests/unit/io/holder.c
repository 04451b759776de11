#include "holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

int holder_fcntl_error;

int __real_fcntl(int fd, int command, struct flock *range);
int __wrap_fcntl(int fd, int command, struct flock *range);

int __wrap_fcntl(int fd, int command, struct flock *range) {
  if (holder_fcntl_error == 0) return __real_fcntl(fd, command, range);
  errno = holder_fcntl_error;
  return -1;
}

pid_t holder_start(bool (*take)(const char *path, int64_t i), const char *path, int64_t i) {
  int ready[2];
  char byte;
  assert_int_equal(pipe(ready), 0);
  const pid_t process = fork();
  assert_true(process >= 0);
  if (process == 0) {
    if (!take(path, i) || write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  return process;
}

void holder_kill(pid_t process) {
  assert_int_equal(kill(process, SIGKILL), 0);
  assert_int_equal(waitpid(process, NULL, 0), process);
}
