// Access to rings in C: small functions in place of Xen's macros. Rust's and Swift's versions say
// the same in the same order; the ring tests drive all three against each other.

enum CRingRuntime {
  static func text(_ generator: Generator) -> String {
    "/* \(generator.origin(nil)) */\n" + head + requests + responses + streams + tail
  }

  private static let head = """
    /*
     * Rings of requests and responses, and rings of bytes, in pages that two domains share.
     *
     * The other end may be hostile: it can write anything to the page at any time. So each end
     * keeps its own indexes in private memory and never reads them back from the page, an entry is
     * copied out before anybody looks at it, indexes are masked, and a producer index that claims
     * more than can be there is reported as XENABI_RING_BROKEN. After that answer the only sound
     * step is to disconnect.
     *
     *     front            page                       back
     *     put, push  -->   req_prod, entries   -->    take
     *     take       <--   rsp_prod, entries   <--    put, push
     *
     * push says whether the other end asked to be notified; before sleeping, call wait: it asks
     * to be notified of the next entry and looks once more, so that none is missed.
     */
    #ifndef XENABI_RING_ACCESS_H
    #define XENABI_RING_ACCESS_H

    #include "xenabi/base.h"

    #ifdef __cplusplus
    extern "C" {
    #endif

    #define XENABI_RING_EMPTY 0
    #define XENABI_RING_DONE 1
    #define XENABI_RING_BROKEN (-1)

    /* The first 64 bytes of a ring's first page; the entries follow. */
    struct xenabi_sring {
        uint32_t req_prod;  /* written by the front end */
        uint32_t req_event; /* written by the back end: notify when req_prod passes this */
        uint32_t rsp_prod;  /* written by the back end */
        uint32_t rsp_event; /* written by the front end: notify when rsp_prod passes this */
        uint8_t pad[48];
    };
    XENABI_ASSERT(sizeof(struct xenabi_sring) == 64, "abi ring: header size", sring_size);

    /* One end of a ring. All of it is private to this end; only what shared points to is not. */
    struct xenabi_ring {
        struct xenabi_sring *shared;
        uint8_t *entries;
        uint32_t count;      /* entries in the ring, a power of two */
        uint32_t entry_size; /* bytes: the larger of a request and a response */
        uint32_t produced;   /* entries written, perhaps not all published */
        uint32_t published;  /* entries that the other end may see */
        uint32_t consumed;   /* entries of the other end taken out */
    };

    static inline uint32_t xenabi_load_acquire(const uint32_t *place)
    {
        return __atomic_load_n(place, __ATOMIC_ACQUIRE);
    }

    static inline uint32_t xenabi_load_relaxed(const uint32_t *place)
    {
        return __atomic_load_n(place, __ATOMIC_RELAXED);
    }

    static inline void xenabi_store_release(uint32_t *place, uint32_t value)
    {
        __atomic_store_n(place, value, __ATOMIC_RELEASE);
    }

    static inline void xenabi_full_barrier(void)
    {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }

    /* Keeps the compiler from reading shared bytes a second time later. */
    static inline void xenabi_compiler_barrier(void)
    {
        __asm__ volatile("" : : : "memory");
    }

    /* Copies, and keeps the compiler from reading the shared bytes a second time later. */
    static inline void xenabi_copy(void *to, const void *from, size_t size)
    {
        __builtin_memcpy(to, from, size);
        xenabi_compiler_barrier();
    }

    /* The number of entries of a ring of so many bytes: the largest power of two that fits. */
    static inline uint32_t xenabi_ring_count(uint32_t bytes, uint32_t entry_size)
    {
        uint32_t room, count = 1;

        if (entry_size == 0 || bytes < 64 || (bytes - 64) / entry_size == 0)
            return 0;
        room = (bytes - 64) / entry_size;
        while (count <= room / 2)
            count *= 2;
        return count;
    }

    /* Describes one end. Returns 0 where the page cannot hold a single entry. */
    static inline int xenabi_ring_attach(struct xenabi_ring *ring, void *page, uint32_t bytes,
                                         uint32_t entry_size)
    {
        ring->shared = (struct xenabi_sring *)page;
        ring->entries = (uint8_t *)page + 64;
        ring->count = xenabi_ring_count(bytes, entry_size);
        ring->entry_size = entry_size;
        ring->produced = ring->published = ring->consumed = 0;
        return ring->count != 0;
    }

    static inline uint8_t *xenabi_ring_entry(const struct xenabi_ring *ring, uint32_t index)
    {
        return ring->entries + (size_t)(index & (ring->count - 1)) * ring->entry_size;
    }

    """

  private static let requests = """

    /* Front end: clears the page's header and describes this end. Done before the page is granted. */
    static inline int xenabi_front_init(struct xenabi_ring *ring, void *page, uint32_t bytes,
                                        uint32_t entry_size)
    {
        if (!xenabi_ring_attach(ring, page, bytes, entry_size))
            return 0;
        __builtin_memset(page, 0, 64);
        ring->shared->req_event = 1;
        ring->shared->rsp_event = 1;
        return 1;
    }

    /* Front end: requests that can still be put. */
    static inline uint32_t xenabi_front_free(const struct xenabi_ring *ring)
    {
        return ring->count - (ring->produced - ring->consumed);
    }

    /* Front end: writes a request that push will publish. EMPTY: there is no room for it. */
    static inline int xenabi_front_put(struct xenabi_ring *ring, const void *request, uint32_t size)
    {
        if (xenabi_front_free(ring) == 0 || size > ring->entry_size)
            return XENABI_RING_EMPTY;
        xenabi_copy(xenabi_ring_entry(ring, ring->produced), request, size);
        ring->produced++;
        return XENABI_RING_DONE;
    }

    /* Front end: publishes what was put. Returns 1 where the back end wants to be notified. */
    static inline int xenabi_front_push(struct xenabi_ring *ring)
    {
        uint32_t old = ring->published, now = ring->produced;

        xenabi_store_release(&ring->shared->req_prod, now); /* entries before the index */
        ring->published = now;
        xenabi_full_barrier(); /* the index before the look at req_event */
        return (uint32_t)(now - xenabi_load_relaxed(&ring->shared->req_event)) <
               (uint32_t)(now - old);
    }

    /* Front end: copies out the next response. */
    static inline int xenabi_front_take(struct xenabi_ring *ring, void *response, uint32_t size)
    {
        uint32_t ready = xenabi_load_acquire(&ring->shared->rsp_prod) - ring->consumed;

        if (ready == 0)
            return XENABI_RING_EMPTY;
        /* More responses than unanswered requests: the back end lies. */
        if (ready > ring->published - ring->consumed || size > ring->entry_size)
            return XENABI_RING_BROKEN;
        xenabi_copy(response, xenabi_ring_entry(ring, ring->consumed), size);
        ring->consumed++;
        return XENABI_RING_DONE;
    }

    /* Front end: asks to be notified of the next response. Returns 1 where one is there already. */
    static inline int xenabi_front_wait(struct xenabi_ring *ring)
    {
        xenabi_store_release(&ring->shared->rsp_event, ring->consumed + 1);
        xenabi_full_barrier(); /* the wish before the last look */
        return xenabi_load_acquire(&ring->shared->rsp_prod) != ring->consumed;
    }

    """

  private static let responses = """

    /* Back end: copies out the next request. */
    static inline int xenabi_back_take(struct xenabi_ring *ring, void *request, uint32_t size)
    {
        uint32_t producer = xenabi_load_acquire(&ring->shared->req_prod);

        if (producer == ring->consumed)
            return XENABI_RING_EMPTY;
        /* More requests than the ring has room for beside the unanswered ones: the front end lies. */
        if (producer - ring->consumed > ring->count - (ring->consumed - ring->produced) ||
            size > ring->entry_size)
            return XENABI_RING_BROKEN;
        xenabi_copy(request, xenabi_ring_entry(ring, ring->consumed), size);
        ring->consumed++;
        return XENABI_RING_DONE;
    }

    /* Back end: writes a response that push will publish. EMPTY: no request is unanswered. */
    static inline int xenabi_back_put(struct xenabi_ring *ring, const void *response, uint32_t size)
    {
        if (ring->produced == ring->consumed || size > ring->entry_size)
            return XENABI_RING_EMPTY;
        xenabi_copy(xenabi_ring_entry(ring, ring->produced), response, size);
        ring->produced++;
        return XENABI_RING_DONE;
    }

    /* Back end: publishes what was put. Returns 1 where the front end wants to be notified. */
    static inline int xenabi_back_push(struct xenabi_ring *ring)
    {
        uint32_t old = ring->published, now = ring->produced;

        xenabi_store_release(&ring->shared->rsp_prod, now); /* entries before the index */
        ring->published = now;
        xenabi_full_barrier(); /* the index before the look at rsp_event */
        return (uint32_t)(now - xenabi_load_relaxed(&ring->shared->rsp_event)) <
               (uint32_t)(now - old);
    }

    /* Back end: asks to be notified of the next request. Returns 1 where one is there already. */
    static inline int xenabi_back_wait(struct xenabi_ring *ring)
    {
        xenabi_store_release(&ring->shared->req_event, ring->consumed + 1);
        xenabi_full_barrier(); /* the wish before the last look */
        return xenabi_load_acquire(&ring->shared->req_prod) != ring->consumed;
    }

    """

  private static let streams = """

    /* One end of two rings of bytes, as the console and xenstore use them. */
    struct xenabi_stream {
        uint8_t *in; /* bytes for this end */
        uint32_t in_size;
        uint32_t *in_cons, *in_prod;
        uint8_t *out; /* bytes from this end */
        uint32_t out_size;
        uint32_t *out_cons, *out_prod;
        uint32_t consumed; /* this end's in_cons, private */
        uint32_t produced; /* this end's out_prod, private */
    };

    /* Takes over the indexes that the page holds. Returns BROKEN where they cannot be right. */
    static inline int xenabi_stream_begin(struct xenabi_stream *stream)
    {
        stream->consumed = xenabi_load_acquire(stream->in_cons);
        stream->produced = xenabi_load_acquire(stream->out_prod);
        if (xenabi_load_acquire(stream->in_prod) - stream->consumed > stream->in_size ||
            stream->produced - xenabi_load_acquire(stream->out_cons) > stream->out_size)
            return XENABI_RING_BROKEN;
        return XENABI_RING_DONE;
    }

    /* Writes as many bytes as there is room for. Returns their number, or BROKEN. */
    static inline int32_t xenabi_stream_write(struct xenabi_stream *stream, const void *data,
                                              uint32_t length)
    {
        uint32_t used = stream->produced - xenabi_load_acquire(stream->out_cons);
        uint32_t start = stream->produced & (stream->out_size - 1);
        uint32_t room, first;

        if (used > stream->out_size)
            return XENABI_RING_BROKEN;
        room = stream->out_size - used;
        xenabi_full_barrier(); /* the consumer is done with the bytes that are written next */
        if (length > room)
            length = room;
        first = length < stream->out_size - start ? length : stream->out_size - start;
        xenabi_copy(stream->out + start, data, first);
        xenabi_copy(stream->out, (const uint8_t *)data + first, length - first);
        stream->produced += length;
        xenabi_store_release(stream->out_prod, stream->produced); /* bytes before the index */
        return (int32_t)length;
    }

    /* Copies out as many bytes as there are. Returns their number, or BROKEN. */
    static inline int32_t xenabi_stream_read(struct xenabi_stream *stream, void *data,
                                             uint32_t length)
    {
        uint32_t ready = xenabi_load_acquire(stream->in_prod) - stream->consumed;
        uint32_t start = stream->consumed & (stream->in_size - 1);
        uint32_t first;

        if (ready > stream->in_size)
            return XENABI_RING_BROKEN;
        if (length > ready)
            length = ready;
        first = length < stream->in_size - start ? length : stream->in_size - start;
        xenabi_copy(data, stream->in + start, first);
        xenabi_copy((uint8_t *)data + first, stream->in, length - first);
        stream->consumed += length;
        xenabi_store_release(stream->in_cons, stream->consumed); /* the copy before the index */
        return (int32_t)length;
    }

    """

  private static let tail = """

    #ifdef __cplusplus
    }
    #endif

    #endif /* XENABI_RING_ACCESS_H */

    """
}
