/*
 * test: front-store
 * A guest talks to xenstore over its page: it reads its own number, writes, lists and removes below
 * its home, sees a transaction conflict, and its watches fire at once and once for a change.
 * Needs a domain 0 with xenstore, so it does not run as domain 0 itself.
 */
#include "front.h"

static unsigned int fired;

static void changed(void *context)
{
    (void)context;
    fired++;
}

static bool has_fired(void)
{
    return fired != 0;
}

void test_main(void)
{
    struct xg_watch watch = {.path = "data/front", .changed = changed};
    uint32_t one = 0, two = 0;
    char text[64];

    front_start(0, 0);
    life_check("reads its number", xg_store_read(0, "domid", text, sizeof(text)) > 0);
    life_say("domain ", text, (char *)0);
    life_check("writes", xg_store_write(0, "data/front/a", "1") == 0);
    life_check("reads it back", xg_store_read(0, "data/front/a", text, sizeof(text)) == 1);
    life_check("lists", xg_store_list(0, "data/front", text, sizeof(text)) == 2);
    life_check("no such key", xg_store_read(0, "data/none", text, sizeof(text)) == -XEN_ENOENT);
    life_check("begins two transactions", !xg_store_begin(&one) && !xg_store_begin(&two));
    xg_store_write(one, "data/front/a", "2");
    xg_store_write(two, "data/front/a", "3");
    life_check("the first commits", xg_store_commit(one) == 0);
    life_check("the second conflicts", xg_store_commit(two) == -XEN_EAGAIN);
    life_check("watches", xg_store_watch(&watch) == 0);
    life_check("the watch fires at once", life_until(has_fired, 5 * SECONDS));
    fired = 0;
    xg_store_write(0, "data/front/a", "4");
    life_check("and for a change", life_until(has_fired, 5 * SECONDS) && fired == 1);
    xg_store_unwatch(&watch);
    life_check("removes", xg_store_remove(0, "data/front") == 0);
    front_end(life_end());
}
