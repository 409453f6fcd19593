/* The layout is a contract between images that are built apart. */
#include <stddef.h>
#include "rootstock.h"

_Static_assert(sizeof(struct rootstock_domain) == 56, "rootstock_domain");
_Static_assert(offsetof(struct rootstock_domain, reason) == 4, "reason");
_Static_assert(offsetof(struct rootstock_domain, store_port) == 12, "store_port");
_Static_assert(offsetof(struct rootstock_domain, frames) == 24, "frames");
_Static_assert(offsetof(struct rootstock_domain, console_frame) == 40, "console_frame");

#include "rootstock_saved.h"

_Static_assert(sizeof(struct rootstock_saved) == 120, "rootstock_saved");
_Static_assert(offsetof(struct rootstock_saved, digest) == 88, "digest");
_Static_assert(sizeof(struct rootstock_record) == 80, "rootstock_record");
_Static_assert(sizeof(struct rootstock_saved_vcpu) == 72, "rootstock_saved_vcpu");
