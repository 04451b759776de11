/** For programs with the leak sanitizer that call MPI.  MPI loads plugins, leaves some of their memory behind
 * and unloads them; a leak of an unloaded module has no name, so no suppression can tell it from one of ours.
 * This definition comes before libc's and keeps modules loaded. */

int dlclose(void *module);

int dlclose(void *module) {
  (void)module;
  return 0;
}
