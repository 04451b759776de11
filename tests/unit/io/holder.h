#pragma once
/** What tests of locks need: a system call that fails, and another process that holds something.  To be linked with
 * --wrap=fcntl. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

extern int holder_fcntl_error; // 0: the system's own fcntl; else it fails so

/** A process that has called take(path, i) and hangs until it is killed; it ends at once where that is false, which the
 * caller asserts. */
pid_t holder_start(bool (*take)(const char *path, int64_t i), const char *path, int64_t i);
void holder_kill(pid_t process);
