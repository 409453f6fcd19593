/* The decompressors that a Linux bzImage's payload may need. Only KernelImage imports them. */
#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>
