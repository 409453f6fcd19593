/* Loads programs. The file is not trusted: each number in it is checked before it is used. */
#include "program.h"

#include <stdbool.h>

#include "file_system.h"
#include "layout.h"
#include "process.h"
#include "text.h"

#define ELF_MAGIC 0x464c457fu
#define ELF_64_LITTLE 0x0102u
#define ELF_EXECUTABLE 2u
#define ELF_X86_64 62u
#define SEGMENT_LOAD 1u
#define SEGMENT_EXECUTE 1u
#define SEGMENT_WRITE 2u
#define SEGMENTS 8u

struct elf_header {
    uint32_t magic;
    uint16_t class_and_data;
    uint8_t rest[10];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_at, sections_at;
    uint32_t flags;
    uint16_t size, segment_size, segments, section_size, sections, names;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};

/* Maps a segment and reads it. */
static bool load_segment(const struct space *space, uint32_t inode,
                         const struct elf_segment *segment)
{
    uint64_t end = segment->address + segment->memory_size;

    if (segment->address < USER_START || end < segment->address || end > USER_END / 2 ||
        segment->address % PAGE_SIZE || segment->file_size > segment->memory_size)
        return false;
    for (uint64_t at = 0; at < segment->memory_size; at += PAGE_SIZE) {
        uint64_t left = at < segment->file_size ? segment->file_size - at : 0;
        uint64_t part = left < PAGE_SIZE ? left : PAGE_SIZE;
        void *page = 0;
        if (!space_page(space, segment->address + at, false))
            page = space_add_page(space, segment->address + at, segment->flags & SEGMENT_WRITE,
                                  segment->flags & SEGMENT_EXECUTE);
        if (!page || file_system_read(inode, segment->offset + at, page, part) != (long)part)
            return false;
    }
    return true;
}

/* Loads the file's segments; `end` becomes the end of the last. */
static int load(const struct space *space, uint32_t inode, uint64_t *entry, uint64_t *end)
{
    struct elf_header header;
    struct elf_segment segment;

    if (file_system_read(inode, 0, &header, sizeof(header)) != sizeof(header) ||
        header.magic != ELF_MAGIC || header.class_and_data != ELF_64_LITTLE ||
        header.type != ELF_EXECUTABLE || header.machine != ELF_X86_64 ||
        header.segment_size != sizeof(segment) || header.segments > SEGMENTS)
        return ERROR_INVALID;
    *entry = header.entry;
    *end = USER_START;
    for (unsigned int i = 0; i < header.segments; i++) {
        if (file_system_read(inode, header.segments_at + i * sizeof(segment), &segment,
                             sizeof(segment)) != sizeof(segment))
            return ERROR_INVALID;
        if (segment.type != SEGMENT_LOAD || !segment.memory_size)
            continue;
        if (!load_segment(space, inode, &segment))
            return ERROR_INVALID;
        if (segment.address + segment.memory_size > *end)
            *end = segment.address + segment.memory_size;
    }
    return *entry < USER_END ? 0 : ERROR_INVALID;
}

/*
 * Makes the stack: argument texts at its end, below them the array of their addresses. All of that
 * is in the last page, of which the kernel knows the address.
 */
static uint64_t make_stack(const struct space *space, const struct arguments *arguments)
{
    uint8_t *page = 0;
    uint64_t addresses[ARGUMENTS + 1] = {0};
    uint64_t texts = PAGE_SIZE - ((arguments->bytes + 15u) & ~15u);
    uint64_t array = texts - sizeof(addresses) - 8;

    for (unsigned int i = USER_STACK_PAGES; i > 0; i--) {
        page = space_add_page(space, USER_END - i * PAGE_SIZE, true, false);
        if (!page)
            return 0;
    }
    for (unsigned int i = 0, at = 0; i < arguments->count; i++) {
        addresses[i] = USER_END - PAGE_SIZE + texts + at;
        at += (unsigned int)text_length(arguments->texts + at) + 1;
    }
    memcpy(page + texts, arguments->texts, arguments->bytes);
    memcpy(page + array, addresses, sizeof(addresses));
    return USER_END - PAGE_SIZE + array;
}

static const char *last_name(const char *path)
{
    const char *name = path;

    for (; *path; path++) {
        if (*path == '/')
            name = path + 1;
    }
    return name;
}

int program_exec(const char *path, const struct arguments *arguments)
{
    uint64_t entry, end, stack = 0;
    struct space space;
    int inode = file_system_open(path, 0);
    if (inode < 0)
        return inode;
    if (!space_create(&space))
        return ERROR_NO_MEMORY;
    int error = load(&space, (uint32_t)inode, &entry, &end);
    if (!error) {
        stack = make_stack(&space, arguments);
        error = stack ? 0 : ERROR_NO_MEMORY;
    }
    if (error) {
        space_destroy(&space);
        return error;
    }

    struct space before = current->space;
    current->space = space;
    space_load(&space);
    space_destroy(&before);
    current->heap_start = current->heap_end = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1ul);
    process_name(current, last_name(path));
    struct frame *frame = process_frame(current);
    *frame = frame_for_program(entry, stack);
    frame->rdi = arguments->count;
    frame->rsi = stack;
    return 0;
}
