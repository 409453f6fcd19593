/* Random requests to a disk, and what the disk must hold after: every answer is judged. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "block_model.h"
#include "xg_block.h"

struct workload {
    struct block_model *model;
    struct xg_block *block; /* set when the disk is ready, 0 when it is gone */
    unsigned int wanted;    /* requests in all */
    unsigned int most_at_once, most_sectors;
    /* What came of it. */
    unsigned int submitted, finished, failed, refused, wrong_data;
};

/* Starts xenstore's client, grants and bus over a model; false: they cannot be started. */
bool workload_connect(struct workload *workload, struct block_model *model);
/* Submits as many as can be under way at once, and waits for none. */
void workload_submit(struct workload *workload);
/* Runs all requests; false: some never came back. */
bool workload_run(struct workload *workload);
/* Reads the whole disk and compares it with what was acknowledged. */
bool workload_verify(struct workload *workload);
/* Removes the device, and checks that nothing is left over but what the backend keeps. */
void workload_end(struct workload *workload, uint32_t kept_pages);

#endif /* WORKLOAD_H */
