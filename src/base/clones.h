#pragma once
/** One binary for every x86-64 machine: a loop marked TUTTI_CLONES is compiled for AVX-512, for AVX2 and for
 * the baseline, and the dynamic linker chooses the one for the processor.  The clones give the same bits: in ISO C
 * mode GCC does not fuse multiplications with additions.
 *
 * Not under a sanitizer whose checks would run in the linker's resolvers before it is set up. */

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) &&                     \
    defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TUTTI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TUTTI_CLONES
#endif

/** For the body that several clones share: a call would leave the target of the clone. */
#if defined(__GNUC__)
#define TUTTI_INLINE static inline __attribute__((always_inline))
#else
#define TUTTI_INLINE static inline
#endif
