/* Grants: pages of this domain that backends may reach, and their way back. */
#ifndef XG_GRANT_H
#define XG_GRANT_H

#include "xg_os.h"

/* Never a reference: entries below 8 belong to the toolstack. */
#define XG_NO_GRANT 0u

/* Sets up a table of version 1 with so many frames of 512 entries, or fewer if Xen has fewer. */
int xg_grants_start(uint32_t frames);
/* After a resume: the table is empty, and every grant of before is void. */
int xg_grants_resume(void);

/* Grants a page to a domain; XG_NO_GRANT: the table is full, or the frame's number is too large.
 * Any context. */
grant_ref_t xg_grant(domid_t domain, const void *page, bool read_only);
/*
 * Ends a grant. True: the page is ours alone. False: the other domain has it mapped; the entry
 * stays as it is, the page has been taken over, and both come back when it lets go, the page by
 * xg_os_free_pages. The caller forgets the page. Any context.
 */
bool xg_grant_end(grant_ref_t reference, void *page);
/* The same where the page is not needed any more: it is freed now or later. Driver context. */
void xg_grant_end_free(grant_ref_t reference, void *page);
/* Tries some of those again that were mapped. Driver context; xg_bus_poll calls it. */
void xg_grants_retry(void);

/* Entries in use, and those of them that wait for the other domain to let go. */
uint32_t xg_grants_used(void);
uint32_t xg_grants_deferred(void);

#endif /* XG_GRANT_H */
