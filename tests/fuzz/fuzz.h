#pragma once
/** A harness is one function that reads bytes as a reader of tutti does, and must neither crash nor keep memory.
 * libFuzzer calls it with bytes that it invents; replay.c with those of files. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/** Write the bytes to a file of this process, for readers that take a path.
 * @param[in] name  of the file, for example "data.h5"
 * @return its path; valid until the eighth call after it */
const char *fuzz_file(const char *name, const uint8_t *data, size_t n);

/** The folder of these files. */
const char *fuzz_folder(void);

/** The bytes as a text, to be freed; NULL if there is a NUL byte in it. */
char *fuzz_text(const uint8_t *data, size_t n);

/** Nothing of ours may be left allocated, and a failure has a text. */
void fuzz_end(void);
