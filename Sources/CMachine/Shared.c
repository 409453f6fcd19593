/*
 * Words that all CPUs share: the locks, and the request of a TLB shootdown. SpinLock.swift and
 * Shootdown.swift say who writes them when.
 */
#include "include/machine.h"

struct xg_lock xg_locks[XG_LOCKS];
struct xg_shootdown xg_shootdown;
