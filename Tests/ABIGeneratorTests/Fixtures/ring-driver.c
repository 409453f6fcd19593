/*
 * Drives the rings of every language against every other, in five ways:
 *
 *  - model: random steps of both ends, each answer compared with a model that knows what must come;
 *    entries arrive once, in order and whole, and a push tells exactly when the other end asked.
 *  - threads: the ends in two threads that sleep when wait says that nothing is there; a lost
 *    notification shows as a sleeper that nobody wakes.
 *  - hostile: one end alone while the page is scribbled upon; no answer may be anything but done,
 *    not now or broken, nothing outside the page and the entry is touched, and no more is taken
 *    than was asked for.
 *  - streams, and hostile streams: the same for the rings of bytes, with indexes that wrap.
 *
 * The page lies between two that cannot be accessed. Usage: ring-driver STEPS. Prints a line a run
 * and `ok`; the first fault ends it with code 1.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "ring-glue.h"

#define PAGE 4096u

struct language {
    const char *name;
    int (*front_init)(void *, void *, uint32_t);
    int (*front_put)(void *, const struct request *);
    int (*front_push)(void *);
    int (*front_take)(void *, struct response *);
    int (*front_wait)(void *);
    int (*back_init)(void *, void *, uint32_t);
    int (*back_take)(void *, struct request *);
    int (*back_put)(void *, const struct response *);
    int (*back_push)(void *);
    int (*back_wait)(void *);
    int (*stream_init)(void *, struct stream_page *, int);
    int (*stream_write)(void *, const uint8_t *, uint32_t);
    int (*stream_read)(void *, uint8_t *, uint32_t);
};

#define LANGUAGE(lang)                                                                      \
    {                                                                                       \
        #lang, lang##_front_init, lang##_front_put, lang##_front_push, lang##_front_take,   \
            lang##_front_wait, lang##_back_init, lang##_back_take, lang##_back_put,         \
            lang##_back_push, lang##_back_wait, lang##_stream_init, lang##_stream_write,    \
            lang##_stream_read                                                              \
    }

static const struct language languages[] = {
    LANGUAGE(c),
    LANGUAGE(swift),
#ifdef HAVE_RUST
    LANGUAGE(rust),
#endif
};

#define LANGUAGES (sizeof(languages) / sizeof(languages[0]))

struct state {
    uint8_t bytes[256];
} __attribute__((aligned(16)));

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t chance(uint32_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % bound;
}

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            printf("FAULT: %s:%d: %s\n", __func__, __LINE__, #condition);               \
            fflush(stdout);                                                             \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

static uint8_t *guarded_page(void)
{
    uint8_t *base = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(base != MAP_FAILED);
    CHECK(mprotect(base + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    return base + PAGE;
}

static struct request make_request(uint64_t id)
{
    struct request request = {id, (uint32_t)(id * 7), (uint32_t)~id, id * 0x100000001u};
    return request;
}

static struct response make_response(uint64_t id)
{
    struct response response = {id, (int32_t)(id * 3), (uint32_t)~id};
    return response;
}

/* What the model knows of one direction. */
struct flow {
    uint32_t produced, published, consumed, event;
};

static int model_push(struct flow *flow)
{
    uint32_t old = flow->published;

    flow->published = flow->produced;
    return flow->published - flow->event < flow->published - old;
}

static void run_model(const struct language *front, const struct language *back, uint8_t *page,
                      uint32_t steps)
{
    struct state f, b;
    struct flow requests = {0, 0, 0, 1}, responses = {0, 0, 0, 1};
    /* Requests that the back end holds, in the order in which it will answer. */
    static uint64_t held[64];
    /* The ids of responses, by their place in the ring. */
    static uint64_t answer_of[1 << 8];
    uint32_t holding = 0, count = (PAGE - 64) / sizeof(struct request), moved = 0;

    while (count & (count - 1))
        count &= count - 1;
    CHECK(front->front_init(&f, page, PAGE) == 1);
    CHECK(back->back_init(&b, page, PAGE) == 1);

    for (uint32_t step = 0; step < steps; step++) {
        struct request request;
        struct response response;
        int expected;

        switch (chance(8)) {
        case 0:
        case 1:
            request = make_request(requests.produced);
            expected = requests.produced - responses.consumed < count;
            CHECK(front->front_put(&f, &request) == expected);
            requests.produced += (uint32_t)expected;
            break;
        case 2:
            expected = model_push(&requests);
            CHECK(front->front_push(&f) == expected);
            break;
        case 3:
            expected = responses.published != responses.consumed;
            CHECK(front->front_take(&f, &response) == expected);
            if (expected) {
                struct response right =
                    make_response(answer_of[responses.consumed & 0xff]);
                CHECK(memcmp(&response, &right, sizeof(right)) == 0);
                responses.consumed++;
            }
            break;
        case 4:
            responses.event = responses.consumed + 1;
            CHECK(front->front_wait(&f) == (responses.published != responses.consumed));
            break;
        case 5:
            if (holding == 64)
                break;
            expected = requests.published != requests.consumed;
            CHECK(back->back_take(&b, &request) == expected);
            if (expected) {
                struct request right = make_request(requests.consumed);
                CHECK(memcmp(&request, &right, sizeof(right)) == 0);
                /* Answers may come in any order. */
                uint32_t place = chance(holding + 1);
                held[holding++] = held[place];
                held[place] = request.id;
                requests.consumed++;
                moved++;
            }
            break;
        case 6:
            expected = holding > 0;
            response = make_response(holding ? held[holding - 1] : 0);
            CHECK(back->back_put(&b, &response) == expected);
            if (expected)
                answer_of[responses.produced++ & 0xff] = held[--holding];
            break;
        case 7:
            if (chance(2)) {
                expected = model_push(&responses);
                CHECK(back->back_push(&b) == expected);
            } else {
                requests.event = requests.consumed + 1;
                CHECK(back->back_wait(&b) == (requests.published != requests.consumed));
            }
            break;
        }
    }
    CHECK(moved > steps / 100);
    printf("model %s/%s: %u steps, %u requests\n", front->name, back->name, steps, moved);
}

struct runner {
    const struct language *language;
    struct state state;
    sem_t mine, *other;
    uint32_t total;
};

static void sleep_until_notified(struct runner *runner)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    CHECK(sem_timedwait(&runner->mine, &until) == 0); /* a lost notification */
}

static void *run_front(void *context)
{
    struct runner *r = context;
    uint32_t sent = 0, received = 0;
    struct response response;
    static uint8_t seen[1 << 20];

    memset(seen, 0, sizeof(seen));
    while (received < r->total) {
        int pushed = 0, taken;

        while (sent < r->total) {
            struct request request = make_request(sent);
            if (r->language->front_put(&r->state, &request) != 1)
                break;
            sent++;
            pushed = 1;
        }
        if (pushed && r->language->front_push(&r->state))
            sem_post(r->other);
        while ((taken = r->language->front_take(&r->state, &response)) == 1) {
            struct response right = make_response(response.id);
            CHECK(response.id < r->total && !seen[response.id]);
            CHECK(memcmp(&response, &right, sizeof(right)) == 0);
            seen[response.id] = 1;
            received++;
            pushed = 1;
        }
        CHECK(taken == 0);
        if (!pushed && received < r->total && !r->language->front_wait(&r->state))
            sleep_until_notified(r);
    }
    return NULL;
}

static void *run_back(void *context)
{
    struct runner *r = context;
    uint32_t served = 0;
    struct request request;

    while (served < r->total) {
        int taken, worked = 0;

        while ((taken = r->language->back_take(&r->state, &request)) == 1) {
            struct request right = make_request(served);
            struct response response = make_response(request.id);
            CHECK(memcmp(&request, &right, sizeof(right)) == 0);
            CHECK(r->language->back_put(&r->state, &response) == 1);
            served++;
            worked = 1;
            if (served % 7 == 0)
                break;
        }
        CHECK(taken >= 0);
        if (worked && r->language->back_push(&r->state))
            sem_post(r->other);
        if (!worked && served < r->total && !r->language->back_wait(&r->state))
            sleep_until_notified(r);
    }
    return NULL;
}

static void run_threads(const struct language *front, const struct language *back, uint8_t *page,
                        uint32_t total)
{
    static struct runner f, b;
    pthread_t thread;

    if (total > 1u << 20)
        total = 1u << 20;
    f.language = front;
    b.language = back;
    f.total = b.total = total;
    sem_init(&f.mine, 0, 0);
    sem_init(&b.mine, 0, 0);
    f.other = &b.mine;
    b.other = &f.mine;
    CHECK(front->front_init(&f.state, page, PAGE) == 1);
    CHECK(back->back_init(&b.state, page, PAGE) == 1);
    CHECK(pthread_create(&thread, NULL, run_back, &b) == 0);
    run_front(&f);
    pthread_join(thread, NULL);
    printf("threads %s/%s: %u requests\n", front->name, back->name, total);
}

/* Writes nonsense, or something close to the truth, into the page. */
static void scribble(uint8_t *page)
{
    uint32_t word = chance(4), value;

    switch (chance(4)) {
    case 0:
        page[chance(PAGE)] = (uint8_t)chance(256);
        break;
    case 1:
        value = chance(2) ? chance(400) : 0u - chance(400);
        memcpy(page + word * 4, &value, 4);
        break;
    case 2:
        memcpy(&value, page + word * 4, 4);
        value += chance(5) - 2;
        memcpy(page + word * 4, &value, 4);
        break;
    case 3:
        value = (uint32_t)seed;
        memcpy(page + word * 4, &value, 4);
        break;
    }
}

/* An entry between two rows of bytes that must not change. */
union guarded {
    struct {
        uint8_t before[16];
        struct request request;
        uint8_t after[16];
    } a;
    struct {
        uint8_t before[16];
        struct response response;
        uint8_t after[16];
    } b;
};

static void run_hostile(const struct language *language, uint8_t *page, uint32_t steps)
{
    struct state f, b;
    union guarded entry;
    uint32_t put = 0, taken = 0, broken = 0, requests = 0, answered = 0;

    CHECK(language->front_init(&f, page, PAGE) == 1);
    CHECK(language->back_init(&b, page, PAGE) == 1);
    for (uint32_t step = 0; step < steps; step++) {
        struct request request = make_request(step);
        int answer;

        if (chance(3) == 0)
            scribble(page);
        memset(&entry, 0x5a, sizeof(entry));
        switch (chance(6)) {
        case 0:
            answer = language->front_put(&f, &request);
            CHECK(answer == 0 || answer == 1);
            put += (uint32_t)answer;
            language->front_push(&f);
            break;
        case 1:
            answer = language->front_take(&f, &entry.b.response);
            CHECK(answer >= -1 && answer <= 1);
            if (answer == 1)
                taken++;
            CHECK(taken <= put); /* never an answer without a question */
            broken += answer == -1;
            for (int i = 0; i < 16; i++)
                CHECK(entry.b.before[i] == 0x5a && entry.b.after[i] == 0x5a);
            break;
        case 2:
            language->front_wait(&f);
            break;
        case 3:
            answer = language->back_take(&b, &entry.a.request);
            CHECK(answer >= -1 && answer <= 1);
            if (answer == 1)
                requests++;
            CHECK(requests - answered <= 128); /* never more than the ring holds */
            broken += answer == -1;
            for (int i = 0; i < 16; i++)
                CHECK(entry.a.before[i] == 0x5a && entry.a.after[i] == 0x5a);
            break;
        case 4: {
            struct response response = make_response(step);
            answer = language->back_put(&b, &response);
            CHECK(answer == (requests != answered));
            answered += (uint32_t)answer;
            language->back_push(&b);
            break;
        }
        case 5:
            language->back_wait(&b);
            break;
        }
    }
    CHECK(broken > 0 && taken > 0 && requests > 0);
    printf("hostile %s: %u steps, %u broken\n", language->name, steps, broken);
}

static void run_streams(const struct language *guest, const struct language *other, uint8_t *page,
                        uint32_t steps)
{
    struct stream_page *shared = (struct stream_page *)page;
    struct state g, o;
    uint32_t start = 0u - chance(5000); /* the indexes wrap soon */
    uint32_t sent[2] = {0, 0}, received[2] = {0, 0};
    uint8_t data[600];

    memset(page, 0, PAGE);
    shared->in_cons = shared->in_prod = start;
    shared->out_cons = shared->out_prod = start + 17;
    CHECK(guest->stream_init(&g, shared, 1) == 1);
    CHECK(other->stream_init(&o, shared, 0) == 1);
    for (uint32_t step = 0; step < steps; step++) {
        int to_guest = (int)chance(2);
        uint32_t length = chance(sizeof(data) + 1);
        uint32_t size = to_guest ? 1024 : 2048;
        uint32_t there = sent[to_guest] - received[to_guest];

        if (chance(2)) {
            uint32_t expected = length < size - there ? length : size - there;
            for (uint32_t i = 0; i < length; i++)
                data[i] = (uint8_t)((sent[to_guest] + i) * 31 + 7);
            CHECK((to_guest ? other->stream_write(&o, data, length)
                            : guest->stream_write(&g, data, length)) == (int)expected);
            sent[to_guest] += expected;
        } else {
            uint32_t expected = length < there ? length : there;
            CHECK((to_guest ? guest->stream_read(&g, data, length)
                            : other->stream_read(&o, data, length)) == (int)expected);
            for (uint32_t i = 0; i < expected; i++)
                CHECK(data[i] == (uint8_t)((received[to_guest] + i) * 31 + 7));
            received[to_guest] += expected;
        }
    }
    CHECK(sent[0] > 5000 && sent[1] > 5000);
    printf("streams %s/%s: %u steps, %u bytes\n", guest->name, other->name, steps,
           received[0] + received[1]);
}

static void run_hostile_streams(const struct language *language, uint8_t *page, uint32_t steps)
{
    struct stream_page *shared = (struct stream_page *)page;
    struct state g;
    uint32_t broken = 0, moved = 0;

    memset(page, 0, PAGE);
    CHECK(language->stream_init(&g, shared, 1) == 1);
    for (uint32_t step = 0; step < steps; step++) {
        uint8_t data[5032];
        uint32_t length = chance(5001); /* more than a ring holds */
        int answer;

        if (chance(3) == 0) {
            uint32_t *index = &shared->in_cons + chance(4);
            *index = chance(3) ? *index + chance(300) - 20 : (uint32_t)seed;
            page[chance(PAGE)] = (uint8_t)chance(256);
        }
        memset(data, 0x5a, sizeof(data));
        answer = chance(2) ? language->stream_write(&g, data + 16, length)
                           : language->stream_read(&g, data + 16, length);
        CHECK(answer >= -1 && answer <= (int)length);
        if (answer < 0)
            broken++;
        else
            moved += (uint32_t)answer;
        for (uint32_t i = 0; i < 16; i++)
            CHECK(data[i] == 0x5a && data[16 + length + i] == 0x5a);
        if (answer < 0 && chance(8) == 0) {
            memset(&shared->in_cons, 0, 16);
            language->stream_init(&g, shared, 1);
        }
    }
    CHECK(broken > 0 && moved > 0);
    printf("hostile streams %s: %u steps, %u broken\n", language->name, steps, broken);
}

int main(int argc, char **argv)
{
    uint32_t steps = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    uint8_t *page = guarded_page();

    for (size_t f = 0; f < LANGUAGES; f++) {
        for (size_t b = 0; b < LANGUAGES; b++) {
            run_model(&languages[f], &languages[b], page, steps);
            run_threads(&languages[f], &languages[b], page, steps / 10);
            run_streams(&languages[f], &languages[b], page, steps / 10);
        }
        run_hostile(&languages[f], page, steps);
        run_hostile_streams(&languages[f], page, steps / 4);
    }
    printf("ok\n");
    return 0;
}
