#pragma once
/** Reading a file from its beginning, as bytes or line by line; what gzip has packed is unpacked on the way.
 * Local. */
#include <stdbool.h>

#include "tutti/base.h"

typedef struct tutti_input tutti_input;

/** @return ERR_MISSING no such file; ERR_DATA a folder; ERR_IO not readable.  The caller owns it. */
TUTTI_NODISCARD
tutti_status tutti_input_open(const char *path, tutti_input **input);

/** Accepts NULL inside; nulls the handle. */
void tutti_input_close(tutti_input **input);

/** Up to n bytes; *got < n only at the end of the file.
 * @return ERR_DATA truncated or damaged gzip data; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_input_read(tutti_input *input, void *data, int64_t n, int64_t *got);

/** Exactly n bytes.
 * @param[in] what  "header", for the message
 * @return as tutti_input_read; ERR_DATA fewer bytes are left */
TUTTI_NODISCARD
tutti_status tutti_input_read_exactly(tutti_input *input, void *data, int64_t n, const char *what);

/** @return ERR_DATA if a byte is left; as tutti_input_read */
TUTTI_NODISCARD
tutti_status tutti_input_check_end(tutti_input *input);

/** The next line without its end (\n or \r\n), NUL-terminated, of any length; borrowed until the next call.
 * *line is NULL at the end of the file.  A byte order mark of UTF-8 at the very beginning is left out.
 * @return as tutti_input_read; ERR_DATA a NUL byte, which no text holds */
TUTTI_NODISCARD
tutti_status tutti_input_line(tutti_input *input, char **line, int64_t *length);

/** @return ERR_DATA, always: the line read last holds a \r that ends no line, and the format has no use for
 * it */
TUTTI_NODISCARD
tutti_status tutti_input_refuse_return(const tutti_input *input);

const char *tutti_input_path(const tutti_input *input);    // Borrowed.
int64_t tutti_input_line_number(const tutti_input *input); // Of the last line read, from 1.
