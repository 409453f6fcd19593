/* The C version behind the driver's names. */
#include "ring-glue.h"
#include "xenabi.h"

int c_front_init(void *state, void *page, uint32_t bytes)
{
    return xenabi_front_init(state, page, bytes, sizeof(struct request));
}

int c_front_put(void *state, const struct request *request)
{
    return xenabi_front_put(state, request, sizeof(*request));
}

int c_front_push(void *state)
{
    return xenabi_front_push(state);
}

int c_front_take(void *state, struct response *response)
{
    return xenabi_front_take(state, response, sizeof(*response));
}

int c_front_wait(void *state)
{
    return xenabi_front_wait(state);
}

int c_back_init(void *state, void *page, uint32_t bytes)
{
    return xenabi_ring_attach(state, page, bytes, sizeof(struct request));
}

int c_back_take(void *state, struct request *request)
{
    return xenabi_back_take(state, request, sizeof(*request));
}

int c_back_put(void *state, const struct response *response)
{
    return xenabi_back_put(state, response, sizeof(*response));
}

int c_back_push(void *state)
{
    return xenabi_back_push(state);
}

int c_back_wait(void *state)
{
    return xenabi_back_wait(state);
}

int c_stream_init(void *state, struct stream_page *page, int is_guest)
{
    struct xenabi_stream *stream = state;

    stream->in = is_guest ? page->in : page->out;
    stream->in_size = is_guest ? sizeof(page->in) : sizeof(page->out);
    stream->in_cons = is_guest ? &page->in_cons : &page->out_cons;
    stream->in_prod = is_guest ? &page->in_prod : &page->out_prod;
    stream->out = is_guest ? page->out : page->in;
    stream->out_size = is_guest ? sizeof(page->out) : sizeof(page->in);
    stream->out_cons = is_guest ? &page->out_cons : &page->in_cons;
    stream->out_prod = is_guest ? &page->out_prod : &page->in_prod;
    return xenabi_stream_begin(stream);
}

int c_stream_write(void *state, const uint8_t *data, uint32_t length)
{
    return xenabi_stream_write(state, data, length);
}

int c_stream_read(void *state, uint8_t *data, uint32_t length)
{
    return xenabi_stream_read(state, data, length);
}
