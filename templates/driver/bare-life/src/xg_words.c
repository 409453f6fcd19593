/* Where the kernel of `xenograft generate kernel` has its command line. Yours to change. */
#include "domain.h"
#include "xg_life.h"

const char *life_words(void)
{
    return (const char *)start_info->cmd_line;
}
