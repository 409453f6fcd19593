/* Open files: from a process's numbers to the console or to the file system. */
#include "file.h"

#include "console.h"
#include "file_system.h"
#include "process.h"
#include "slate.h"

static struct file *find(uint64_t descriptor)
{
    if (descriptor >= FILES || current->files[descriptor].kind == FILE_CLOSED)
        return 0;
    return &current->files[descriptor];
}

int file_open(const char *path, int flags)
{
    for (unsigned int i = 0; i < FILES; i++) {
        struct file *file = &current->files[i];
        if (file->kind != FILE_CLOSED)
            continue;
        int inode = file_system_open(path, flags);
        if (inode < 0)
            return inode;
        *file = (struct file){.kind = FILE_ON_DISK, .inode = (uint32_t)inode, .flags = flags};
        return (int)i;
    }
    return ERROR_TOO_MANY;
}

int file_close(uint64_t descriptor)
{
    struct file *file = find(descriptor);

    if (!file)
        return ERROR_BAD_FILE;
    file->kind = FILE_CLOSED;
    return 0;
}

long file_read(uint64_t descriptor, void *buffer, uint64_t size)
{
    struct file *file = find(descriptor);

    if (!file || file->kind != FILE_ON_DISK)
        return ERROR_BAD_FILE;
    long count = file_system_read(file->inode, file->offset, buffer, size);
    if (count > 0)
        file->offset += (uint32_t)count;
    return count;
}

long file_write(uint64_t descriptor, const void *buffer, uint64_t size)
{
    struct file *file = find(descriptor);

    if (!file)
        return ERROR_BAD_FILE;
    if (file->kind == FILE_CONSOLE) {
        console_write(buffer, size);
        return (long)size;
    }
    if (!(file->flags & OPEN_WRITE))
        return ERROR_BAD_FILE;
    long count = file_system_write(file->inode, file->offset, buffer, size);
    if (count > 0)
        file->offset += (uint32_t)count;
    return count;
}
