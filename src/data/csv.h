#pragma once
/** Records of a CSV file (RFC 4180): quoted fields, doubled quotes, separators and line ends inside quotes.
 * Lines may end in \n or \r\n; blank lines are passed over; spaces around a field that is not quoted are
 * dropped.  Local. */
#include <stdbool.h>

#include "tutti/base.h"

typedef struct tutti_csv tutti_csv;

/** Open and read the header line, which becomes the current record and tells the separator: of comma,
 * semicolon and tab the one that it holds most often.
 * @return ERR_MISSING, ERR_IO; ERR_DATA an empty file, bad quoting, no text.  The caller owns it. */
TUTTI_NODISCARD
tutti_status tutti_csv_open(const char *path, tutti_csv **csv);

/** Accepts NULL inside; nulls the handle. */
void tutti_csv_close(tutti_csv **csv);

/** The next record; *there is false at the end of the file.  @return ERR_DATA bad quoting or gzip data;
 * ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_csv_next(tutti_csv *csv, bool *there);

int64_t tutti_csv_n_fields(const tutti_csv *csv);
const char *tutti_csv_field(const tutti_csv *csv, int64_t i); // Borrowed until the next record.
int64_t tutti_csv_line(const tutti_csv *csv);                 // Where the record begins, from 1.
