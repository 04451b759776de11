/* The progress line: a bar with loss, metric and remaining time on a terminal, one line per epoch elsewhere.  Rank 0 of
 * a training calls it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "tutti/metrics.h"

enum { LINE_BYTES = 512, DEFAULT_WIDTH = 80, MIN_BAR = 5, MAX_BAR = 30, BAR_STEP = 5 };
static const double redraw_every_s = 0.1;

struct tutti_progress {
  FILE *stream;       // borrowed
  const char *metric; // borrowed
  double total_epochs;
  int64_t samples_per_epoch;
  bool terminal;
  bool drawn;         // a bar is on the last line of the terminal
  double last_draw;   // tutti_clock_s; 0: never
  int64_t epoch;      // the epoch of the next two members
  double since;       // when its first step was reported
  int64_t since_done; // number of samples done then
};

tutti_status tutti_metrics_progress_create(FILE *stream, const char *metric, double total_epochs,
                                           int64_t samples_per_epoch, tutti_progress **progress) {
  TUTTI_TRY(TUTTI_NEW(*progress, 1));
  **progress = (tutti_progress){.stream = stream,
                                .metric = metric,
                                .total_epochs = total_epochs,
                                .samples_per_epoch = samples_per_epoch,
                                .terminal = isatty(fileno(stream)) == 1};
  return TUTTI_OK;
}

// --- parts of a line

static void append_epoch(char line[LINE_BYTES], const tutti_progress *progress, int64_t epoch) {
  tutti_text_append(line, LINE_BYTES, "epoch %lld", (long long)epoch);
  if (isfinite(progress->total_epochs) && progress->total_epochs > 0)
    tutti_text_append(line, LINE_BYTES, "/%.0f", ceil(progress->total_epochs));
}

/** "  NAME 0.0687"; nothing for NAN.  A value that would be 0.0000 with four decimals is written with an exponent. */
static void append_value(char line[LINE_BYTES], const char *prefix, const char *name, double value) {
  if (isnan(value)) return;
  const double size = fabs(value);
  // Four decimals suit most losses; the limits keep the columns of a log narrow.
  const bool plain = size == 0 || (size >= 1e-3 && size < 1e6) || isinf(size);
  tutti_text_append(line, LINE_BYTES, plain ? "  %s%s %.4f" : "  %s%s %.3e", prefix, name, value);
}

static void append_left(char line[LINE_BYTES], double seconds) {
  if (seconds < 100)
    tutti_text_append(line, LINE_BYTES, "  %.0f s left", seconds);
  else if (seconds < 6000)
    tutti_text_append(line, LINE_BYTES, "  %.0f min left", seconds / 60);
  else
    tutti_text_append(line, LINE_BYTES, "  %.1f h left", seconds / 3600);
}

static void append_bar(char line[LINE_BYTES], double fraction, int cells) {
  char bar[MAX_BAR + 1];
  const int full = (int)(fraction * cells);
  memset(bar, ' ', (size_t)cells);
  memset(bar, '=', (size_t)full);
  if (full < cells) bar[full] = '>';
  bar[cells] = '\0';
  tutti_text_append(line, LINE_BYTES, " [%s]", bar);
}

// --- the bar

/** The window may have changed its size, so the width is asked for at each drawing. */
static int terminal_width(FILE *stream) {
  struct winsize size;
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char *columns = getenv("COLUMNS");
  int64_t width = 0;
  if (columns && tutti_text_integer(columns, &width) && width > 0 && width < LINE_BYTES) return (int)width;
  return DEFAULT_WIDTH;
}

/** Number of cells of the bar between the texts before and after it.  It changes in steps, so that the bar does not
 * jump with each digit of the numbers.  0: there is not enough space for a useful bar. */
static int bar_cells(int width, const char *head, const char *tail) {
  const int room = width - 1 - (int)strlen(head) - (int)strlen(tail) - (int)strlen(" []");
  if (room < MIN_BAR) return 0;
  return room < MAX_BAR ? room - room % BAR_STEP : MAX_BAR;
}

/** Remove whole values from the end until the line fits, because half a number would be another number. */
static void shorten(char *line, int width) {
  const size_t room = width > 1 ? (size_t)width - 1 : 0;
  while (strlen(line) > room) {
    char *last = NULL;
    for (char *at = line; (at = strstr(at, "  ")); at += 2) last = at;
    line[last ? (size_t)(last - line) : room] = '\0';
  }
}

/** Draw the bar with the texts around it, over the bar that was drawn before. */
static void draw(tutti_progress *progress, int64_t epoch, double fraction, double loss, double metric,
                 double seconds_left) {
  char line[LINE_BYTES] = "", tail[LINE_BYTES] = "";
  append_epoch(line, progress, epoch);
  tutti_text_append(tail, LINE_BYTES, " %d%%", (int)(100 * fraction));
  append_value(tail, "", "loss", loss);
  append_value(tail, "", progress->metric, metric);
  if (seconds_left >= 0) append_left(tail, seconds_left);

  const int width = terminal_width(progress->stream);
  const int cells = bar_cells(width, line, tail);
  if (cells > 0) append_bar(line, fraction, cells);
  tutti_text_append(line, LINE_BYTES, "%s", tail);
  shorten(line, width); // not to the last column: some terminals wrap when it is written
  fprintf(progress->stream, "\r%s\033[K", line);
  fflush(progress->stream);
  progress->drawn = true;
}

void tutti_metrics_progress_step(tutti_progress *progress, int64_t epoch, int64_t done, double loss,
                                 double metric) {
  if (!progress->terminal) return;
  const double now = tutti_clock_s();
  if (epoch != progress->epoch) {
    progress->epoch = epoch;
    progress->since = now;
    progress->since_done = done;
  }
  // A terminal may be slower than a step, above all over a network.
  if (progress->last_draw > 0 && now - progress->last_draw < redraw_every_s) return;
  progress->last_draw = now;

  const int64_t all = progress->samples_per_epoch, since = done - progress->since_done;
  const double fraction = all > 0 ? fmin(1, (double)done / (double)all) : 0;
  const int64_t left = all > done ? all - done : 0;
  // The rate is that of this epoch alone: evaluations and checkpoints between epochs would distort it.
  const double seconds_left = since > 0 ? (now - progress->since) / (double)since * (double)left : -1;
  draw(progress, epoch, fraction, loss, metric, seconds_left);
}

// --- the line of an epoch

void tutti_metrics_progress_epoch(tutti_progress *progress, const tutti_metrics_row *row) {
  char line[LINE_BYTES] = "";
  append_epoch(line, progress, row->epoch);
  append_value(line, "", "loss", row->loss);
  append_value(line, "", progress->metric, row->metric);
  append_value(line, "val_", "loss", row->val_loss);
  append_value(line, "val_", progress->metric, row->val_metric);
  if (!isnan(row->samples_per_second))
    tutti_text_append(line, LINE_BYTES, "  samples/s %.0f", row->samples_per_second);
  if (!isnan(row->learning_rate)) tutti_text_append(line, LINE_BYTES, "  lr %g", row->learning_rate);
  // The line of the epoch stays, so it takes the place of the bar.
  fprintf(progress->stream, "%s%s\n", progress->drawn ? "\r\033[K" : "", line);
  fflush(progress->stream);
  progress->drawn = false;
}

void tutti_metrics_progress_destroy(tutti_progress **progress) {
  if (!*progress) return;
  // The bar of an unfinished epoch stays visible, and the next output begins on a new line.
  if ((*progress)->drawn) {
    fputc('\n', (*progress)->stream);
    fflush((*progress)->stream);
  }
  tutti_free(*progress);
  *progress = NULL;
}
