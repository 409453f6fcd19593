/* Results of a test: lines on the console and the worst status so far. */
#include "report.h"

#include <stdarg.h>

#include "console.h"
#include "system.h"
#include "text.h"

enum status { SUCCESS, SKIP, ERROR, FAILURE };

static enum status worst;

static void set(enum status status)
{
    if (status > worst)
        worst = status;
}

#define TELL(word, status)                                                                         \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    print(word ": ");                                                                              \
    vprint(format, arguments);                                                                     \
    print("\n");                                                                                   \
    va_end(arguments);                                                                             \
    set(status)

void failure(const char *format, ...)
{
    TELL("Failure", FAILURE);
}

void error(const char *format, ...)
{
    TELL("Error", ERROR);
}

void skip(const char *format, ...)
{
    TELL("Skip", SKIP);
}

static void print_result(void)
{
    static const char *const names[] = {"SUCCESS", "SKIP", "ERROR", "FAILURE"};
    print("Test result: %s\n", names[worst]);
}

void panic(const char *format, ...)
{
    TELL("Panic", ERROR);
    print_result();
    shut_down(SHUTDOWN_crash);
}

void report_and_end(void)
{
    print_result();
    shut_down(SHUTDOWN_poweroff);
}

void expect_result(const char *what, long found, long expected)
{
    if (found == expected) {
        print("%s: %E\n", what, found);
        return;
    }
    print("%s: %E, expected %E\n", what, found, expected);
    set(FAILURE);
}

void expect_value(const char *what, uint64_t found, uint64_t expected)
{
    if (found == expected) {
        print("%s: 0x%lx\n", what, found);
        return;
    }
    print("%s: 0x%lx, expected 0x%lx\n", what, found, expected);
    set(FAILURE);
}

void expect_true(const char *what, bool found)
{
    print("%s: %s\n", what, found ? "yes" : "no, expected yes");
    if (!found)
        set(FAILURE);
}

void expect_fault(const char *what, fault_t found, fault_t expected)
{
    if (found == expected) {
        print("%s: %F\n", what, found);
        return;
    }
    print("%s: %F, expected %F\n", what, found, expected);
    set(FAILURE);
}

void expect_vector(const char *what, fault_t found, unsigned int vector)
{
    if (found != NO_FAULT)
        found = FAULT(FAULT_VECTOR(found), 0);
    if (found == FAULT(vector, 0)) {
        print("%s: %F\n", what, found);
        return;
    }
    print("%s: %F, expected %F\n", what, found, FAULT(vector, 0));
    set(FAILURE);
}

void expect_text(const char *what, const char *found, const char *expected)
{
    if (strcmp(found, expected) == 0) {
        print("%s: %s\n", what, found);
        return;
    }
    print("%s: %s, expected %s\n", what, found, expected);
    set(FAILURE);
}

static const char *error_name(long number)
{
    static const struct {
        long number;
        const char *name;
    } names[] = {
        {XEN_EPERM, "-EPERM"},       {XEN_ENOENT, "-ENOENT"},   {XEN_ESRCH, "-ESRCH"},
        {XEN_EIO, "-EIO"},           {XEN_ENXIO, "-ENXIO"},     {XEN_E2BIG, "-E2BIG"},
        {XEN_ENOEXEC, "-ENOEXEC"},   {XEN_EAGAIN, "-EAGAIN"},   {XEN_ENOMEM, "-ENOMEM"},
        {XEN_EACCES, "-EACCES"},     {XEN_EFAULT, "-EFAULT"},   {XEN_EBUSY, "-EBUSY"},
        {XEN_EEXIST, "-EEXIST"},     {XEN_EXDEV, "-EXDEV"},     {XEN_ENODEV, "-ENODEV"},
        {XEN_EINVAL, "-EINVAL"},     {XEN_ENOSPC, "-ENOSPC"},   {XEN_EDOM, "-EDOM"},
        {XEN_ERANGE, "-ERANGE"},     {XEN_ENOSYS, "-ENOSYS"},   {XEN_ENODATA, "-ENODATA"},
        {XEN_ETIME, "-ETIME"},       {XEN_EOVERFLOW, "-EOVERFLOW"},
        {XEN_EOPNOTSUPP, "-EOPNOTSUPP"},                        {XEN_ENOBUFS, "-ENOBUFS"},
    };
    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == number)
            return names[i].name;
    return 0;
}

const char *result_name(long result)
{
    const char *name = result < 0 ? error_name(-result) : 0;
    if (name)
        return name;

    static char buffers[4][24];
    static unsigned int next;
    char *end = buffers[next++ % 4] + sizeof(buffers[0]) - 1, *first = end;
    *end = 0;
    unsigned long rest = result < 0 ? -(unsigned long)result : (unsigned long)result;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (result < 0)
        *--first = '-';
    return first;
}
