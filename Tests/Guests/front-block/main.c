/*
 * test: front-block
 * A guest does with its disk what a generated driver does, on the words of its command line:
 * templates/driver/bare-block/src/xg_run.c.
 */
#include "front.h"

#include "xg_run.h"

void test_main(void)
{
    front_console();
    front_end(xg_run());
}
