/* Memory files: who finds them, and what is left of them. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "par/segment_impl.h"
#include "support/check.h"

enum { LENGTH = 100000 };

static int *map(int file) {
  int *data = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  assert_true(data != MAP_FAILED);
  return data;
}

/** Whether a process of its own finds the memory and the number in it, and can change that. */
static bool another_process_shares(const tutti_segment_key *key, int number) {
  int state = 0;
  const pid_t process = fork();
  assert_true(process >= 0);
  if (process == 0) {
    int file = -1;
    close(key->file); // what it has by birth
    if (tutti_par_segment_open(key, &file) != TUTTI_OK) _exit(1);
    int *data = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (data == MAP_FAILED || data[7] != number) _exit(1);
    data[8] = number + 1;
    _exit(0);
  }
  assert_int_equal(waitpid(process, &state, 0), process);
  return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

static void check_sharing(bool named) {
  tutti_segment_key key;
  int file = -1;
  CHECK_OK(tutti_par_segment_make(LENGTH, named, &key, &file));
  int *data = map(file);
  assert_int_equal(data[LENGTH / 4 - 1], 0);
  data[7] = 42;
  assert_true(another_process_shares(&key, 42));
  assert_int_equal(data[8], 43);
  tutti_par_segment_forget(&key);
  assert_false(named && another_process_shares(&key, 42));
  munmap(data, LENGTH);
  close(file);
}

static void memory_is_found_by_other_processes(void **state) {
  (void)state;
  check_sharing(false);
  check_sharing(true);
}

/** How many names of this process have appeared in the folder since it is watched. */
static int n_appeared(int watch) {
  char events[65536] __attribute__((aligned(__alignof__(struct inotify_event)))), mine[32];
  int n = 0;
  snprintf(mine, sizeof mine, "tutti.%ld.", (long)getpid());
  const ssize_t got = read(watch, events, sizeof events);
  for (ssize_t at = 0; at < got;) {
    const struct inotify_event *event = (const struct inotify_event *)(events + at);
    n += event->len > 0 && strncmp(event->name, mine, strlen(mine)) == 0;
    at += (ssize_t)(sizeof *event + event->len);
  }
  return n;
}

/** A job may be killed at any instant, so it is not enough that the name has gone afterwards. */
static void nameless_memory_has_no_name_at_any_moment(void **state) {
  (void)state;
  const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watch < 0 || inotify_add_watch(watch, "/dev/shm", IN_CREATE | IN_MOVED_TO) < 0) skip();
  check_sharing(false);
  assert_int_equal(n_appeared(watch), 0);
  check_sharing(true); // the watch sees names
  assert_int_equal(n_appeared(watch), 1);
  close(watch);
}

/** A process that makes memory with a name, tells its key, and waits to be killed. */
static pid_t start_holder(tutti_segment_key *key) {
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  const pid_t process = fork();
  assert_true(process >= 0);
  if (process == 0) {
    int file = -1;
    if (tutti_par_segment_make(LENGTH, true, key, &file) != TUTTI_OK) _exit(1);
    if (write(ready[1], key, sizeof *key) != (ssize_t)sizeof *key) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], key, sizeof *key), sizeof *key);
  close(ready[0]);
  return process;
}

static bool has_name(const tutti_segment_key *key) {
  char path[64];
  snprintf(path, sizeof path, "/dev/shm%s", key->name);
  return access(path, F_OK) == 0;
}

static void names_of_killed_processes_are_removed(void **state) {
  (void)state;
  for (int named = 0; named < 2; named++) {
    tutti_segment_key left, mine;
    int file = -1;
    const pid_t holder = start_holder(&left);
    CHECK_OK(tutti_par_segment_make(LENGTH, named, &mine, &file));
    assert_true(has_name(&left)); // its process lives
    tutti_par_segment_forget(&mine);
    close(file);

    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    CHECK_OK(tutti_par_segment_make(LENGTH, named, &mine, &file));
    assert_false(has_name(&left));
    tutti_par_segment_forget(&mine);
    close(file);
  }
}

/** Descriptors and processes have other numbers in another container. */
static void another_file_is_not_taken_for_the_memory(void **state) {
  (void)state;
  tutti_segment_key key, other;
  int file = -1, more = -1, found = -1;
  CHECK_OK(tutti_par_segment_make(LENGTH, false, &key, &file));
  CHECK_OK(tutti_par_segment_make(LENGTH, false, &other, &more));
  key.file = other.file;
  CHECK_FAILS(tutti_par_segment_open(&key, &found), TUTTI_ERR_SYSTEM, "this is another file");
  if (found >= 0) close(found);
  key.file = -1;
  CHECK_FAILS(tutti_par_segment_open(&key, &found), TUTTI_ERR_SYSTEM,
              "the shared memory of the first rank of this node cannot be opened: ");
  close(file);
  close(more);
}

static void more_than_the_machine_has_is_refused_at_once(void **state) {
  (void)state;
  tutti_segment_key key;
  int file = -1;
  CHECK_FAILS(tutti_par_segment_make((size_t)1 << 50, false, &key, &file), TUTTI_ERR_MEMORY,
              "no 1125899906842624 bytes of memory");
  assert_int_equal(file, -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_found_by_other_processes),
      cmocka_unit_test(nameless_memory_has_no_name_at_any_moment),
      cmocka_unit_test(names_of_killed_processes_are_removed),
      cmocka_unit_test(another_file_is_not_taken_for_the_memory),
      cmocka_unit_test(more_than_the_machine_has_is_refused_at_once),
  };
  return cmocka_run_group_tests_name("par.segment", tests, NULL, check_no_leak);
}
