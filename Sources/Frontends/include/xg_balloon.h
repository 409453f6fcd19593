/* The balloon: gives memory back to the hypervisor, and takes it again, as the toolstack wishes. */
#ifndef XG_BALLOON_H
#define XG_BALLOON_H

#include "xg_os.h"

/* `pages` is what the domain has now. Watches memory/target. Driver context. */
int xg_balloon_start(uint64_t pages);
/* Moves towards the target by some pages; true: there is more to do. Driver context. */
bool xg_balloon_step(void);
/* Pages that the domain has, and shall have. */
uint64_t xg_balloon_now(void);
uint64_t xg_balloon_target(void);

#endif /* XG_BALLOON_H */
