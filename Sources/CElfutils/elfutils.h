/* The one door to elfutils: libelf reads ELF files, libdw and libdwfl their DWARF. Only KernelImage imports it. */
#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <libelf.h>
