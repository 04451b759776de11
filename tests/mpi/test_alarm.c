#include <time.h>

#include "base/clock.h"
#include "support/mpi_main.h"

static bool look(tutti_alarm *alarm) {
  bool raised = false;
  EXPECT_OK(tutti_par_alarm_is_raised(alarm, &raised));
  return raised;
}

static void nobody_hears_what_nobody_raises(const tutti_comm *comm) {
  tutti_alarm *alarm = NULL;
  EXPECT_OK(tutti_par_alarm_create(comm, &alarm));
  for (int i = 0; i < 100; i++) EXPECT(!look(alarm), "heard at look %d", i);
  tutti_par_alarm_destroy(&alarm);
  EXPECT(!alarm, "the handle is left");
  tutti_par_alarm_destroy(&alarm);
}

/** The other ranks are in no call when it is raised, and hear it within a moment. */
static void all_hear_one(const tutti_comm *comm) {
  for (int root = 0; root < tutti_comm_size(comm); root++) {
    tutti_alarm *alarm = NULL;
    EXPECT_OK(tutti_par_alarm_create(comm, &alarm));
    if (tutti_comm_rank(comm) == root) EXPECT_OK(tutti_par_alarm_raise(alarm));
    const double start = tutti_clock_s();
    while (!look(alarm) && tutti_clock_s() - start < 30) {}
    EXPECT(look(alarm), "rank %d is not heard", root);
    tutti_par_alarm_destroy(&alarm);
  }
}

/** Once word has come, the first look finds it. */
static void one_look_is_enough(const tutti_comm *comm) {
  const bool first = tutti_comm_rank(comm) == 0;
  const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
  tutti_alarm *alarm = NULL;
  EXPECT_OK(tutti_par_alarm_create(comm, &alarm));
  EXPECT_OK(tutti_comm_barrier(comm));
  if (first) EXPECT_OK(tutti_par_alarm_raise(alarm));
  if (!first) nanosleep(&pause, NULL);
  EXPECT_OK(tutti_comm_barrier(comm));
  EXPECT(look(alarm), "not heard");
  tutti_par_alarm_destroy(&alarm);
}

/** Each rank raises it, twice, and none looks: it goes without a rest. */
static void it_may_be_left_unheard(const tutti_comm *comm) {
  tutti_alarm *alarm = NULL, *other = NULL;
  EXPECT_OK(tutti_par_alarm_create(comm, &alarm));
  EXPECT_OK(tutti_par_alarm_create(comm, &other));
  EXPECT_OK(tutti_par_alarm_raise(alarm));
  EXPECT_OK(tutti_par_alarm_raise(alarm));
  EXPECT(look(alarm), "own alarm");
  EXPECT_OK(tutti_comm_barrier(comm));
  EXPECT(!look(other), "heard through another one");
  tutti_par_alarm_destroy(&alarm);
  tutti_par_alarm_destroy(&other);
}

static tutti_status count_looks(void *context) {
  ++*(int *)context;
  return TUTTI_OK;
}

/** The last rank comes late, and the others look meanwhile; all of them leave together. */
static void ranks_that_wait_look(const tutti_comm *comm) {
  const bool late = tutti_comm_rank(comm) == tutti_comm_size(comm) - 1;
  const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
  int n_looks = 0;
  EXPECT_OK(tutti_comm_barrier(comm));
  const double start = tutti_clock_s();
  if (late) nanosleep(&pause, NULL);
  EXPECT_OK(tutti_par_alarm_meet(comm, count_looks, &n_looks));
  EXPECT(late || n_looks > 2, "%d looks in %g s", n_looks, tutti_clock_s() - start);
  EXPECT(tutti_clock_s() - start > 0.15, "left after %g s", tutti_clock_s() - start);
}

int main(void) {
  static const mpi_test tests[] = {MPI_TEST(nobody_hears_what_nobody_raises), MPI_TEST(all_hear_one),
                                   MPI_TEST(one_look_is_enough), MPI_TEST(it_may_be_left_unheard),
                                   MPI_TEST(ranks_that_wait_look)};
  return mpi_main("alarm", tests, (int)(sizeof tests / sizeof *tests));
}
