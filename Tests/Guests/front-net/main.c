/*
 * test: front-net
 * A guest does with its interface what a generated driver does, on the words of its command line:
 * templates/driver/bare-net/src/xg_run.c.
 */
#include "front.h"

#include "xg_run.h"

void test_main(void)
{
    front_console();
    front_end(xg_run());
}
