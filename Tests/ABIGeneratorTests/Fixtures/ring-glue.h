/* What each language offers to the ring driver: both ends of a ring, and one end of byte streams. */
#ifndef RING_GLUE_H
#define RING_GLUE_H

#include <stdint.h>

struct request {
    uint64_t id;
    uint32_t kind;
    uint32_t check;
    uint64_t more;
};

struct response {
    uint64_t id;
    int32_t status;
    uint32_t check;
};

/* A page with two streams, each index in a cache line of its own. */
struct stream_page {
    uint8_t in[1024];
    uint8_t out[2048];
    uint32_t in_cons, in_prod;
    uint32_t out_cons, out_prod;
};

/* State is 256 bytes that the driver provides, aligned to 16. Results: 1 done, 0 not now, -1 broken. */
#define RING_GLUE(lang)                                                                  \
    int lang##_front_init(void *state, void *page, uint32_t bytes);                      \
    int lang##_front_put(void *state, const struct request *request);                    \
    int lang##_front_push(void *state);                                                  \
    int lang##_front_take(void *state, struct response *response);                       \
    int lang##_front_wait(void *state);                                                  \
    int lang##_back_init(void *state, void *page, uint32_t bytes);                       \
    int lang##_back_take(void *state, struct request *request);                          \
    int lang##_back_put(void *state, const struct response *response);                   \
    int lang##_back_push(void *state);                                                   \
    int lang##_back_wait(void *state);                                                   \
    int lang##_stream_init(void *state, struct stream_page *page, int is_guest);         \
    int lang##_stream_write(void *state, const uint8_t *data, uint32_t length);          \
    int lang##_stream_read(void *state, uint8_t *data, uint32_t length);

RING_GLUE(c)
RING_GLUE(rust)
RING_GLUE(swift)

#endif
