/* Configuration of PCI devices on the first bus. */
#ifndef PCI_H
#define PCI_H

#include <stdint.h>

/* The number of a device with this vendor and model, or -1. */
int pci_find(uint16_t vendor, uint16_t model);
/* A register of its configuration, four bytes at an offset that they divide. */
uint32_t pci_read(int device, uint32_t offset);
void pci_write(int device, uint32_t offset, uint32_t value);

#endif
