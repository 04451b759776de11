#pragma once
/** Virtual arrays: the place of an array, and its sources.  Private to this room. */
#include "io/io_impl.h"

enum { TUTTI_MAX_SOURCE_DEPTH = 8, TUTTI_NAME_BYTES = 1024, TUTTI_ADDRESS_BYTES = 16 };

/** An array of a file, and the array that it is a source of. */
typedef struct tutti_array_place {
  const struct tutti_array_place *above; // NULL: it is the array that the caller asked for
  const tutti_bounds *bounds;            // of the array that the caller asked for
  tutti_file **opened;                   // all sources so far, since HDF5 will have them open all at once
  char file[TUTTI_PATH_BYTES], name[TUTTI_NAME_BYTES];
  unsigned char address[TUTTI_ADDRESS_BYTES]; // in the file; an array may have several names
} tutti_array_place;

/** The product of the dimensions. */
int64_t tutti_array_n_numbers(const tutti_array_storage *storage);

/** Open an array and find its place.
 * @param[in]     above    the array that is made of it, or NULL
 * @param[in,out] at       only `opened` is set
 * @param[in,out] storage  was TUTTI_NO_STORAGE; to be closed also after a failure
 * @return as tutti_io_object_open; ERR_DATA the array is made of itself, or of a chain of more than
 * TUTTI_MAX_SOURCE_DEPTH arrays */
TUTTI_NODISCARD
tutti_status tutti_array_place_open(const tutti_file *file, const char *name, const tutti_array_place *above,
                                    tutti_array_place *at, tutti_array_storage *storage);

bool tutti_array_same_place(const tutti_array_place *a, const tutti_array_place *b);

/** The beginning of a message about the sources of an array. */
#define TUTTI_SOURCES_OF(at) "%s: sources of '%s'", (at)->file, (at)->name

/** The numbers that one source gives, and their places. */
typedef struct {
  char file[TUTTI_PATH_BYTES],
      name[TUTTI_NAME_BYTES]; // in the file's words, with %b for the number of a block
  hid_t to, from;             // spaces of both arrays with the numbers selected
} tutti_array_mapping;

/** @param[in]  creation  the creation list of the array
 * @param[in]  i         number of the mapping
 * @param[out] mapping   to be closed also after a failure */
TUTTI_NODISCARD
tutti_status tutti_array_mapping_open(const tutti_array_place *at, hid_t creation, size_t i,
                                      tutti_array_mapping *mapping);
void tutti_array_mapping_close(tutti_array_mapping *mapping);

/** Whether the names have a %b, so that each block has a source of its own. */
bool tutti_array_is_numbered(const tutti_array_mapping *mapping);

/** Write a number for %b, and a percent sign for %%.
 * @param[in] bytes  of `text`
 * @return whether there was a %b */
bool tutti_array_expand_name(const char *pattern, int64_t block, char *text, size_t bytes);

/** @param[out] file  of at->opened; NULL: there is no such file
 * @param[out] name  of the array in it
 * @return ERR_DATA the file is out of bounds; as tutti_file_open */
TUTTI_NODISCARD
tutti_status tutti_array_open_source(const tutti_array_place *at, const tutti_array_mapping *mapping,
                                     int64_t block, tutti_file **file, char name[TUTTI_NAME_BYTES]);

/** Close a list of files, which are linked by `next`. */
void tutti_array_close_sources(tutti_file **files);

/** Fail with the text of the last failure, and the array that is made of the source. */
tutti_status tutti_array_fail_source(tutti_status status, const tutti_array_place *at);
