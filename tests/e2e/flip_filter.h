#pragma once
/** A filter that HDF5 does not have: it inverts all bits. */
#include <hdf5.h>

enum { FLIP_FILTER = 311 }; // of the numbers for tests

extern const H5Z_class2_t flip_filter;
