/*
 * The disk: a virtio block device on PCI, by its legacy interface (virtio 1.1, 4.1.4.8). Requests
 * go through a ring in memory:
 *
 *     descriptors   addresses and lengths of the parts of requests, chained
 *     available     which chains the device shall work on; we write, the device reads
 *     used          which ones it has done; the device writes, we read
 */
#include "disk.h"

#include <stdbool.h>

#include "console.h"
#include "cpu.h"
#include "disk_format.h"
#include "interrupt.h"
#include "memory.h"
#include "pci.h"
#include "process.h"
#include "slate.h"

#define VENDOR 0x1af4u
#define MODEL 0x1001u

/* Registers of PCI's configuration. */
#define PCI_COMMAND 0x04u
#define PCI_PORTS 0x10u
#define PCI_INTERRUPT 0x3cu
#define COMMAND_PORTS_AND_MASTER 5u

/* The device's registers, from its first port on. */
#define DEVICE_FEATURES 0u
#define GUEST_FEATURES 4u
#define QUEUE_ADDRESS 8u
#define QUEUE_SIZE 12u
#define QUEUE_SELECT 14u
#define QUEUE_NOTIFY 16u
#define DEVICE_STATUS 18u
#define INTERRUPT_STATUS 19u
#define CAPACITY 20u

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_READY 4u
#define FEATURE_FLUSH (1u << 9)

#define REQUEST_READ 0u
#define REQUEST_WRITE 1u
#define REQUEST_FLUSH 4u
#define RESULT_NONE 0xffu
#define SECTORS_PER_BLOCK (BLOCK_SIZE / 512u)

#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_DEVICE_WRITES 2u
#define MOST_DESCRIPTORS 256u

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct available {
    uint16_t flags, index, ring[];
};

struct used {
    uint16_t flags, index;
    struct {
        uint32_t chain, length;
    } ring[];
};

struct request {
    uint32_t type, reserved;
    uint64_t sector;
};

/* The ring: descriptors and available in two pages, used in the next, for a queue of 256. */
static uint8_t ring[3 * PAGE_SIZE] __attribute__((aligned(4096)));
static struct descriptor *const descriptors = (struct descriptor *)ring;
static struct available *available;
static volatile struct used *used;
static uint16_t queue_size, seen;

static uint16_t ports;
static bool can_flush;
static struct request request;
static volatile uint8_t result;

static void disk_interrupt(unsigned int line)
{
    (void)line;
    /* To read it is to acknowledge it. The line may be shared. */
    if (in8(ports + INTERRUPT_STATUS) & 1)
        process_wake(&request);
}

static void queue_start(void)
{
    out16(ports + QUEUE_SELECT, 0);
    queue_size = in16(ports + QUEUE_SIZE);
    if (queue_size < 3 || queue_size > MOST_DESCRIPTORS)
        panic("the disk wants a queue of %u", queue_size);
    uint64_t available_at = queue_size * sizeof(struct descriptor);
    uint64_t used_at = available_at + 6 + 2u * queue_size;
    available = (struct available *)(ring + available_at);
    used = (struct used *)(ring + ((used_at + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1ul)));
    out32(ports + QUEUE_ADDRESS, (uint32_t)(physical_of(ring) / PAGE_SIZE));
}

void disk_start(void)
{
    int device = pci_find(VENDOR, MODEL);

    if (device < 0)
        panic("there is no disk");
    ports = (uint16_t)(pci_read(device, PCI_PORTS) & ~3u);
    pci_write(device, PCI_COMMAND, pci_read(device, PCI_COMMAND) | COMMAND_PORTS_AND_MASTER);

    out8(ports + DEVICE_STATUS, 0);
    out8(ports + DEVICE_STATUS, STATUS_ACKNOWLEDGE);
    out8(ports + DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    uint32_t features = in32(ports + DEVICE_FEATURES) & FEATURE_FLUSH;
    out32(ports + GUEST_FEATURES, features);
    can_flush = features != 0;
    queue_start();
    interrupt_register(pci_read(device, PCI_INTERRUPT) & 0xff, disk_interrupt);
    out8(ports + DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_READY);
}

void disk_stop(void)
{
    /* To reset it: from now on it leaves our memory alone. */
    out8(ports + DEVICE_STATUS, 0);
}

uint32_t disk_blocks(void)
{
    uint64_t sectors = in32(ports + CAPACITY) | (uint64_t)in32(ports + CAPACITY + 4) << 32;
    uint64_t blocks = sectors / SECTORS_PER_BLOCK;

    return blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
}

static void set_descriptor(uint16_t index, const volatile void *part, uint32_t length,
                           uint16_t flags)
{
    descriptors[index] = (struct descriptor){
        .address = physical_of((const void *)(uintptr_t)part),
        .length = length,
        .flags = flags,
        .next = (uint16_t)(index + 1)};
}

int disk_transfer(enum disk_operation operation, uint32_t block, void *data)
{
    static const uint32_t types[] = {REQUEST_READ, REQUEST_WRITE, REQUEST_FLUSH};
    uint16_t last = 0;

    if (operation == DISK_FLUSH && !can_flush)
        return 0;
    request = (struct request){.type = types[operation],
                               .sector = (uint64_t)block * SECTORS_PER_BLOCK};
    result = RESULT_NONE;
    set_descriptor(last++, &request, sizeof(request), DESCRIPTOR_NEXT);
    if (operation != DISK_FLUSH)
        set_descriptor(last++, data, BLOCK_SIZE,
                       DESCRIPTOR_NEXT | (operation == DISK_READ ? DESCRIPTOR_DEVICE_WRITES : 0));
    set_descriptor(last, &result, 1, DESCRIPTOR_DEVICE_WRITES);

    available->ring[available->index % queue_size] = 0;
    /* The device must not see the index before what it counts. */
    __atomic_store_n(&available->index, (uint16_t)(available->index + 1), __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    out16(ports + QUEUE_NOTIFY, 0);

    uint64_t flags = interrupts_save();
    while (used->index == seen)
        process_sleep(&request, 0);
    interrupts_restore(flags);
    seen++;
    return result ? ERROR_IO : 0;
}
