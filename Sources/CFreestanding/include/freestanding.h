/*
 * What compilers call on their own and no library provides: memcpy, memmove, memset, memcmp. Every
 * bare-metal image links it; nothing calls it by this header.
 */
#ifndef XG_FREESTANDING_H
#define XG_FREESTANDING_H
#endif
