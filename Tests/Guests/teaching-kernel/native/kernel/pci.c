/* PCI: an address goes to one port, the register it names appears at another. */
#include "pci.h"

#include "cpu.h"

#define ADDRESS 0xcf8u
#define VALUE 0xcfcu
#define ENABLE 0x80000000u
#define DEVICES 32

static void select_register(int device, uint32_t offset)
{
    out32(ADDRESS, ENABLE | (uint32_t)device << 11 | offset);
}

uint32_t pci_read(int device, uint32_t offset)
{
    select_register(device, offset);
    return in32(VALUE);
}

void pci_write(int device, uint32_t offset, uint32_t value)
{
    select_register(device, offset);
    out32(VALUE, value);
}

int pci_find(uint16_t vendor, uint16_t model)
{
    for (int device = 0; device < DEVICES; device++) {
        if (pci_read(device, 0) == ((uint32_t)model << 16 | vendor))
            return device;
    }
    return -1;
}
