/* What lwIP wants to know of compiler and system. */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include "domain.h"

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H 1
#define LWIP_NO_UNISTD_H 1
#define X8_F "x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

#define BYTE_ORDER LITTLE_ENDIAN

/* Nothing is printed but by assertions. */
#define LWIP_PLATFORM_DIAG(arguments)
#define LWIP_PLATFORM_ASSERT(text) panic("lwIP: %s", text)

/* For the first sequence number of a connection and the like; link.c. */
uint32_t random_number(void);
#define LWIP_RAND() random_number()

#endif
