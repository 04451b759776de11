#include "support/check.h"
#include "tutti/sampler.h"

/** Batches of an epoch, one after the other. */
static int64_t count_batches(const tutti_epoch *epoch, tutti_range *last) {
  int64_t n = 0;
  for (int64_t place = 0; place < epoch->n; n++) {
    *last = tutti_epoch_batch(epoch, place, epoch->batch);
    place = tutti_epoch_after(epoch, place, epoch->batch);
  }
  return n;
}

static void an_epoch_is_full_batches_and_a_rest(void **state) {
  (void)state;
  tutti_range last;
  const tutti_epoch epoch = tutti_epoch_make(60000, 128, TUTTI_LAST_SHORT);
  assert_int_equal(tutti_epoch_batch(&epoch, 0, 128).count, 128);
  assert_int_equal(count_batches(&epoch, &last), 469);
  assert_true(last.begin == 59904 && last.count == 96);
  assert_int_equal(tutti_epoch_after(&epoch, 59904, 128), 60000);
}

static void a_rest_can_be_left_out(void **state) {
  (void)state;
  tutti_range last;
  const tutti_epoch epoch = tutti_epoch_make(60000, 128, TUTTI_LAST_DROP);
  assert_int_equal(count_batches(&epoch, &last), 468);
  assert_true(last.begin == 467 * 128 && last.count == 128);
  assert_int_equal(tutti_epoch_after(&epoch, 467 * 128, 128), 60000);
  assert_int_equal(tutti_epoch_after(&epoch, 60000 + 466 * 128, 128), 60000 + 467 * 128);
}

static void a_rest_can_go_on_with_the_next_epoch(void **state) {
  (void)state;
  tutti_range last;
  const tutti_epoch epoch = tutti_epoch_make(60000, 128, TUTTI_LAST_CARRY);
  assert_int_equal(count_batches(&epoch, &last), 469);
  assert_true(last.begin == 59904 && last.count == 128);
  assert_int_equal(tutti_epoch_after(&epoch, 59904, 128), 60032);
  assert_int_equal(tutti_epoch_batch(&epoch, 60032, 128).begin, 32);
}

static void a_batch_larger_than_the_data_is_the_data_or_several_passes(void **state) {
  (void)state;
  const tutti_epoch cut = tutti_epoch_make(100, 1000, TUTTI_LAST_SHORT);
  assert_int_equal(cut.batch, 100);
  assert_int_equal(tutti_epoch_batch(&cut, 0, cut.batch).count, 100);
  const tutti_epoch passes = tutti_epoch_make(100, 1050, TUTTI_LAST_CARRY);
  assert_int_equal(tutti_epoch_batch(&passes, 1050, 1050).begin, 50);
  assert_int_equal(tutti_epoch_batch(&passes, 1050, 1050).count, 1050);
}

static void shards_cover_the_batch_once_in_rank_order(void **state) {
  (void)state;
  const int64_t grains[] = {1, 3, 16, 128, 1000};
  for (int64_t count = 0; count <= 300; count += 7) {
    for (int g = 0; g < 5; g++) {
      for (int size = 1; size <= 9; size++) {
        int64_t next = 50, largest = 0;
        for (int rank = 0; rank < size; rank++) {
          const tutti_range shard = tutti_shard((tutti_range){50, count}, grains[g], rank, size);
          assert_int_equal(shard.begin, next);
          assert_true(shard.count >= 0);
          if (shard.count > largest) largest = shard.count;
          next += shard.count;
        }
        assert_int_equal(next, 50 + count);
        assert_int_equal(largest, tutti_shard_largest(count, grains[g], size));
      }
    }
  }
}

static void shards_are_even_to_one_grain(void **state) {
  (void)state;
  assert_int_equal(tutti_shard((tutti_range){0, 10}, 1, 0, 4).count, 3);
  assert_int_equal(tutti_shard((tutti_range){0, 10}, 1, 3, 4).count, 2);
  // more ranks than samples
  assert_int_equal(tutti_shard((tutti_range){0, 2}, 1, 1, 8).count, 1);
  assert_int_equal(tutti_shard((tutti_range){0, 2}, 1, 7, 8).count, 0);
}

static void groups_fall_on_one_rank_where_there_are_enough(void **state) {
  (void)state;
  for (int size = 1; size <= 8; size++)
    for (int rank = 0; rank < size; rank++)
      assert_int_equal(tutti_shard((tutti_range){0, 1000}, 100, rank, size).begin % 100, 0);
  // three groups for four ranks: cut evenly by samples, groups fall on two ranks
  assert_int_equal(tutti_shard((tutti_range){0, 300}, 100, 1, 4).begin, 75);
}

static void a_split_leaves_both_sides_something(void **state) {
  (void)state;
  assert_int_equal(tutti_sampler_split_count(60000, 0.1), 6000);
  assert_int_equal(tutti_sampler_split_count(60000, 0), 0);
  assert_int_equal(tutti_sampler_split_count(10, 0.001), 1);
  assert_int_equal(tutti_sampler_split_count(10, 0.999), 9);
  assert_int_equal(tutti_sampler_split_count(1, 0.5), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_epoch_is_full_batches_and_a_rest),
      cmocka_unit_test(a_rest_can_be_left_out),
      cmocka_unit_test(a_rest_can_go_on_with_the_next_epoch),
      cmocka_unit_test(a_batch_larger_than_the_data_is_the_data_or_several_passes),
      cmocka_unit_test(shards_cover_the_batch_once_in_rank_order),
      cmocka_unit_test(shards_are_even_to_one_grain),
      cmocka_unit_test(groups_fall_on_one_rank_where_there_are_enough),
      cmocka_unit_test(a_split_leaves_both_sides_something),
  };
  return cmocka_run_group_tests_name("sampler.shard", tests, NULL, check_no_leak);
}
