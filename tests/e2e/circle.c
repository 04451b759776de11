/* To be loaded before HDF5: an HDF5 that never comes back from opening an array, as with some damaged files. */
#include <hdf5.h>

hid_t H5Dopen2(hid_t place, const char *name, hid_t access) {
  (void)place, (void)name, (void)access;
  for (volatile unsigned i = 0;;) i++;
}
