/* Grant tables: the own table, entries of version 1, and the calls of those who use grants. */
#ifndef GUEST_GRANTS_H
#define GUEST_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "xenabi.h"

/* The own table is mapped at GRANT_TABLE (arch.h); its status words are here. */
#define GRANT_STATUS (GRANT_TABLE + 0x200000)

/* The handle that a call which failed leaves in a request of grant_map. */
#define NO_HANDLE 0xffffffffu

/* Makes the table `count` frames long and maps it; panics where that fails. */
void grants_initialise(unsigned int count);
/* The frames of the table, as the last call told them. */
mfn_t grant_frame(unsigned int index);
/* Maps `count` frames of status words; panics where that fails. */
void grant_status_initialise(unsigned int count);

/* Entries, for version 1 and 2. */
struct grant_entry_v1 *grant_entry(unsigned int reference);
union grant_entry_v2 *grant_entry_two(unsigned int reference);
volatile uint16_t *grant_status(unsigned int reference);

/* The domain's own number, which nothing at the start tells: a port that waits for it shows it. */
domid_t own_domain(void);

/* Grants a frame: domain and frame first, then the flags. */
void grant_access(unsigned int reference, domid_t domain, mfn_t mfn, uint16_t flags);
/* Takes a grant back; false while it is in use. */
bool grant_end(unsigned int reference);

/* One element each. They give back the status, and print where the call itself fails. */
int grant_map(domid_t domain, grant_ref_t reference, uint32_t flags, uint64_t address,
              grant_handle_t *handle);
int grant_unmap(grant_handle_t handle, uint64_t address, uint64_t device);
int grant_replace(grant_handle_t handle, uint64_t address, uint64_t new_address);
int grant_copy(struct gnttab_copy copy);
int grant_swap(grant_ref_t a, grant_ref_t b);

/* One side of a copy. */
struct gnttab_copy_ptr copy_frame(mfn_t mfn, uint16_t offset);
struct gnttab_copy_ptr copy_grant(domid_t domain, grant_ref_t reference, uint16_t offset);

/* A status against the one expected, by name. */
void expect_status(const char *what, int found, int expected);

#endif /* GUEST_GRANTS_H */
