#pragma once
/** A temporary folder for the files of a test. */
#include <stddef.h>

/** A cmocka setup and its teardown: *state is the folder's path; everything below it is removed. */
int folder_make(void **state);
int folder_remove(void **state);

/** FOLDER/NAME; valid until the eighth call after it. */
const char *folder_path(void *const *state, const char *name);

/** How many entries the folder itself has. */
int folder_count(void *const *state);

/** The bytes of a file, to be freed with tutti_free; fails the test where it cannot be read. */
unsigned char *folder_bytes(const char *path, size_t *n);

/** Make or replace a file of these bytes. */
void folder_put(const char *path, const void *data, size_t n);

/** Write a text to FOLDER/PATH, and make the folders of the path. */
void folder_put_text(void *const *state, const char *path, const char *text);
