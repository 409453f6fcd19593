/*
 * Calls that Linux answers by itself: what they cost is the way into the kernel and back.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONNECTIONS 100

static int zero, null;
static int first_connection, last_connection;

static void null_call(void)
{
    check(syscall(SYS_getppid) > 0, "getppid");
}

/* A read and a write of a byte; a row is half of it. */
static void null_io(void)
{
    char byte;
    check(read(zero, &byte, 1) == 1 && write(null, &byte, 1) == 1, "a byte");
}

static void stat_file(void)
{
    struct stat found;
    check(stat("/tmp/file", &found) == 0, "stat");
}

static void open_close(void)
{
    int file = open("/tmp/file", O_RDONLY);
    check(file >= 0 && close(file) == 0, "open");
}

/* As lmbench does: one connection, many descriptors of it, and nothing to read from any. */
static void connect_many(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    first_connection = last_connection = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(first_connection, (struct sockaddr *)&address, size) == 0, "connect");
    check(accept(listener, 0, 0) >= 0, "accept");
    for (unsigned int count = 1; count < CONNECTIONS; count++)
        check((last_connection = dup(first_connection)) >= 0, "dup");
}

static void select_all(void)
{
    struct timeval no_time = {0};
    fd_set wanted;
    FD_ZERO(&wanted);
    FD_SET(first_connection, &wanted);
    for (int connection = last_connection - CONNECTIONS + 2; connection <= last_connection; connection++)
        FD_SET(connection, &wanted);
    check(select(last_connection + 1, &wanted, 0, 0, &no_time) == 0, "select");
}

void measure_calls(void)
{
    check((zero = open("/dev/zero", O_RDONLY)) >= 0, "/dev/zero");
    check((null = open("/dev/null", O_WRONLY)) >= 0, "/dev/null");
    int file = open("/tmp/file", O_CREAT | O_WRONLY, 0600);
    check(file >= 0 && close(file) == 0, "/tmp/file");
    report("null-call", median(64, null_call, 0));
    report("null-io", median(64, null_io, 0) / 2);
    report("stat", median(64, stat_file, 0));
    report("open-close", median(64, open_close, 0));
    connect_many();
    report("select-tcp", median(16, select_all, 0));
    for (int connection = first_connection; connection <= last_connection; connection++)
        close(connection);
}
