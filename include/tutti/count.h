#pragma once
/** A count with a unit, as people write it: "5 epochs", "500 steps", "1000000 samples", "10 minutes".
 * Local. */
#include "tutti/base.h"

typedef enum {
  TUTTI_UNIT_STEPS = 1,
  TUTTI_UNIT_EPOCHS = 2,
  TUTTI_UNIT_SAMPLES = 4,
  TUTTI_UNIT_SECONDS = 8 // minutes and hours are read, seconds are kept
} tutti_unit;

typedef struct {
  double value; // in `unit`; 0: never, or none
  tutti_unit unit;
} tutti_count;

/** Read a count.
 * @param[in] allowed  sum of the tutti_unit that are allowed
 * @param[in] bare     the unit of a number without one
 * @return ERR_CONFIG, with what is allowed, if `text` is not a count >= 0 in an allowed unit */
TUTTI_NODISCARD
tutti_status tutti_count_parse(const char *text, unsigned allowed, tutti_unit bare, tutti_count *count);

/** Write a count as tutti_count_parse reads it. */
void tutti_count_print(tutti_count count, char *text, size_t bytes);

/** Places in a training in ascending order, all in one unit: "10, 20, 30 epochs". */
enum { TUTTI_MAX_MILESTONES = 16 };
typedef struct {
  int n; // 0: none
  tutti_unit unit;
  double values[TUTTI_MAX_MILESTONES]; // above 0, rising
} tutti_milestones;

/** Read counts that are separated by commas; only the last needs its unit.
 * @param[in] allowed  sum of the tutti_unit that are allowed
 * @return ERR_CONFIG, with what is allowed: not a count, more than TUTTI_MAX_MILESTONES, several units, or not
 * ascending */
TUTTI_NODISCARD
tutti_status tutti_milestones_parse(const char *text, unsigned allowed, tutti_milestones *milestones);

/** Write milestones as tutti_milestones_parse reads them; "" for none. */
void tutti_milestones_print(const tutti_milestones *milestones, char *text, size_t bytes);
