#pragma once
/** Memory files, by which the processes of a node share memory.  Local. */
#include "par/par_impl.h"

/** By what other processes of the node find a memory file.  The same bytes on all ranks of the node. */
typedef struct {
  int64_t process;         // that has made it
  int32_t file;            // its descriptor there
  uint64_t device, number; // of the file, to recognise it
  char name[48];           // in /dev/shm; "": it has none
} tutti_segment_key;

/** Make a memory file of `length` bytes.  Its pages are not reserved yet.
 * @param[in]  named  with a name in /dev/shm, for ranks that do not see the descriptors of each other
 * @param[out] file   descriptor; the caller closes it
 * @return ERR_SYSTEM, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_par_segment_make(size_t length, bool named, tutti_segment_key *key, int *file);

/** Open the memory file of another process.
 * @param[out] file  descriptor; the caller closes it
 * @return ERR_SYSTEM it cannot be found */
TUTTI_NODISCARD
tutti_status tutti_par_segment_open(const tutti_segment_key *key, int *file);

/** Remove the name, if it has one. */
void tutti_par_segment_forget(const tutti_segment_key *key);

/** Return whether the limits on memory allow so many bytes. */
bool tutti_par_segment_has_memory(size_t length);

/** ERR_MEMORY with what to look at. */
tutti_status tutti_par_segment_no_memory(size_t length, int error);
